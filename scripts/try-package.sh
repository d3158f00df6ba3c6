#!/usr/bin/env bash
# Somebody else's package: depends on this one by version, is made of the listings of README and guide, builds, passes
# its tests, and lets each server of the listings talk with the client that follows it.
#
# The version is a tag on a clone of what was committed last; nothing here is tagged. A listing that begins with an
# import is taken. One with statements at its top level is a program; all others together are one module with its tests.
set -euo pipefail
script=$(realpath "${BASH_SOURCE[0]}")
cd "${script%/*}/.."

pids=()
folder=
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  if [[ -n $folder ]]; then rm -rf "$folder"; fi
}
trap finish EXIT

die() {
  echo "try-package: $*" >&2
  exit 1
}
ok() { echo "  ok: $*"; }

# run_pairs PROGRAM...: each client with the server before it, which stays for those that only look for servers.
run_pairs() {
  local name server='' client=''
  ip link set lo up 2>/dev/null || true
  local id
  id=$(.build/debug/Keys)
  for name in "$@"; do
    [[ -z $client ]] || kill "$client" 2>/dev/null || true
    if [[ $name == Server* ]]; then
      [[ -z $server ]] || { kill "$server" && wait "$server" || true; } 2>/dev/null
      stdbuf -oL .build/debug/"$name" >"$name.out" 2>"$name.err" &
      server=$!
      pids+=("$server")
      continue
    fi
    # Line by line, since they are ended from outside. Who asks is answered: a name, and two lines.
    printf 'Ben\nhello\nbye\n' | stdbuf -oL .build/debug/"$name" "$id" >"$name.out" 2>"$name.err" &
    client=$!
    pids+=("$client")
    for ((tries = 0; tries < 300; tries++)); do
      if ! kill -0 "$client" 2>/dev/null; then break; fi
      if [[ -s $name.out ]] && ! grep -q readLine "Sources/$name/main.swift"; then break; fi
      sleep 0.1
    done
    # One that still runs has been told something; one that has ended must have ended well.
    if ! kill -0 "$client" 2>/dev/null; then
      wait "$client" || die "$name has failed: $(head -5 "$name.err")"
    fi
    [[ -s $name.out ]] || die "$name has heard nothing: $(head -5 ./*.err)"
    ok "$name: $(tail -1 "$name.out")"
  done
}

if [[ ${1:-} == --pairs ]]; then
  shift
  cd "$1"
  shift
  run_pairs "$@"
  exit
fi

folder=$(mktemp -d)
version=$(sed -n 's/.*text = "\(.*\)"/\1/p' Sources/RoamkeyCLI/Support/Version.swift)
[[ -z $(git status --porcelain) ]] || echo "try-package: what is not committed is not tried" >&2
git clone -q . "$folder/roamkey"
git -C "$folder/roamkey" tag -f "$version" >/dev/null

package=$folder/game
mkdir -p "$package/Sources/Keys" "$package/Tests/GuideTests"

# listings FILE PREFIX: each listing as PREFIX-NUMBER.swift.
listings() {
  awk -v prefix="$2" '
    /^```/ { if (inside) { inside = 0; close(file) } else { inside = 1; first = 1; file = "" }
             is_swift = ($0 == "```swift"); next }
    inside && first { first = 0; if (is_swift && /^import /) { number++; file = prefix "-" number ".swift" } }
    inside && is_swift && file != "" { print > file }
  ' "$1"
}
mkdir "$folder/listings"
listings README.md "$folder/listings/README"
listings docs/GUIDE.md "$folder/listings/GUIDE"

echo "the listings"
programs=()
seekers=()
targets=""
while IFS= read -r listing; do
  name=$(basename "$listing" .swift)
  # The examples' own are built there.
  if grep -q '^import Planets' "$listing"; then continue; fi
  if ! grep -qE '^(for|while|try|await|do|(let|var) .*try await) ' "$listing"; then
    cp "$listing" "$package/Tests/GuideTests/$name.swift"
    continue
  fi
  role=Client
  if grep -q 'await Server(' "$listing"; then role=Server; fi
  if grep -q 'Client\.servers(' "$listing"; then role=Seeker; fi
  name=$role${name//-/}
  mkdir "$package/Sources/$name"
  # What a reader fills in: the server's host and id.
  sed -e 's/"host:/"localhost:/; s/"rk1\.\.\."/CommandLine.arguments[1]/' "$listing" \
    >"$package/Sources/$name/main.swift"
  targets+="    .executableTarget(name: \"$name\", dependencies: [roamkey]),"$'\n'
  if [[ $role == Seeker ]]; then seekers+=("$name"); else programs+=("$name"); fi
done < <(find "$folder/listings" -type f | sort -V)
ok "programs: ${programs[*]}; others: $(find "$package/Tests" -type f | wc -l)"
# The last server is README's, and so is the application that the guide looks for.
programs+=("${seekers[@]}")
((${#programs[@]} >= 2)) || die "README has no server and no client any more"

cat >"$package/Package.swift" <<END
// swift-tools-version: 6.0
import PackageDescription

let roamkey = Target.Dependency.product(name: "Roamkey", package: "roamkey")

let package = Package(
  name: "game",
  dependencies: [.package(url: "file://$folder/roamkey", from: "$version")],
  targets: [
    .executableTarget(name: "Keys", dependencies: [roamkey]),
$targets
    .testTarget(
      name: "GuideTests",
      dependencies: [
        roamkey, .product(name: "RoamkeySimulator", package: "roamkey"),
        .product(name: "RoamkeyState", package: "roamkey"),
        .product(name: "RoamkeyMetrics", package: "roamkey"),
      ]),
  ])
END
cat >"$package/Sources/Keys/main.swift" <<'END'
import Roamkey

// What `roamkey keygen` does, with the library alone.
for path in ["keys/server.pem", "keys/me.pem"] { try PlayerKey.generate().save(to: path) }
print(try PlayerKey.load("keys/server.pem").id)
END
cat >"$package/Tests/GuideTests/Metrics.swift" <<'END'
import Roamkey
import RoamkeyMetrics

/// The line that the guide gives for a metrics backend.
func report(_ server: Server) async { await MetricsReporter(server: server).run() }
END

echo "a package that depends on version $version"
cd "$package"
swift build --build-tests >"$folder/log" 2>&1 || {
  grep -E 'error' "$folder/log" | head -20 >&2
  die "it does not build; the last lines: $(tail -5 "$folder/log")"
}
grep -q "\"version\" : \"$version\"" Package.resolved || die "another version was taken: $(cat Package.resolved)"
ok "it builds, with version $version"
swift test --skip-build >"$folder/log" 2>&1 || die "its tests fail: $(grep -E '✘|error' "$folder/log" | head -20)"
ok "$(grep -o 'Test run with.*passed' "$folder/log" | tail -1)"

echo "its programs, one with the other"
# In a network of their own where there can be one: the listings listen on the usual port.
for alone in "unshare --user --map-root-user --net" "unshare --net" ""; do
  # shellcheck disable=SC2086
  if [[ -z $alone ]] || $alone true 2>/dev/null; then break; fi
done
# shellcheck disable=SC2086
$alone bash "$script" --pairs "$package" "${programs[@]}"
