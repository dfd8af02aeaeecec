#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches a distribution's OVMF as a package, without installing it, and prints the path of its image: a firmware of
# another make for td-emu. It is the image that has TDX metadata and its variables with it, and no keys of Secure Boot
# in them, with which OVMF starts no kernel that a VMM brings. Fetched once.

set -euo pipefail

# shellcheck source=cmake/newer-suite.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/newer-suite.sh"

package=ovmf

# The GUID of the metadata's place, e47a6535-984a-4798-865e-4685a7bf8ec2, as it lies in the image [TDVF 11.1].
metadata_guid='\x35\x65\x7a\xe4\x4a\x98\x98\x47\x86\x5e\x46\x85\xa7\xbf\x8e\xc2'

# Arguments: FILE
has_tdx_metadata() { LC_ALL=C grep --quiet --text --perl-regexp "$metadata_guid" "$1"; }

# Arguments: SUITE FILE
fetch_ovmf() {
  local image
  prepare_private_apt "$1" deb || return 1
  make_scratch_beside "$2"
  progress "fetching $package from $1"
  fetch_packages "$1" "$scratch/packages" "$package" || return 1
  mkdir "$scratch/root"
  unpack_package "$scratch"/packages/*.deb "$scratch/root"
  image="$(find "$scratch/root" -name OVMF.fd -type f | sort | sed -n 1p)"
  if [[ -z $image ]] || ! has_tdx_metadata "$image"; then
    progress "$package of $1 has no TDX metadata"
    return 1
  fi
  mv "$image" "$2"
  rm -rf "$scratch"
}

main() {
  local file suite
  file="$(cache_folder)/ovmf/OVMF.fd"
  for suite in $(suites_for ovmf); do
    if [[ ! -f $file ]]; then fetch_ovmf "$suite" "$file" || true; fi
  done
  if [[ ! -f $file ]]; then fail "no suite of this distribution offers $package for a TD"; fi
  echo "$file"
}

main "$@"
