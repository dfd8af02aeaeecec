#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the packages that a fresh Debian 12, Debian 13 or Ubuntu 24.04 lacks, then fetches
# mbedTLS, Catch2 and OpenSSL's SHA-512 as pinned sources into the cache (see newer-suite.sh for where from).
# Does nothing when all is there.

set -euo pipefail

# shellcheck source=cmake/newer-suite.sh
source "$(dirname "${BASH_SOURCE[0]}")/newer-suite.sh"

build_packages=(
  clang-19 lld-19 llvm-19 libc++-19-dev libc++abi-19-dev libclang-rt-19-dev clang-format-19
  nasm cmake ninja-build help2man dpkg-dev file libcli11-dev nlohmann-json3-dev libssl-dev libcbor-dev libp11-kit-dev libarchive-dev libcryptsetup-dev python3
  git bzip2 xz-utils perl
)
demo_packages=(qemu-system-x86 seabios ipxe-qemu busybox-static cpio zstd kmod binutils)
test_packages=(e2fsprogs openssl systemd-boot-efi softhsm2 opensc spin squashfs-tools-ng tpm2-tools shellcheck pyflakes3)

usage() {
  cat <<USAGE
usage: install-dependencies.sh [--for build|demo|all] [--packages-only | --sources-only]

Installs the packages lacking on this machine (with sudo when not root), and fetches the pinned
sources of mbedTLS, Catch2 and OpenSSL's SHA-512 into \${TDSHIM_CACHE:-build/cache}/sources.

  --for build|demo|all   what compiling needs; also QEMU and what makes a guest, for launch/demo.sh; all, which is
                         the default, has what tests need too
  --packages-only        no sources
  --sources-only         no packages
  --allow-other-version  where no suite carries a pinned source any more: the newest of the same series
                         that one signs. It is written down beside the source, and each build says so

example: cmake/install-dependencies.sh --for build
USAGE
}

is_installed() {
  [[ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "packages are lacking and this is neither root nor has sudo: apt-get install ${lacking[*]}"
  fi
}

require_candidates() {
  local package
  for package in "$@"; do
    if ! apt-cache show "$package" >/dev/null 2>&1; then
      fail "no apt source of this machine offers $package (on Ubuntu: sudo add-apt-repository universe)"
    fi
  done
}

install_packages() {
  local package
  lacking=()
  for package in "$@"; do
    if ! is_installed "$package"; then lacking+=("$package"); fi
  done
  if [[ ${#lacking[@]} -eq 0 ]]; then return; fi
  local log
  log="$(cache_folder)/install.log"
  progress "installing ${lacking[*]} (apt-get's own words: $log)"
  as_root apt-get --quiet=2 update >"$log" 2>&1 || progress "apt-get update had errors; going on with what it has"
  require_candidates "${lacking[@]}"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get --quiet --yes --no-install-recommends install "${lacking[@]}" >>"$log" 2>&1 ||
    fail "apt-get could not install ${lacking[*]}: $(grep -m1 '^E:' "$log" || echo "see $log")"
}

# Sets `chosen` to "suite package-version upstream-version tarball sha256" of the pinned tarball, from the
# first suite that carries it; else, where other versions are allowed, of the newest one that matches PATTERN
# in any suite; else to nothing. Arguments: NAME PINNED_SHA256 PATTERN
choose_source() {
  local name=$1 pinned_sha256=$2 pattern=$3 suite package_version upstream tarball sha256
  local matching=""
  for suite in $(suites_for "$name"); do
    if ! prepare_private_apt "$suite" deb-src; then continue; fi
    while read -r package_version upstream tarball sha256; do
      if [[ $sha256 == "$pinned_sha256" ]]; then
        chosen="$suite $package_version $upstream $tarball $sha256"
        return
      fi
      # shellcheck disable=SC2053 # the right side is a pattern
      if [[ $upstream == $pattern ]]; then
        matching+="$upstream $suite $package_version $upstream $tarball $sha256"$'\n'
      fi
    done < <(list_source_versions "$suite" "$name")
  done
  chosen=""
  if [[ $other_versions == yes ]]; then
    chosen="$(printf '%s' "$matching" | sort --version-sort | tail -n 1 | cut -d ' ' -f 2-)"
  fi
}

unpack_source() {
  local tarball=$1 version=$2 pin=$3 folder=$4
  mkdir "$folder"
  tar --extract --no-same-owner --strip-components=1 --file "$tarball" --directory "$folder"
  echo "$version" >"$folder/VERSION"
  echo "$pin" >"$folder/.pin"
}

# Whether the source in FOLDER is PIN, "version sha256", or another that was allowed, which is told then.
# Arguments: FOLDER PIN
is_fetched() {
  local there
  if [[ ! -f $1/.pin ]]; then return 1; fi
  there="$(<"$1/.pin")"
  if [[ $there == "$2" ]]; then return 0; fi
  if [[ $other_versions != yes ]]; then return 1; fi
  progress "warning: ${1##*/} is $there in place of $2, which is pinned"
}

# Arguments: NAME PINNED_VERSION PINNED_SHA256 PATTERN (versions that may stand in for the pinned one)
fetch_source() {
  local name=$1 pinned_version=$2 pinned_sha256=$3 pattern=$4
  local sources chosen suite package_version version tarball sha256
  sources="$(cache_folder)/sources"
  if is_fetched "$sources/$name" "$pinned_version $pinned_sha256"; then return; fi
  choose_source "$name" "$pinned_sha256" "$pattern"
  if [[ -z $chosen ]]; then
    fail "no suite of $(suites_for "$name") carries $name $pinned_version with SHA-256 $pinned_sha256 any more" \
      "(--allow-other-version takes the newest $pattern that one signs)"
  fi
  read -r suite package_version version tarball sha256 <<<"$chosen"
  if [[ $sha256 != "$pinned_sha256" ]]; then
    progress "warning: $name $pinned_version (pinned) is no longer offered; taking $version, which $suite signs"
  fi
  progress "fetching $name $version from $suite"
  make_scratch_beside "$sources/$name"
  fetch_source_tarball "$suite" "$name" "$package_version" "$tarball" "$scratch" >/dev/null
  echo "$sha256  $scratch/$tarball" | sha256sum --check --status ||
    fail "$tarball does not have SHA-256 $sha256"
  unpack_source "$scratch/$tarball" "$version" "$version $sha256" "$scratch/unpacked"
  rm -rf "${sources:?}/$name"
  mv "$scratch/unpacked" "$sources/$name"
  rm -rf "$scratch"
}

# What of openssl is compiled: "sha256  path" lines, as sha256sum checks them. Arguments: NAME
pinned_files_of() {
  sed -nE "s/^$1 [^ ]+ ([0-9a-f]{64}) (.*)/\1  \2/p" "$repository/cmake/pinned-files.txt"
}

# Arguments: FOLDER NAME
has_pinned_files() {
  [[ -d $1 ]] && (cd "$1" && pinned_files_of "$2" | sha256sum --check --strict --status 2>/dev/null)
}

# "version suite package-version tarball sha256" of each version that a suite carries and that matches, newest first.
# Arguments: NAME PATTERN
matching_versions() {
  local name=$1 pattern=$2 suite package_version upstream tarball sha256
  for suite in $(suites_for "$name"); do
    if ! prepare_private_apt "$suite" deb-src; then continue; fi
    while read -r package_version upstream tarball sha256; do
      # shellcheck disable=SC2053 # the right side is a pattern
      if [[ $upstream == $pattern ]]; then echo "$upstream $suite $package_version $tarball $sha256"; fi
    done < <(list_source_versions "$suite" "$name")
  done | sort --version-sort --reverse
}

# The pinned files of a source, from the newest version that a suite signs, serves, and has these very files in.
# Arguments: NAME PATTERN
fetch_files() {
  local name=$1 pattern=$2 sources version suite package_version tarball sha256 paths
  sources="$(cache_folder)/sources"
  if has_pinned_files "$sources/$name" "$name"; then return; fi
  mapfile -t paths < <(pinned_files_of "$name" | cut -d ' ' -f 3- | sed 's|^|*/|')
  make_scratch_beside "$sources/$name"
  while read -r version suite package_version tarball sha256; do
    progress "fetching $name $version from $suite"
    rm -rf "${scratch:?}"/*
    (fetch_source_tarball "$suite" "$name" "$package_version" "$tarball" "$scratch") >/dev/null || continue
    echo "$sha256  $scratch/$tarball" | sha256sum --check --status || continue
    mkdir "$scratch/unpacked"
    tar --extract --no-same-owner --strip-components=1 --file "$scratch/$tarball" --directory "$scratch/unpacked" \
      --wildcards "${paths[@]}" || continue
    if ! has_pinned_files "$scratch/unpacked" "$name"; then continue; fi
    echo "$version" >"$scratch/unpacked/VERSION"
    rm -rf "${sources:?}/$name"
    mv "$scratch/unpacked" "$sources/$name"
    rm -rf "$scratch"
    return
  done < <(matching_versions "$name" "$pattern")
  fail "no suite of $(suites_for "$name") serves a $name $pattern with the files that cmake/pinned-files.txt pins"
}

fetch_sources() {
  local name version sha256 pattern
  while read -r name version sha256 pattern; do
    fetch_source "$name" "$version" "$sha256" "$pattern"
  done < <(grep -v '^#' "$repository/cmake/pinned-sources.txt")
  while read -r name pattern; do
    fetch_files "$name" "$pattern"
  done < <(grep -v '^#' "$repository/cmake/pinned-files.txt" | cut -d ' ' -f 1,2 | uniq)
}

main() {
  local wanted=all packages=yes sources=yes
  other_versions=no
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --for)
        wanted="${2:-}"
        shift
        ;;
      --packages-only) sources=no ;;
      --sources-only) packages=no ;;
      --allow-other-version) other_versions=yes ;;
      --help)
        usage
        exit 0
        ;;
      *) fail "unknown option: $1 (see --help)" ;;
    esac
    shift || break
  done
  case "$wanted:$packages" in
    *:no) ;;
    build:yes) install_packages "${build_packages[@]}" ;;
    demo:yes) install_packages "${build_packages[@]}" "${demo_packages[@]}" ;;
    all:yes) install_packages "${build_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}" ;;
    *) fail "--for takes build, demo or all, not '$wanted'" ;;
  esac
  if [[ $sources == yes ]]; then fetch_sources; fi
}

main "$@"
