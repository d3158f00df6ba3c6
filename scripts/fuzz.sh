#!/usr/bin/env bash
# Fuzzing with coverage (docs/decisions/0033-fuzzing.md), by libFuzzer, which comes with the Swift toolchain.
#
#   fuzz.sh run MINUTES [TARGET ...]    each target for so many minutes, in turn; all of them where none is named
#   fuzz.sh one TARGET FILE             one input, with the reason where it is a fault
#   fuzz.sh minimise [TARGET ...]       what was found worth keeping, into Tests/Fuzz/Corpora
#   fuzz.sh table                       what was run so far
#   fuzz.sh targets                     their names
#
# WORKERS=2 processes at a time; SANITIZER=address also looks for what libFuzzer alone does not see, at half the speed.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly workers=${WORKERS:-2}
readonly sanitizer=${SANITIZER:-}
readonly build=.build-fuzz${sanitizer:+-$sanitizer}
# What was found lives on between runs, whatever it was built with.
readonly work=.build-fuzz/work
readonly kept=Tests/Fuzz/Corpora
readonly binary=$build/roamkey-fuzz
readonly record=$work/runs.tsv
# An input that needs longer than that, in seconds, is a fault; so is one that takes more memory, in MiB.
readonly timeout=10 memory=1024

# Swift's own report of a crash would come before libFuzzer's, which keeps the input.
export SWIFT_BACKTRACE=enable=no

make_binary() {
	local flags=()
	[[ -z $sanitizer ]] || flags=(-Xswiftc "-sanitize=fuzzer,$sanitizer")
	ROAMKEY_FUZZ=1 swift build -c release --sanitize=fuzzer --scratch-path "$build" --product FuzzBinary "${flags[@]}"
	swiftc -sanitize="fuzzer${sanitizer:+,$sanitizer}" -parse-as-library "$build/release/libFuzzBinary.a" \
		$(pkg-config --libs libsodium) -o "$binary.new"
	mv "$binary.new" "$binary"
}

targets() { "$binary" 2>/dev/null | sed -n 's/^targets: //p'; }

# target, then libFuzzer's arguments
fuzz() {
	local target=$1
	shift
	ROAMKEY_FUZZ_TARGET=$target "$binary" -timeout="$timeout" -rss_limit_mb="$memory" -len_control=0 "$@"
}

longest() { "$binary" 2>/dev/null | sed -n "s/^longest $1 //p"; }

run() {
	local minutes=$1 target failed=
	shift
	(($#)) || set -- $(targets)
	# One worker is libFuzzer itself, more are its children.
	local fork=()
	((workers < 2)) || fork=("-fork=$workers" -ignore_crashes=0)
	for target; do
		mkdir -p "$work/$target" "$work/findings/$target" "$kept/$target"
		local log=$work/$target.log before after
		children_time
		before=$(<"$work/seconds")
		local status=0
		fuzz "$target" "$work/$target" "$kept/$target" -max_len="$(longest "$target")" \
			-max_total_time=$((minutes * 60)) -print_final_stats=1 "${fork[@]}" \
			-artifact_prefix="$work/findings/$target/" >"$log" 2>&1 || status=$?
		children_time
		after=$(<"$work/seconds")
		note "$target" $((after - before)) "$log"
		if ((status != 0)); then
			failed=1
			echo "$target: a fault (exit code $status), see $log; inputs are in $work/findings/$target" >&2
		fi
	done
	[[ -z $failed ]]
}

# Seconds of processor time that ended children have used; by way of a file, since a subshell has other children.
children_time() {
	times >"$work/times"
	awk 'NR == 2 { split($1, u, "[ms]"); split($2, s, "[ms]"); print int(u[1] * 60 + u[2] + s[1] * 60 + s[2]) }' \
		"$work/times" >"$work/seconds"
}

# One line a run: target, processor seconds, executions, edges.
note() {
	local line executions edges
	line=$(grep -E '^#[0-9]+' "$3" | tail -1)
	executions=$(sed -n 's/^#\([0-9]*\).*/\1/p' <<<"$line")
	edges=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' <<<"$line")
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "${executions:-0}" "${edges:-0}" >>"$record"
	echo "$1: ${executions:-0} executions, ${edges:-0} edges, $2 s of processor time"
}

table() {
	awk -F '\t' '{ seconds[$1] += $2; runs[$1] += $3; if ($4 > edges[$1]) edges[$1] = $4 }
		END { for (t in runs) printf "| `%s` | %d | %d | %d | %.1f |\n", t, runs[t],
			runs[t] / (seconds[t] ? seconds[t] : 1), edges[t], seconds[t] / 60 }' "$record" | sort
}

# By edges alone, not by how often each was taken: some tens of inputs a target, so that the tests replay them in
# seconds.
minimise() {
	local target
	(($#)) || set -- $(targets)
	for target; do
		local fresh=$work/minimal/$target
		rm -rf "$fresh"
		mkdir -p "$fresh" "$work/$target" "$kept/$target"
		fuzz "$target" -set_cover_merge=1 -use_counters=0 -max_len="$(longest "$target")" \
			"$fresh" "$kept/$target" "$work/$target" >"$work/$target.merge.log" 2>&1
		rm -rf "${kept:?}/$target"
		mv "$fresh" "$kept/$target"
		echo "$target: $(find "$kept/$target" -type f | wc -l) inputs, $(du -sb "$kept/$target" | cut -f 1) bytes"
	done
}

one() {
	[[ -f ${2:-} ]] || { echo "fuzz: there is no file ${2:-}" >&2; exit 2; }
	fuzz "$1" "$2"
}

case ${1:-} in
	run | minimise | one) make_binary ;;
esac
mkdir -p "$work"
case ${1:-} in
	run) run "${@:2}" ;;
	one) one "${@:2}" ;;
	minimise) minimise "${@:2}" ;;
	table) table ;;
	targets) targets ;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
		exit 2
		;;
esac
