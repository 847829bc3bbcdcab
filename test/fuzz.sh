#!/bin/sh
# Runs each fuzz target of the modules named, one at a time, for FUZZTIME; only
# those whose name FUZZ matches. What falls out is left in testdata/fuzz of its
# package, where go test finds it from then on.
set -eu

failed=
for module in "$@"; do
	for found in $(cd "$module" && grep -rno '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' . | sed 's|^\(.*\)/[^/]*:[0-9]*:func \(.*\)$|\1:\2|' | sort -u); do
		package=${found%:*}
		target=${found##*:}
		# A package that is a module of its own is that module's turn.
		if [ "$module" = . ] && [ -e "$package/go.mod" ]; then continue; fi
		if ! echo "$target" | grep -Eq -- "${FUZZ:-.}"; then continue; fi
		echo "$module/$package $target"
		(cd "$module" && "${GO:-go}" test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "$package" >/dev/null) || failed="$failed $package:$target"
	done
done
if [ -n "$failed" ]; then
	echo "failed:$failed" >&2
	exit 1
fi
