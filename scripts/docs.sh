#!/usr/bin/env bash
# The public modules as pages: .build/docs/<module>, with further arguments for `swift build`. Fails where DocC warns, so that no link leads nowhere.
#
# Not by a plugin: that would be a package that everybody who builds Roamkey fetches (docs/decisions/0001).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly out=.build/docs
# What an app has with one `import Roamkey` (Sources/Roamkey/Exports.swift).
readonly exported=RoamkeyCBOR,RoamkeyCrypto,RoamkeyEngine,RoamkeyUDP,RoamkeyWire

for tool in swift-symbolgraph-extract docc; do
	command -v "$tool" >/dev/null || { echo "docs: there is no $tool: it comes with the Swift toolchain" >&2; exit 1; }
done

for target in RoamkeyMetrics RoamkeySimulator RoamkeyState RoamkeyTerminal; do swift build --quiet --target "$target" "$@"; done
products=$(swift build --show-bin-path "$@")
triple=$(swift -print-target-info | sed -n 's/^ *"triple": "\(.*\)",/\1/p' | head -n 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failed=
for module in Roamkey RoamkeySimulator RoamkeyMetrics RoamkeyState RoamkeyTerminal; do
	mkdir -p "$scratch/$module"
	swift-symbolgraph-extract -module-name "$module" -target "$triple" -minimum-access-level public \
		-skip-synthesized-members -experimental-allowed-reexported-modules="$exported" \
		-I "$products/Modules" -I Sources/RoamkeySodium -I Sources/RoamkeySockets -output-dir "$scratch/$module"
	rm -rf "${out:?}/$module"
	mkdir -p "$out"
	if ! docc convert "docs/DocC/$module.docc" --additional-symbol-graph-dir "$scratch/$module" \
		--fallback-display-name "$module" --fallback-bundle-identifier "roamkey.$module" --warnings-as-errors \
		--output-dir "$out/$module" >"$scratch/$module.txt" 2>&1; then
		cat "$scratch/$module.txt" >&2
		failed=1
	fi
done
[[ -z $failed ]] || exit 1

cat <<END
The pages are in $out. To look at them:
  python3 -m http.server --directory $out/Roamkey 8000   # then http://localhost:8000/documentation/roamkey/
END
