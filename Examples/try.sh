#!/usr/bin/env bash
# Builds the examples, and lets bots play a game for three seconds.
set -euo pipefail
cd "$(dirname "$0")"

swift build
products=$PWD/$(realpath --relative-to=. "$(swift build --show-bin-path)")
scratch=$(mktemp -d)
trap 'kill "${game:-}" 2>/dev/null || true; rm -rf "$scratch"' EXIT
cd "$scratch"

"$products/Game" host Ada --seconds 8 </dev/null >game.txt &
game=$!
sleep 1
bots=$("$products/Bot" localhost --count 12 --seconds 3)
echo "$bots"
wait "$game" || true
cat game.txt
[[ $bots == "12 bots: closed" ]]
grep -q 'coins in [1-9]' game.txt
