#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the firmware a second time from a copy of the sources in another folder, whose path has another
# length, and compares the images that shim-ld makes of the two byte for byte. Arguments: IMAGE SHIM_LD CACHE

set -euo pipefail

image=$1 shim_ld=$2 cache=$3
repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
folder="$(mktemp -d)/a folder with quite another path"
trap 'rm -rf "${folder%/*}"' EXIT

mkdir "$folder"
cd "$repository"
cp -r CMakeLists.txt CMakePresets.json cmake shim resetvector payload linker tools launch "$folder"
cd "$folder"
TDSHIM_CACHE="$cache" cmake --preset release -DBUILD_TESTING=OFF >/dev/null
cmake --build --preset release --target image_parts >/dev/null
"$shim_ld" build/release/resetvector.bin build/release/shim.elf -o other.bin >/dev/null
cmp "$image" other.bin
sha256sum "$image" other.bin
