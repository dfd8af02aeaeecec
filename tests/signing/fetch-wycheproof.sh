#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches Project Wycheproof's signature vectors out of a source package of the distribution that carries them, and
# prints the folder they are in. Fetched once.

set -euo pipefail

# shellcheck source=cmake/newer-suite.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/newer-suite.sh"

carrier=android-platform-external-boringssl
vectors=(ecdsa_secp384r1_sha384_p1363_test.json rsa_pss_3072_sha256_mgf1_32_test.json)

# Arguments: SUITE FOLDER
fetch_vectors() {
  local version tarball archive
  prepare_private_apt "$1" deb-src || return 1
  read -r version _ tarball _ < <(list_source_versions "$1" "$carrier" | tail -n 1) || return 1
  make_scratch_beside "$2"
  progress "fetching $carrier $version from $1 for its test vectors"
  archive="$(fetch_source_tarball "$1" "$carrier" "$version" "$tarball" "$scratch")"
  mkdir "$scratch/vectors"
  tar --extract --no-same-owner --file "$archive" --directory "$scratch/vectors" --wildcards \
    --transform 's,.*/,,' "${vectors[@]/#/*/wycheproof_testvectors/}" || return 1
  mv "$scratch/vectors" "$2"
  rm -rf "$scratch"
}

main() {
  local folder suite
  folder="$(cache_folder)/wycheproof"
  for suite in $(suites_for wycheproof); do
    if [[ ! -d $folder ]]; then fetch_vectors "$suite" "$folder" || true; fi
  done
  if [[ ! -d $folder ]]; then fail "no suite of this distribution offers $carrier with them"; fi
  echo "$folder"
}

main "$@"
