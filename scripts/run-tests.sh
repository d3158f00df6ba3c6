#!/usr/bin/env bash
# Runs the tests, with further arguments for `swift test`. What failed stands at the end once more, beside the closing
# lines: in an output of thousands of lines nobody would find it.
set -euo pipefail

# Of all tests at once those that wait for sockets, timers and processes would go on only after the hundreds in virtual
# time that wait for nothing and share their threads: minutes later, and past their limits.
width=8

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
swift test --parallel --experimental-maximum-parallelization-width "$width" "$@" 2>&1 | tee "$log" || status=$?
if ((status != 0)); then
	echo
	echo "What failed (exit code $status):"
	grep -E '✘|error:|Fatal error|[Ss]anitizer' "$log" | grep -v 'Test run with' | head -60 || true
	grep 'Test run with' "$log" | tail -1 || true
fi
exit "$status"
