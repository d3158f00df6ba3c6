#!/usr/bin/env bash
# Puts the command, its manual pages, completions and systemd unit below PREFIX, or takes them away again.
#
#   scripts/install.sh check        whether there is a right to install there
#   scripts/install.sh build        the command as one file that needs no Swift and, where it can be, no libsodium
#   scripts/install.sh install      what was built, to $DESTDIR$PREFIX (default: /usr/local)
#   scripts/install.sh uninstall
#
# What it has put there it writes down in share/roamkey/installed, with checksums: a file that it did not write is never
# overwritten, and one that somebody has changed since is kept beside as NAME.old.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly scratch=.build-install
readonly binary=$scratch/roamkey
prefix=${PREFIX:-/usr/local}
destdir=${DESTDIR:-}

die() {
  echo "install: $*" >&2
  exit 1
}

[[ $prefix == /* ]] || die "PREFIX must begin with /: $prefix"
[[ -z $destdir || $destdir == /* ]] || die "DESTDIR must begin with /: $destdir"
prefix=${prefix%/}
destdir=${destdir%/}
readonly list=$prefix/share/roamkey/installed

check() {
  if mkdir -p "$destdir$prefix/share" 2>/dev/null && [[ -w $destdir$prefix && -w $destdir$prefix/share ]]; then return; fi
  die "no right to write below $destdir$prefix: type sudo make install, or make install PREFIX=\$HOME/.local"
}

# The archives stand in a folder of their own, which the linker is to ask first: so it takes them and not the shared
# libraries beside which they are installed. SwiftPM asks pkg-config for libsodium, so that is told of the folder.
# What stays shared are the C library and libgcc_s, without which that cannot end a thread.
build() {
  local archives=$PWD/$scratch/archives libdir
  libdir=$(pkg-config --variable=libdir libsodium)
  rm -rf "$archives"
  mkdir -p "$archives"
  ln -s "$(gcc -print-file-name=libstdc++.a)" "$archives/"
  if [[ -e $libdir/libsodium.a ]]; then
    ln -s "$libdir/libsodium.a" "$archives/"
    cat >"$archives/libsodium.pc" <<-END
		Name: libsodium
		Description: as an archive
		Version: $(pkg-config --modversion libsodium)
		Cflags: $(pkg-config --cflags libsodium)
		Libs: -L$archives -lsodium
	END
    export PKG_CONFIG_PATH=$archives
  else
    echo "install: there is no libsodium.a: the command needs libsodium where it runs (Debian: libsodium23)" >&2
  fi
  # What the linker says of other people's libraries is of no use to who installs.
  swift build -c release --product roamkey --static-swift-stdlib --scratch-path "$scratch" -Xswiftc "-L$archives" \
    >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    die "the build failed; its reason stands above."
  }
  cp "$scratch/release/roamkey" "$binary"
  strip --strip-debug "$binary"
}

# Everything that is installed, below a folder that stands for PREFIX.
stage() {
  local to=$1 page
  install -Dm755 "$binary" "$to/bin/roamkey"
  for page in packaging/man/*.1; do install -Dm644 "$page" "$to/share/man/man1/${page##*/}"; done
  install -d "$to/share/bash-completion/completions" "$to/share/zsh/site-functions" \
    "$to/share/fish/vendor_completions.d" "$to/lib/systemd/system" "$to/share/doc/roamkey"
  "$binary" --generate-completion-script bash >"$to/share/bash-completion/completions/roamkey"
  "$binary" --generate-completion-script zsh >"$to/share/zsh/site-functions/_roamkey"
  "$binary" --generate-completion-script fish >"$to/share/fish/vendor_completions.d/roamkey.fish"
  sed "s|@bindir@|$prefix/bin|" packaging/systemd/roamkey.service.in >"$to/lib/systemd/system/roamkey.service"
  install -m644 LICENSE README.md CHANGELOG.md "$to/share/doc/roamkey/"
  find "$to" -type f ! -path '*/bin/*' -exec chmod 644 {} +
}

checksum() { sha256sum <"$1" | cut -d' ' -f1; }

# The checksum of a path when it was installed; nothing for a path that is not ours.
recorded() {
  [[ -e $destdir$list ]] || return 0
  awk -v path="$1" 'substr($0, 67) == path { print $1 }' "$destdir$list"
}

install_all() {
  [[ -x $binary ]] || die "nothing was built yet: type make install"
  local folder path target known
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" EXIT
  stage "$folder"
  local paths=()
  while IFS= read -r path; do paths+=("${path#"$folder"}"); done < <(find "$folder" -type f | sort)
  # Before the first file is written.
  for path in "${paths[@]}"; do
    target=$destdir$prefix$path
    if [[ (-e $target || -L $target) && -z $(recorded "$prefix$path") ]]; then
      die "$target is there already and was not put there by us: move it away, or choose another PREFIX."
    fi
  done
  for path in "${paths[@]}"; do
    target=$destdir$prefix$path
    known=$(recorded "$prefix$path")
    if [[ -e $target && $known != "$(checksum "$target")" ]]; then
      mv "$target" "$target.old"
      echo "install: $target had been changed; what it was is in $target.old" >&2
    fi
    install -d "${target%/*}"
    # Beside and then in its place, so that a server that runs keeps the file that it was started from.
    cp "$folder$path" "$target.new"
    mv -f "$target.new" "$target"
  done
  install -d "$destdir${list%/*}"
  for path in "${paths[@]}"; do echo "$(checksum "$destdir$prefix$path")  $prefix$path"; done >"$destdir$list"
  echo "installed $("$destdir$prefix/bin/roamkey" --version) below $destdir$prefix; make uninstall takes it away again"
}

uninstall_all() {
  [[ -e $destdir$list ]] || die "nothing of ours is below $destdir$prefix: there is no $destdir$list."
  local sum path target
  while read -r sum path; do
    target=$destdir$path
    [[ -e $target ]] || continue
    if [[ $sum == "$(checksum "$target")" ]]; then
      rm "$target"
    else
      echo "install: $target had been changed, and was left where it is" >&2
    fi
  done <"$destdir$list"
  rm "$destdir$list"
  rmdir "$destdir$prefix/share/roamkey" "$destdir$prefix/share/doc/roamkey" 2>/dev/null || true
}

case ${1:-} in
  check) check ;;
  build) build ;;
  install) install_all ;;
  uninstall) uninstall_all ;;
  *) die "say check, build, install or uninstall." ;;
esac
