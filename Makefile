# What each target needs beyond Go, Node and git is found or installed by
# test/need.sh. On Debian, `sudo make need` prepares a machine once.

GO      ?= go
BIN     ?= build/doorward
MODULES := . sdk

# Two packages at a time: one compiles while another waits for its disk.
TEST := $(GO) test -p 2 -timeout 15m

# These drive the program from outside, one act after another: what the race
# detector can see there it sees in the other packages. make race has them too.
OUTSIDE := ./test/browser ./test/cli ./test/clients ./test/conformance ./test/drill ./test/http

.PHONY: test race need check build bench bench-growth fuzz screenshots clean

test: need check
	@race=-race; export CGO_ENABLED=1; \
	if ! command -v "$${CC:-gcc}" >/dev/null 2>&1; then \
		race=; export CGO_ENABLED=0; echo "no C compiler: testing without the race detector"; \
	fi; \
	failed=0; for module in $(MODULES); do \
		(cd $$module && $(TEST) $$race $$($(GO) list ./... | grep -vxF "$$(if [ $$module = . ]; then $(GO) list $(OUTSIDE); fi)")) || failed=1; \
	done; \
	CGO_ENABLED=0 $(TEST) $(OUTSIDE) || failed=1; exit $$failed

race: need check
	for module in $(MODULES); do (cd $$module && CGO_ENABLED=1 $(TEST) -race ./...) || exit 1; done

check:
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "not gofmt-clean:"; echo "$$unformatted"; exit 1; fi
	@for module in $(MODULES); do (cd $$module && $(GO) vet ./...) || exit 1; done

need:
	@sh test/need.sh

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/doorward

# Never part of test: a benchmark reports, it does not judge speed. BENCH holds
# flags, such as '-only W3,W4' or '-round 200ms -rounds 1' for a glance.
bench: need build
	$(GO) build -o build/bench ./test/bench
	build/bench -binary $(BIN) $(BENCH)

# From a thousand people to a million, with their sessions and families.
bench-growth: need build
	$(GO) build -o build/bench ./test/bench
	build/bench -binary $(BIN) -growth 1000000 $(BENCH)

# Each fuzz target in turn, for FUZZTIME. FUZZ is a pattern of their names.
fuzz:
	@FUZZTIME=$(or $(FUZZTIME),10s) FUZZ='$(or $(FUZZ),.)' sh test/fuzz.sh $(MODULES)

screenshots: need build
	DOORWARD_SCREENSHOTS=$(CURDIR)/build/screenshots $(GO) test -count=1 -run '^TestScreenshots$$' ./test/browser

clean:
	rm -rf build
