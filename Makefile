# Roamkey: everything a person or a machine does with this tree. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# Where Swift lands when it is not on the path: an unpacked toolchain, or swiftly.
export PATH := $(PATH):/opt/swift/usr/bin:$(HOME)/.swiftly/bin:$(HOME)/.local/share/swiftly/bin

# What is in the format. Benchmarks and examples are packages of their own, with a build folder of their own inside.
FORMATTED := $(foreach package,. Benchmarks,$(addprefix $(package)/,Package.swift Sources Tests)) Measurements \
	$(addprefix Examples/,Package.swift Sources Tests)

.PHONY: help setup setup-tests setup-interop setup-net demo test test-net interop check lint build release release-static \
	format sanitize sanitize-some sanitize-address sanitize-thread soak soak-roaming setup-bench bench bench-plot bench-lossy bench-bulk bench-cuts \
	fuzz fuzz-minimise bench-stalled bench-flood bench-state bench-micro bench-growth bench-ahead bench-test setup-counts counts \
	counts-renew clean \
	install uninstall try-install try-package manual

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## install what a build needs (done by every other target; silent when nothing is missing)
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh --tests

setup-interop:
	@scripts/setup.sh --interop

setup-net:
	@scripts/setup.sh --net

setup-bench:
	@scripts/setup.sh --bench

setup-counts:
	@scripts/setup.sh --counts

demo: setup ## build, then watch a server and players that change addresses
	@swift build -c release --product roamkey
	@.build/release/roamkey demo

# The tests over real networks and those of the examples come first, so that the Swift runner's closing lines end the output.
test: setup-tests ## all tests; ROAMKEY_NO_NET=1 leaves out those over real networks
	@swift build --build-tests
	@[[ -n "$${ROAMKEY_NO_NET:-}" ]] || $(MAKE) test-net
	@$(MAKE) test-play
	@scripts/run-tests.sh --package-path Examples
	@scripts/run-tests.sh

test-net: setup-net ## roaming over real networks, two minutes, as root; ARGS="--list" lists the stories
	@swift build --product roamkey
	@swift build --package-path Examples --product planets
	@if command -v python3 >/dev/null; then \
		python3 Tests/Network/selftest.py && python3 Tests/Network/run.py $(ARGS); \
	else \
		echo "test-net: the tests over real networks are left out: there is no python3"; \
	fi

.PHONY: play test-play pictures

play: setup ## play Planets, alone or with others on this network; ARGS="solo --bots 3" goes without the menu
	@swift build -c release --package-path Examples --product planets
	@Examples/.build/release/planets $(ARGS)

test-play: setup ## the same game on terminals, played by a script to the end (a minute)
	@swift build --package-path Examples --product planets
	@if command -v python3 >/dev/null; then \
		python3 -B Tests/Terminal/planets_test.py Examples/.build/debug/planets; \
	else \
		echo "test-play: the game on a terminal is left out: there is no python3"; \
	fi

pictures: setup ## draw docs/planets.svg and docs/demo.svg anew
	@swift build --package-path Examples --product ScreenPicture
	@Examples/.build/debug/ScreenPicture game >docs/planets.svg
	@swift build -c release --product roamkey
	@.build/release/roamkey demo --fast | Examples/.build/debug/ScreenPicture text "roamkey demo" >docs/demo.svg

interop: setup-interop ## a client in Python, written from docs/PROTOCOL.md alone, against the real command
	@swift build --product roamkey
	@$$(scripts/setup.sh --which-python) Tests/Interop/interop_test.py
	@$$(scripts/setup.sh --which-python) Tests/Interop/state_reader.py
	@$$(scripts/setup.sh --which-python) Tests/Interop/evidence_reader.py

# SwiftPM hands `-warnings-as-errors` to our own targets only; packages from elsewhere keep `-suppress-warnings`.
# The flag changes every compile command, so it has a build folder of its own.
check: lint setup-tests ## what every commit passes: format, warnings as errors, all tests, documentation, counts, sanitizers
	@scripts/run-tests.sh --scratch-path .build-check -Xswiftc -warnings-as-errors
	@scripts/docs.sh --scratch-path .build-check -Xswiftc -warnings-as-errors >/dev/null
	@$(MAKE) counts ARGS=--quiet
	@$(MAKE) sanitize

.PHONY: docs examples

docs: setup ## pages of the public modules, in .build/docs; fails where a link leads nowhere
	@scripts/docs.sh

examples: setup ## build a chat, a game and bots (Examples/README.md), and let bots play a moment
	@Examples/try.sh

lint: setup ## the format, without changing anything
	@swift format lint --strict --parallel -r $(FORMATTED)

build: setup ## debug build
	@swift build

release: setup ## optimised build; the command is .build/release/roamkey
	@swift build -c release --product roamkey

# The command that is installed needs no Swift where it runs; it has a build folder of its own.
release-static: setup ## build the command as `make install` takes it
	@scripts/install.sh build

install: export PREFIX := $(or $(PREFIX),/usr/local)
install: export DESTDIR := $(DESTDIR)
install: ## the command, manual pages, completions and systemd unit; PREFIX=/usr/local, DESTDIR=
	@scripts/install.sh check
	@scripts/install.sh built || $(MAKE) release-static
	@scripts/install.sh install

uninstall: export PREFIX := $(or $(PREFIX),/usr/local)
uninstall: export DESTDIR := $(DESTDIR)
uninstall: ## take away what `make install` has put there, with the same PREFIX and DESTDIR
	@scripts/install.sh uninstall

try-install: setup ## install into a folder, and run a server and a client in a root without Swift
	@scripts/install.sh built || scripts/install.sh build
	@scripts/try-install.sh

try-package: setup ## build a second package against a tagged clone of this one, from the listings of README and guide
	@scripts/try-package.sh

manual: setup ## write packaging/man anew, after a change of the command's options (needs Python 3)
	@swift build --product roamkey
	@scripts/manual.py .build/debug/roamkey

format: setup ## bring every Swift file into the format
	@swift format -i --parallel -r $(FORMATTED)

# Counts, not seconds: the same on a busy machine. In an optimised build, since an unoptimised one allocates elsewhere.
counts: setup-counts ## allocations and instructions of the hot path against their budgets (a minute); ARGS=--quiet: faults only
	@swift build -c release --product roamkey-measure
	@.build/release/roamkey-measure counts $(ARGS)

counts-renew: setup-counts ## take what the hot path needs now as its budget: Measurements/instructions.txt
	@swift build -c release --product roamkey-measure
	@.build/release/roamkey-measure counts --renew

# A part that takes less time: what reads strangers' bytes, and engines that are lied to, under the address sanitizer; what
# has threads, under the thread sanitizer.
sanitize-some: export ADDRESS_TESTS := ^(FuzzTests|RoamkeyWireTests|RoamkeyCryptoTests|RoamkeyCBORTests|RoamkeyStateTests)\.
sanitize-some: export THREAD_TESTS := ^(RoamkeyUDPTests|RoamkeyTests)\.
sanitize-some: sanitize ## a part of them, in less time

sanitize: sanitize-address sanitize-thread ## all tests under the address sanitizer, then the thread sanitizer

sanitize-address: setup-tests
	@# Leaks are not looked for: XCTest and Foundation's Process leak a few bytes of their own.
	@ASAN_OPTIONS=detect_leaks=0 scripts/run-tests.sh --sanitize=address --scratch-path .build-asan \
		--filter "$${ADDRESS_TESTS:-.}"

sanitize-thread: setup-tests
	@scripts/run-tests.sh --sanitize=thread --scratch-path .build-tsan --filter "$${THREAD_TESTS:-.}"

bench: setup-bench ## Roamkey beside raw UDP, ENet and DTLS, six minutes; ARGS="--rows A,C --runs 1" for less
	@swift run -c release --package-path Benchmarks roamkey-benchmarks compare $(ARGS)

bench-plot: setup-bench ## what a message costs by sessions and by size, drawn into docs/performance.svg (three minutes)
	@swift run -c release --package-path Benchmarks roamkey-benchmarks scale --svg docs/performance.svg $(ARGS)

bench-lossy: setup-bench ## small messages over a bad network, beside ENet; ARGS="--runs 5" gives medians (a minute a run)
	@swift run -c release --package-path Benchmarks roamkey-benchmarks lossy $(ARGS)

bench-bulk: setup-bench ## a large transfer beside a game's state, over a bad network; ARGS="--help" lists options
	@swift run -c release --package-path Benchmarks roamkey-benchmarks bulk $(ARGS)

bench-cuts: setup-bench ## ten minutes in which the network is cut for a minute, again and again: nothing is lost
	@swift run -c release --package-path Benchmarks roamkey-benchmarks cuts $(ARGS)

bench-stalled: setup-bench ## a reader that stands still, in a process of its own: the memory of both (a minute)
	@swift run -c release --package-path Benchmarks roamkey-benchmarks stalled $(ARGS)

bench-flood: setup-bench ## players on a server under 50,000 forged datagrams a second from 10,000 addresses (80 s)
	@swift run -c release --package-path Benchmarks roamkey-benchmarks flood $(ARGS)

bench-state: setup-bench ## what replicated state costs, beside whole states and zstd; ARGS="--help" lists options
	@swift run -c release --package-path Benchmarks roamkey-benchmarks state $(ARGS)

bench-micro: setup ## nanoseconds of the parts of a packet's way, beside bare calls; ARGS="--runs 51 seal open" for some of them
	@swift build -c release --product roamkey-measure
	@.build/release/roamkey-measure micro $(ARGS)

bench-growth: setup ## what a server's datagram costs in memory, with 10 to 10,000 sessions (half a minute)
	@swift build -c release --product roamkey-measure
	@.build/release/roamkey-measure growth

bench-ahead: setup ## what idle threads of a server do for a busy one (half a minute)
	@swift build -c release --product roamkey-measure
	@.build/release/roamkey-measure ahead

bench-test: setup-bench ## the tests of the benchmarks themselves
	@swift test --package-path Benchmarks

soak: setup-tests ## 100,000 random worlds (hours on a small machine); WORLDS=5000 SEED=1 for fewer, or one again
	@ROAMKEY_WORLDS=$(or $(WORLDS),100000) $(if $(SEED),ROAMKEY_SEED=$(SEED)) swift test -c release \
		-Xswiftc -enable-testing --scratch-path .build-soak --filter RandomWorldTests

soak-roaming: setup-tests ## 10,000 moves of players and servers in random worlds (minutes); MOVES=40 SEED=1 for one world again
	@ROAMKEY_MOVES=$(or $(MOVES),10000) $(if $(SEED),ROAMKEY_SEED=$(SEED)) swift test -c release \
		-Xswiftc -enable-testing --scratch-path .build-soak --filter RandomRoamingTests

fuzz: setup ## fuzzing with coverage, MINUTES=1 for each target in turn; TARGET=peer for one, WORKERS=2
	@scripts/fuzz.sh run $(or $(MINUTES),1) $(TARGET)

fuzz-minimise: setup ## take what fuzzing has found worth keeping into Tests/Fuzz/Corpora; TARGET=peer for one
	@scripts/fuzz.sh minimise $(TARGET)

clean: ## remove every build folder (keys stay)
	@rm -rf .build .build-* Benchmarks/.build Examples/.build
