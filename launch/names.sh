#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the programs of launch/ are called where they stand, in the sources or installed (cmake/install.cmake), and which
# version they are. To be sourced, with `repository` as the folder above: source launch/names.sh

set -euo pipefail

is_installed() { [[ ! -f ${repository:?}/CMakeLists.txt ]]; }

# Prints what a user calls a program. Argument: its name, without .sh
program_name() {
  if is_installed; then echo "tdshim-$1"; else echo "launch/$1.sh"; fi
}

# Prints what a user calls the running program, which another of these may have started.
own_name() {
  local name="${0##*/}"
  if is_installed && [[ $name == *.sh ]]; then program_name "${name%.sh}"; else echo "$name"; fi
}

# Prints the image in an example.
example_image() {
  if is_installed; then echo /usr/share/tdshim/final.bin; else echo build/release/final.bin; fi
}

# Prints where downloads are kept (cmake/newer-suite.sh).
example_cache() {
  if is_installed; then echo \~/.cache/tdshim; else echo build/cache; fi
}

# Fails where a program is missing, before anything is made with it. sbin is looked at, which a user's PATH may lack.
# Arguments: PROGRAM PACKAGE
need() {
  if ! PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null; then fail "the program $1 is missing: install the package $2"; fi
}

print_version() {
  local version
  if is_installed; then version="$(<"$repository/version")"; else
    version="$(sed -n 's/^project(tdshim VERSION \([0-9.]*\).*/\1/p' "$repository/CMakeLists.txt")"
  fi
  printf '%s (tdshim) %s\n' "${0##*/}" "$version"
}
