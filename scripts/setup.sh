#!/usr/bin/env bash
# Makes sure that a build can start: installs what is missing where it may, else says in one sentence what to type.
# Prints nothing when nothing is missing, and then takes a few milliseconds.
#
#   scripts/setup.sh            what a build needs
#   scripts/setup.sh --tests    and what the tests need besides
#   scripts/setup.sh --interop  and what the client in Python needs besides
#   scripts/setup.sh --net      and what the tests over real networks need besides, where they can run
#   scripts/setup.sh --bench    and what the benchmarks compare us with
#   scripts/setup.sh --counts   and what counts instructions, where it can be had
#   scripts/setup.sh --which-python    prints the Python that has it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly oldest_major=6 oldest_minor=3
PATH="$PATH:/opt/swift/usr/bin:${HOME:-/root}/.swiftly/bin:${HOME:-/root}/.local/share/swiftly/bin:/usr/sbin:/sbin"

die() {
  echo "setup: $*" >&2
  exit 1
}

# Debian's names of the packages that are missing.
missing_packages() {
  if ! command -v pkg-config >/dev/null; then
    echo pkg-config libsodium-dev
  elif ! pkg-config --exists 'libsodium >= 1.0.18'; then
    echo libsodium-dev
  fi
  # SwiftPM fetches dependencies with git; the linker needs the C library's start files and a linker.
  command -v git >/dev/null || echo git ca-certificates
  compgen -G '/usr/lib/gcc*/*/*/crtbeginS.o' >/dev/null || echo gcc
  [[ -e /usr/include/features.h ]] || echo libc6-dev
  # The tests read our key files with `openssl pkey`.
  if [[ ${1:-} == --tests ]]; then command -v openssl >/dev/null || echo openssl; fi
  # The tests let a CBOR library in another language read what ours writes.
  if [[ ${1:-} == --tests-besides && -z $(python_with cbor2) ]]; then echo python3 python3-cbor2; fi
  if [[ ${1:-} == --interop && -z $(usable_python) ]]; then echo python3 python3-cryptography; fi
  if [[ ${1:-} == --net ]]; then
    command -v python3 >/dev/null || echo python3
    command -v ip >/dev/null || echo iproute2
    command -v nft >/dev/null || echo nftables
    command -v conntrack >/dev/null || echo conntrack
  fi
  if [[ ${1:-} == --bench ]]; then
    pkg-config --exists 'libenet >= 1.3' 2>/dev/null || echo libenet-dev
    pkg-config --exists 'libssl >= 3' 2>/dev/null || echo libssl-dev
    pkg-config --exists 'libzstd >= 1.4' 2>/dev/null || echo libzstd-dev
  fi
  if [[ ${1:-} == --counts ]]; then command -v valgrind >/dev/null || echo valgrind; fi
}

# What the client in Python needs.
usable_python() { python_with cryptography.hazmat.primitives.asymmetric.ed25519; }

# The first Python with a module: the one on the path, or the system's, where packages land.
python_with() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c "import $1" 2>/dev/null; then
      echo "$python"
      return
    fi
  done
}

# The words for a system whose package names we do not know.
in_general_words() {
  local words=()
  for package in "$@"; do
    case $package in
      libsodium-dev) words+=("libsodium 1.0.18 or newer with its headers") ;;
      libc6-dev) words+=("the C library's headers") ;;
      gcc) words+=("a C compiler with its linker") ;;
      python3-cryptography) words+=("Python's package cryptography") ;;
      libenet-dev) words+=("ENet 1.3 with its headers") ;;
      libssl-dev) words+=("OpenSSL 3 with its headers") ;;
      libzstd-dev) words+=("Zstandard 1.4 with its headers") ;;
      ca-certificates) words+=("the system's TLS certificates") ;;
      *) words+=("$package") ;;
    esac
  done
  local IFS=,
  echo "${words[*]}" | sed 's/,/, /g'
}

install() {
  local list="$*" as_root=()
  command -v apt-get >/dev/null ||
    die "please install $(in_general_words "$@") with your system's package manager, then run this again."
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      die "please type this, then run make again: sudo apt-get update && sudo apt-get install -y $list"
    fi
    as_root=(sudo -n)
  fi
  echo "setup: installing $list" >&2
  local log
  # Package lists may be usable although they could not be updated: the installation is what counts.
  if ! log=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c \
    'apt-get -qq update; apt-get -qq install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"' install "$@" </dev/null 2>&1); then
    echo "$log" >&2
    die "apt-get could not install $list; its reason stands above."
  fi
}

check_packages() {
  local missing
  missing=$(missing_packages "$@")
  [[ -n $missing ]] || return 0
  # shellcheck disable=SC2086
  install $missing
  missing=$(missing_packages "$@")
  [[ -z $missing ]] || die "still missing after installing: $(in_general_words $missing)."
}

check_swift() {
  local swift stamp=.build-setup/swift identity version
  swift=$(command -v swift) ||
    die "Swift is not installed; get $oldest_major.$oldest_minor or newer from https://www.swift.org/install/linux/, then run this again."
  # Asking Swift for its version takes longer than all the rest, so the answer is kept per binary.
  identity=$(stat -L -c '%n %Y %s' "$swift" 2>/dev/null || echo "$swift")
  if [[ -r $stamp && $(<"$stamp") == "$identity" ]]; then return 0; fi
  version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1) || true
  [[ -n $version ]] || die "$swift does not run; reinstall Swift from https://www.swift.org/install/linux/."
  if ((${version%.*} < oldest_major || (${version%.*} == oldest_major && ${version#*.} < oldest_minor))); then
    die "$swift is Swift $version, and $oldest_major.$oldest_minor or newer is needed: https://www.swift.org/install/linux/."
  fi
  { mkdir -p "${stamp%/*}" && echo "$identity" >"$stamp"; } 2>/dev/null || true
}

if [[ ${1:-} == --which-python ]]; then
  usable_python
  exit
fi
if [[ ${1:-} == --net ]]; then
  # Only root can run them, and they say themselves what they miss: no reason to stop a build.
  check_packages
  if [[ $(id -u) == 0 ]]; then (check_packages --net) || true; fi
elif [[ ${1:-} == --tests ]]; then
  check_packages --tests
  # Without it that one test says that it was left out.
  (check_packages --tests-besides) || true
elif [[ ${1:-} == --counts ]]; then
  # Allocations are counted without it, and the counting says what it leaves out.
  check_packages
  (check_packages --counts) || true
else
  check_packages "$@"
fi
check_swift
