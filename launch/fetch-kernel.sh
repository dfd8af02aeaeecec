#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the distribution's own kernel as a package, without installing it, and prints the folder
# that then holds vmlinuz and modules/lib/modules/VERSION (with modules.dep). Fetched once: the
# folder in the cache is used from then on; remove it for a newer kernel of the same suite.

set -euo pipefail

# shellcheck source=cmake/newer-suite.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../cmake/newer-suite.sh"

usage() {
  cat <<USAGE
Fetches the distribution's kernel, without installing it, and prints the folder that holds it.

Usage: $(program_name fetch-kernel) [--suite SUITE] [--flavour FLAVOUR] [--series VERSION]

Options:
  --suite SUITE      where from; the default is $(suites_for kernel)
  --flavour FLAVOUR  cloud (the default; Ubuntu's name for it is virtual), amd64, generic, ...
  --series VERSION   the suite's newest kernel of this series, such as 6.18; the default is its newest of all
  --version          print the version of this program and end

The folder is in $(example_cache), or where the environment's TDSHIM_CACHE says.

example: $(program_name fetch-kernel) --suite bookworm
USAGE
}

# Prints the name of the package that stands for the newest kernel of a flavour.
kernel_package() {
  case "$(distribution_id):$1" in
    ubuntu:cloud) echo linux-image-virtual ;;
    ubuntu:*) echo "linux-image-$1" ;;
    *:cloud) echo "linux-image-cloud-$(dpkg --print-architecture)" ;;
    *) echo "linux-image-$1" ;;
  esac
}

# Prints the name of the newest kernel of a series. Arguments: SUITE FLAVOUR SERIES
package_of_series() {
  local flavour
  flavour="$(kernel_package "$2")"
  private_apt "$1" deb apt-cache search --names-only \
    "^linux-image-${3//./\\.}\.[0-9][^-]*(-[0-9]+)?-${flavour#linux-image-}\$" |
    awk '{ print $1 }' | sort -V | tail -n 1
}

# Prints "NAME=VERSION" of each package that holds a part of the kernel itself, which one that stands for the newest
# does not. Arguments: SUITE PACKAGE
list_kernel_packages() {
  list_package_closure "$1" "$2" | awk '
    $1 ~ /^linux-(image|modules|binary|base)-[0-9]/ { print $1 "=" $2 }'
}

# Of a kernel whose suite no longer has all that its package asks for: what of the kernel itself is there.
# Arguments: SUITE PACKAGE
list_kernel_packages_left() {
  local part name
  for part in image binary modules; do
    name="linux-$part-${2#linux-image-}"
    private_apt "$1" deb apt-cache show --no-all-versions "$name" 2>/dev/null |
      awk -v name="$name" '$1 == "Version:" && !count++ { print name "=" $2 }'
  done
}

# Moves the kernel out of unpacked packages into FOLDER. Arguments: ROOT FOLDER
arrange_kernel() {
  local root=$1 folder=$2 vmlinuz version
  vmlinuz="$(find "$root" -name 'vmlinuz*' -type f -print -quit)"
  if [[ -z $vmlinuz ]]; then fail "the packages hold no vmlinuz"; fi
  if [[ ! -d $root/usr/lib/modules ]]; then fail "the packages hold no modules"; fi
  mkdir -p "$folder/modules/lib" "$folder/modules/usr"
  # depmod looks in lib/modules or in usr/lib/modules, as its distribution builds it.
  ln -s ../lib "$folder/modules/usr/lib"
  mv "$vmlinuz" "$folder/vmlinuz"
  chmod 644 "$folder/vmlinuz"
  mv "$root/usr/lib/modules" "$folder/modules/lib/modules"
  version="$(basename "$(find "$folder/modules/lib/modules" -mindepth 1 -maxdepth 1 -type d -print -quit)")"
  rm -f "$folder/modules/lib/modules/$version/build" "$folder/modules/lib/modules/$version/source"
  depmod_command -b "$folder/modules" "$version"
  echo "$version" >"$folder/version"
}

# depmod is in sbin, which a user's PATH may lack.
depmod_command() { PATH="$PATH:/usr/sbin:/sbin" depmod "$@"; }

# Arguments: SUITE FLAVOUR SERIES FOLDER
fetch_kernel() {
  local suite=$1 flavour=$2 series=$3 folder=$4 package packages file
  need depmod kmod
  prepare_private_apt "$suite" deb || fail "suite $suite cannot be had from this machine's apt sources"
  package="$(if [[ -n $series ]]; then package_of_series "$suite" "$flavour" "$series"; else kernel_package "$flavour"; fi)"
  if [[ -z $package ]]; then fail "suite $suite has no kernel $series of flavour $flavour"; fi
  mapfile -t packages < <(list_kernel_packages "$suite" "$package" 2>/dev/null)
  if [[ ${#packages[@]} -eq 0 && -n $series ]]; then
    mapfile -t packages < <(list_kernel_packages_left "$suite" "$package")
  fi
  if [[ ${#packages[@]} -eq 0 ]]; then fail "suite $suite has no package $package"; fi
  progress "fetching ${packages[*]} from $suite"
  make_scratch_beside "$folder"
  fetch_packages "$suite" "$scratch/packages" "${packages[@]}" || fail "could not download ${packages[*]}"
  # Packages of one suite put modules below lib, those of a newer one below usr/lib.
  mkdir -p "$scratch/root/usr/lib" && ln -s usr/lib "$scratch/root/lib"
  for file in "$scratch"/packages/*.deb; do unpack_package "$file" "$scratch/root"; done
  arrange_kernel "$scratch/root" "$scratch/kernel"
  mv "$scratch/kernel" "$folder"
  rm -rf "$scratch"
}

main() {
  local suite="" flavour=cloud series="" folder
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --suite) suite="${2:-}" ;;
      --flavour) flavour="${2:-}" ;;
      --series) series="${2:-}" ;;
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
  if [[ -z $suite ]]; then suite="$(suites_for kernel)"; fi
  if [[ -n $series && ! $series =~ ^[0-9]+\.[0-9]+$ ]]; then fail "--series: expected two numbers, such as 6.18, found '$series'"; fi
  folder="$(cache_folder)/kernels/$suite-$flavour${series:+-$series}"
  if [[ ! -d $folder ]]; then fetch_kernel "$suite" "$flavour" "$series" "$folder"; fi
  echo "$folder"
}

main "$@"
