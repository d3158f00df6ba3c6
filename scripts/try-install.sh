#!/usr/bin/env bash
# Installs into a folder, looks at everything that it finds there, and runs a server and a client in a root that holds the
# command and the shared libraries that it names: no Swift, no shell, nothing else. Then takes it all away again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT

die() {
  echo "try-install: $*" >&2
  exit 1
}
ok() { echo "  ok: $*"; }

export DESTDIR=$folder/stage PREFIX=/opt/roamkey
there=$DESTDIR$PREFIX
install() { scripts/install.sh "$@" >>"$folder/log" 2>&1; }

echo "install into an empty folder"
install install || die "$(cat "$folder/log")"
for path in bin/roamkey share/man/man1/roamkey.1 share/man/man1/roamkey-serve.1 share/zsh/site-functions/_roamkey \
  share/bash-completion/completions/roamkey share/fish/vendor_completions.d/roamkey.fish \
  lib/systemd/system/roamkey.service share/doc/roamkey/LICENSE; do
  [[ -s $there/$path ]] || die "$path is missing"
done
ok "$(find "$there" -type f | wc -l) files"

echo "what is there is sound"
bash -c "source '$there/share/bash-completion/completions/roamkey' && complete -p roamkey" >"$folder/complete" ||
  die "bash does not take the completions"
ok "bash: $(<"$folder/complete")"
for shell in zsh fish; do
  if ! command -v "$shell" >/dev/null; then continue; fi
  file=$(find "$there" -path "*$shell*" -type f)
  "$shell" -n "$file" || die "$shell does not take the completions"
  ok "$shell"
done
if command -v groff >/dev/null; then
  for page in "$there"/share/man/man1/*.1; do
    [[ -z $(groff -man -ww -z -Tutf8 "$page" 2>&1) ]] || die "groff finds fault with $page"
  done
  ok "manual pages"
fi
if command -v systemd-analyze >/dev/null; then
  # It looks for the command where the unit says.
  sed "s|$PREFIX/bin|$there/bin|" "$there/lib/systemd/system/roamkey.service" >"$folder/roamkey.service"
  faults=$(systemd-analyze verify --man=no "$folder/roamkey.service" 2>&1 | grep -F roamkey.service || true)
  [[ -z $faults ]] || die "$faults"
  ok "the unit; $(systemd-analyze security --offline=true "$folder/roamkey.service" 2>/dev/null | tail -1 | sed 's/^[^O]*//')"
fi

echo "twice, changed, and somebody else's"
unit=$there/lib/systemd/system/roamkey.service
install install || die "the second time: $(tail -1 "$folder/log")"
echo "# mine" >>"$unit"
echo other >"$unit.new"
install install || die "$(tail -1 "$folder/log")"
echo "# mine too" >>"$unit"
install install || die "$(tail -1 "$folder/log")"
[[ $(tail -1 "$unit.old") == "# mine too" && $(tail -1 "$unit.old.~1~") == "# mine" ]] ||
  die "a changed file was not kept"
[[ $(<"$unit.new") == other ]] || die "another's file was written over"
ok "a changed file is kept as .old, and an earlier one as .old.~1~"
install uninstall || die "$(tail -1 "$folder/log")"
[[ $(find "$there" -type f | wc -l) == 3 ]] || die "left behind: $(find "$there" -type f)"
rm -r "$there"
mkdir -p "$there/share/man/man1"
echo other >"$there/share/man/man1/roamkey.1"
if install install; then die "it has overwritten a file that is not its own"; fi
[[ $(find "$there" -type f | wc -l) == 1 ]] || die "it has begun to install although it refused"
ok "another's file is not overwritten: $(tail -1 "$folder/log" | cut -c1-60)..."
rm -r "$there"

echo "for everybody, whatever the umask"
(umask 077 && install install) || die "$(tail -1 "$folder/log")"
[[ -z $(find "$there" ! -perm -o=r -o -type d ! -perm -o=x) ]] ||
  die "not for everybody: $(find "$there" ! -perm -o=r -o -type d ! -perm -o=x)"
[[ $(stat -c %a "$there/bin/roamkey") == 755 ]] || die "the command cannot be run"
ok "mode $(stat -c %a "$there/bin/roamkey")"

# Installs with a cp that stops it at the call of that number.
mkdir "$folder/shims"
cat >"$folder/shims/cp" <<'END'
#!/bin/bash
left=$(<"$CALLS")
echo $((left - 1)) >"$CALLS"
if ((left > 0)); then exec "$COPY" "$@"; fi
kill -TERM "$PPID"
END
chmod +x "$folder/shims/cp"
interrupted() {
  echo "$1" >"$folder/calls"
  # Bash would tell of the signal.
  if { CALLS=$folder/calls COPY=$(command -v cp) PATH=$folder/shims:$PATH install install; } 2>/dev/null; then
    die "it was not interrupted at $1"
  fi
}
# As if an earlier version had installed it: another command, and a page that there is no more.
age() {
  local list=$there/share/roamkey/installed
  echo earlier | tee "$there/bin/roamkey" >"$there/share/man/man1/roamkey-earlier.1"
  sed -i '\|/bin/roamkey$|d' "$list"
  for path in bin/roamkey share/man/man1/roamkey-earlier.1; do
    echo "$(sha256sum <"$there/$path" | cut -d' ' -f1)  $PREFIX/$path" >>"$list"
  done
}
# Nothing beside the files of the version: no copy of ours taken for somebody's, nothing half done.
files() { (cd "$there" && find . -type f | sort); }

echo "interrupted"
expected=$(files)
for calls in 0 1 2 3 9; do
  install uninstall || die "$(tail -1 "$folder/log")"
  interrupted "$calls"
  install install || die "after an interruption: $(tail -1 "$folder/log")"
  [[ $(files) == "$expected" ]] || die "begun again after $calls: $(diff <(files) - <<<"$expected")"
  age
  interrupted "$calls"
  install install || die "after an interruption: $(tail -1 "$folder/log")"
  [[ $(files) == "$expected" ]] || die "upgraded after $calls: $(diff <(files) - <<<"$expected")"
  age
  interrupted "$calls"
  install uninstall || die "after an interruption: $(tail -1 "$folder/log")"
  [[ -z $(files) ]] || die "left behind after $calls: $(files)"
  install install
done
ok "begun again, and taken away, a new one and an upgrade"

if [[ $(id -u) == 0 ]]; then
  echo "under sudo"
  built=.build-install/roamkey
  touch -r "$built" "$folder/time"
  SUDO_UID=1000 install check || die "what was built is not taken: $(tail -1 "$folder/log")"
  touch -d 2000-01-01 "$built"
  if SUDO_UID=1000 install check; then die "it would be built as root"; fi
  touch -r "$folder/time" "$built"
  ok "$(tail -1 "$folder/log")"
fi

echo "a server and a client with nothing but the libraries that the command names"
root=$folder/root
mkdir -p "$root/bin" "$root/proc"
cp "$there/bin/roamkey" "$root/bin/"
while read -r library; do
  mkdir -p "$root${library%/*}"
  cp -L "$library" "$root$library"
done < <(ldd "$there/bin/roamkey" | grep -o '/[^ ]*')
[[ -z $(find "$root" -name '*swift*') ]] || die "it needs Swift's own libraries"
ok "$(cd "$root" && find . -type f | sort | tr '\n' ' ')"
# Swift's runtime reads the arguments from /proc, which every machine has. What is mounted goes with the process.
# shellcheck disable=SC2016
inside=(unshare --mount bash -c 'mount --rbind /proc "$0/proc" && exec chroot "$0" /bin/roamkey "$@"' "$root")
if [[ $(id -u) != 0 ]]; then inside=("${inside[0]}" --user --map-root-user "${inside[@]:1}"); fi
if ! "${inside[@]}" --version >"$folder/version" 2>&1; then
  [[ $(id -u) != 0 ]] || die "it does not run: $(cat "$folder/version")"
  echo "  left out: this needs root, or user namespaces ($(tail -1 "$folder/version"))"
  exit 0
fi
[[ $(<"$folder/version") == "roamkey "* ]] || die "it says of its version: $(head -1 "$folder/version")"
ok "$(<"$folder/version")"

# Until a line of a file has what was asked for.
wait_for() {
  local file=$1 text=$2 tries
  for ((tries = 0; tries < 600; tries++)); do
    if grep -q "$text" "$file" 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  die "waited in vain for $text: $(cat "$folder"/*.err)"
}

"${inside[@]}" serve --echo --json --listen 127.0.0.1:0 >"$folder/serve" 2>"$folder/serve.err" &
pids+=($!)
wait_for "$folder/serve" '"listening"'
address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$folder/serve" | head -1)
id=$(sed -n 's/.*"server":"\([^"]*\)".*/\1/p' "$folder/serve" | head -1)
mkfifo "$folder/input"
"${inside[@]}" connect "$address" --server "$id" --json \
  <"$folder/input" >"$folder/connect" 2>"$folder/connect.err" &
client=$!
pids+=("$client")
exec 3>"$folder/input"
echo "hello from a bare root" >&3
wait_for "$folder/connect" '"text":"hello from a bare root"'
exec 3>&-
wait "$client" || die "the client has failed: $(cat "$folder/connect.err")"
kill -TERM "${pids[0]}"
wait "${pids[0]}" || die "the server has failed: $(cat "$folder/serve.err")"
ok "a line went there and back"

echo "uninstall"
install uninstall || die "$(tail -1 "$folder/log")"
[[ -z $(find "$there" -type f) ]] || die "left behind: $(find "$there" -type f)"
ok "nothing is left"
