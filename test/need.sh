#!/bin/sh
# Finds what the tests need. Root on Debian gets what is missing installed;
# anyone else is told exactly what is missing and how to get it.
set -eu

has() { command -v "$1" >/dev/null 2>&1; }

wanting=
for tool in go node git; do
	has "$tool" || wanting="$wanting $tool"
done
if [ -n "$wanting" ]; then
	echo "missing:$wanting (Go as in go.mod from https://go.dev/dl; apt-get install nodejs git)" >&2
	exit 1
fi

packages=
if [ -z "${DOORWARD_TEST_POSTGRES:-}" ] && ! has initdb && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
	packages="$packages postgresql"
fi
has chromium || has google-chrome || packages="$packages chromium"

# The race detector is cgo. Without a compiler the tests still run, but not
# under CI, where nothing is left out.
if ! has "${CC:-gcc}" && { [ "$(id -u)" = 0 ] || [ "${CI:-}" = true ]; }; then
	packages="$packages gcc libc6-dev"
fi

has npm || packages="$packages npm"

# Clients that others wrote, as pinned; nothing of theirs runs when they are
# installed.
clients() {
	cd "$(dirname "$0")/clients/node"
	cmp -s package-lock.json node_modules/.installed && return
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	cp package-lock.json node_modules/.installed
}

if [ -z "$packages" ]; then
	clients
	exit 0
fi
if [ "$(id -u)" != 0 ] || ! has apt-get; then
	echo "missing:$packages" >&2
	echo "on Debian: sudo apt-get install$packages" >&2
	exit 1
fi
echo "installing:$packages"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# shellcheck disable=SC2086 # a list of packages is meant to split
apt-get -qq install -y --no-install-recommends $packages >/dev/null
clients
