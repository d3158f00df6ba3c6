#!/usr/bin/env bash
# Puts the command, its manual pages, completions and systemd unit below PREFIX, or takes them away again.
#
#   scripts/install.sh check        whether it can be installed there, and under sudo, whether it was built
#   scripts/install.sh built        whether what was built is newer than all that it is made of
#   scripts/install.sh build        the command as one file that needs no Swift and, where it can be, no libsodium
#   scripts/install.sh install      what was built, to $DESTDIR$PREFIX (default: /usr/local)
#   scripts/install.sh uninstall
#
# What it puts there it writes down in share/roamkey/installed, with checksums, before it does: so wherever it is
# interrupted, it can be begun again, or taken away. A file that it did not write is never overwritten, and one that
# somebody has changed since is kept beside as NAME.old (an earlier one as NAME.old.~1~).
set -euo pipefail
# What is installed is for everybody, whatever the umask of who installs it.
umask 022
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

# Under sudo nothing is built: root may have no Swift on its path, and would own files in somebody's tree.
check() {
  if ! mkdir -p "$destdir$prefix/share" 2>/dev/null || [[ ! -w $destdir$prefix || ! -w $destdir$prefix/share ]]; then
    die "no right to write below $destdir$prefix: type make release-static && sudo make install," \
      "or make install PREFIX=\$HOME/.local"
  fi
  if [[ -n ${SUDO_UID:-} && $SUDO_UID != 0 ]] && ! built; then
    die "nothing was built yet, or the sources are newer: type make release-static first, as yourself," \
      "and then sudo make install"
  fi
}

# Folders are looked at as well: a file that was taken away made its folder newer.
built() { [[ -x $binary && -z $(find Package.swift Sources scripts/install.sh -newer "$binary" -print -quit) ]]; }

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

# The paths of the list; none where there is none.
recorded_paths() {
  if [[ -e $destdir$list ]]; then cut -c67- "$destdir$list" | sort -u; fi
}

# Whether a path is on the list.
is_recorded() { grep -Fxq -e "$1" < <(recorded_paths); }

# Whether what is at a path is as we have put it there. While an upgrade is under way a path has two checksums.
is_ours() {
  [[ -f $destdir$1 && ! -L $destdir$1 ]] && grep -Fxq -e "$(checksum "$destdir$1")  $1" "$destdir$list"
}

is_there() { [[ -e $destdir$1 || -L $destdir$1 ]]; }

# What is to be removed at the end, however that comes.
folder='' temporary=''
clean_up() { rm -rf "$folder" "$temporary"; }

# Puts a file in a path's place in one go, so that a server that runs keeps the file that it was started from.
put() {
  local from=$1 target=$2
  install -d "${target%/*}"
  # A name of its own, so that nobody else's file is written over.
  temporary=$(mktemp "${target%/*}/.roamkey-XXXXXX")
  cp "$from" "$temporary"
  chmod --reference="$from" "$temporary"
  mv -fT "$temporary" "$target"
}

# Takes a path away, unless somebody has changed it.
take_away() {
  if is_ours "$1"; then
    rm "$destdir$1"
  elif is_there "$1"; then
    echo "install: $destdir$1 had been changed, and was left where it is" >&2
  fi
}

install_all() {
  [[ -x $binary ]] || die "nothing was built yet: type make install"
  local path
  trap clean_up EXIT
  folder=$(mktemp -d)
  stage "$folder/files"
  (cd "$folder/files" && find . -type f | sort | cut -c2- | while IFS= read -r path; do
    echo "$(checksum ".$path")  $prefix$path"
  done) >"$folder/new"
  # Before the first file is written.
  while IFS= read -r path; do
    if is_there "$path" && ! is_recorded "$path"; then
      die "$destdir$path is there already and was not put there by us: move it away, or choose another PREFIX."
    fi
  done < <(cut -c67- "$folder/new")
  if [[ -e $destdir$list ]]; then cp "$destdir$list" "$folder/old"; else : >"$folder/old"; fi
  sort -u "$folder/old" "$folder/new" >"$folder/both"
  put "$folder/both" "$destdir$list"
  while IFS= read -r path; do
    if is_there "$path" && ! is_ours "$path"; then
      mv -T --backup=numbered "$destdir$path" "$destdir$path.old"
      echo "install: $destdir$path had been changed; what it was is in $destdir$path.old" >&2
    fi
    put "$folder/files${path#"$prefix"}" "$destdir$path"
  done < <(cut -c67- "$folder/new")
  # What an earlier version had and this one has not.
  cut -c67- "$folder/new" | sort -u >"$folder/paths"
  while IFS= read -r path; do take_away "$path"; done < <(comm -23 <(recorded_paths) "$folder/paths")
  put "$folder/new" "$destdir$list"
  echo "installed $("$destdir$prefix/bin/roamkey" --version) below $destdir$prefix; make uninstall takes it away again"
}

uninstall_all() {
  [[ -e $destdir$list ]] || die "nothing of ours is below $destdir$prefix: there is no $destdir$list."
  local path
  while IFS= read -r path; do take_away "$path"; done < <(recorded_paths)
  rm "$destdir$list"
  rmdir "$destdir$prefix/share/roamkey" "$destdir$prefix/share/doc/roamkey" 2>/dev/null || true
}

case ${1:-} in
  check) check ;;
  built) built ;;
  build) build ;;
  install) install_all ;;
  uninstall) uninstall_all ;;
  *) die "say check, built, build, install or uninstall." ;;
esac
