#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the newest QEMU that a newer suite of this distribution offers, without installing it:
# all its packages are unpacked into one folder of the cache and started by that folder's own
# dynamic linker. Prints the path of the wrapper qemu-system-x86_64.

set -euo pipefail

# shellcheck source=cmake/newer-suite.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../cmake/newer-suite.sh"

usage() {
  cat <<USAGE
Fetches a QEMU that runs td-emu, without installing it, and prints the program.

Usage: $(program_name fetch-qemu) [--spice] [--suite SUITE]

Options:
  --spice        with SPICE and its display qxl, which are another 220 MB
  --suite SUITE  where from; the default is the first that can be had of: $(suites_for qemu)
  --version      print the version of this program and end

The program is in $(example_cache), or where the environment's TDSHIM_CACHE says.

example: $(program_name qemu) --qemu "\$($(program_name fetch-qemu))" --firmware $(example_image) --kernel vmlinuz
USAGE
}

# Lays out ROOT as distributions do since their /usr merge; else lib exists twice. Argument: ROOT
make_merged_root() {
  local name
  for name in bin sbin lib lib64; do
    mkdir -p "$1/usr/$name"
    ln -s "usr/$name" "$1/$name"
  done
}

# Arguments: FILE MULTIARCH
write_wrapper() {
  cat >"$1" <<WRAPPER
#!/bin/sh
# Starts the QEMU in root/ with root/'s own libraries, firmware files and modules.
root="\$(dirname "\$(readlink -f "\$0")")/root"
QEMU_MODULE_DIR="\$root/usr/lib/$2/qemu" exec "\$root/usr/lib64/ld-linux-x86-64.so.2" \\
  --library-path "\$root/usr/lib/$2" "\$root/usr/bin/qemu-system-x86_64" \\
  -L "\$root/usr/share/qemu" -L "\$root/usr/share/seabios" -L "\$root/usr/lib/ipxe/qemu" "\$@"
WRAPPER
  chmod 755 "$1"
}

# Leaves only what a run needs. Argument: ROOT
remove_ballast() {
  rm -rf "${1:?}"/usr/share/{doc,man,locale,perl,python3,i18n,zoneinfo} "$1/usr/lib"/python3* "${1:?}/var"
}

# Arguments: SUITE FOLDER
fetch_qemu() {
  local suite=$1 folder=$2 file version
  progress "fetching QEMU and its libraries from $suite (about 230 MB)"
  make_scratch_beside "$folder"
  fetch_package_closure "$suite" "$scratch/packages" qemu-system-x86 seabios ipxe-qemu "${more_packages[@]}" ||
    fail "could not download QEMU from $suite"
  mkdir -p "$scratch/qemu"
  make_merged_root "$scratch/qemu/root"
  for file in "$scratch"/packages/*.deb; do unpack_package "$file" "$scratch/qemu/root"; done
  remove_ballast "$scratch/qemu/root"
  write_wrapper "$scratch/qemu/qemu-system-x86_64" "$(dpkg --print-architecture | sed s/amd64/x86_64/)-linux-gnu"
  version="$("$scratch/qemu/qemu-system-x86_64" --version | sed -n 1p)" ||
    fail "QEMU from $suite does not start on this machine"
  progress "$version"
  mv "$scratch/qemu" "$folder"
  rm -rf "$scratch"
}

main() {
  local suites suite folder kind=
  suites="$(suites_for qemu)"
  more_packages=()
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --spice)
        kind=-spice more_packages=(qemu-system-modules-spice)
        shift
        continue
        ;;
      --suite) suites="${2:-}" ;;
      --help)
        usage
        exit 0
        ;;
      --version)
        print_version
        exit 0
        ;;
      *) fail "unknown option: $1 (see --help)" ;;
    esac
    if [[ -z ${2:-} ]]; then fail "$1 needs a value"; fi
    shift 2
  done
  for suite in $suites; do
    folder="$(cache_folder)/qemu/$suite$kind"
    if [[ ! -d $folder ]]; then
      if ! prepare_private_apt "$suite" deb; then continue; fi
      fetch_qemu "$suite" "$folder"
    fi
    echo "$folder/qemu-system-x86_64"
    return
  done
  fail "no suite of '$suites' can be had from this machine's apt sources"
}

main "$@"
