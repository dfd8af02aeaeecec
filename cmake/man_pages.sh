#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Man pages of commands and their subcommands, from what --help says, packed as Debian wants them. The same
# commands give the same bytes.
# usage: man_pages.sh FOLDER VERSION PROGRAM...

set -euo pipefail

folder=$1
version=$2
shift 2
export SOURCE_DATE_EPOCH=0 LC_ALL=C
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# Arguments: NAME PROGRAM [SUBCOMMAND]. help2man takes a page's name from the program's.
write_page() {
  local name=$1 purpose
  printf '#!/bin/sh\nexec%s --help\n' "$(printf ' %q' "${@:2}")" >"$scratch/$name"
  chmod +x "$scratch/$name"
  purpose="$("$scratch/$name" | sed -n 1p)"
  help2man --no-info --section=1 --source=tdshim --version-string="$version" --name="${purpose%.}" "$scratch/$name" |
    sed '/^\.TH /s/"January 1970"/""/' | gzip --best --no-name >"$folder/$name.1.gz"
}

# Prints the subcommands of PROGRAM, each on a line.
list_subcommands() {
  "$1" --help | awk '/^Subcommands:/ { is_inside = 1; next } /^$/ { is_inside = 0 } is_inside && /^  [a-z]/ { print $1 }'
}

rm -rf "$folder"
mkdir -p "$folder"
for program in "$@"; do
  write_page "${program##*/}" "$program"
  for subcommand in $(list_subcommands "$program"); do
    write_page "${program##*/}-$subcommand" "$program" "$subcommand"
  done
done
