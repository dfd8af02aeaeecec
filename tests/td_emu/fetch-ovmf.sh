#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the distribution's TDVF image of OVMF as a package, without installing it, and prints its path: a
# firmware of another make for td-emu. Fetched once.

set -euo pipefail

# shellcheck source=cmake/newer-suite.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/newer-suite.sh"

package=ovmf-inteltdx

# Arguments: SUITE FILE
fetch_ovmf() {
  local image
  prepare_private_apt "$1" deb || return 1
  make_scratch_beside "$2"
  progress "fetching $package from $1"
  fetch_packages "$1" "$scratch/packages" "$package" || return 1
  mkdir "$scratch/root"
  unpack_package "$scratch"/packages/*.deb "$scratch/root"
  image="$(find "$scratch/root" -name 'OVMF.inteltdx*.fd' -type f | sort | head -n 1)"
  if [[ -z $image ]]; then return 1; fi
  mv "$image" "$2"
  rm -rf "$scratch"
}

main() {
  local file suite
  file="$(cache_folder)/ovmf/OVMF.inteltdx.fd"
  for suite in $(suites_for ovmf); do
    if [[ ! -f $file ]]; then fetch_ovmf "$suite" "$file" || true; fi
  done
  if [[ ! -f $file ]]; then fail "no suite of this distribution offers $package"; fi
  echo "$file"
}

main "$@"
