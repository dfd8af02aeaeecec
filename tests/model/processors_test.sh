#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Searches every interleaving of processors.pml with spin, for the properties that are named there. Exits
# with 77, for ctest's "skipped", where there is no spin.

set -euo pipefail

folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
repository="$folder/../.."

usage() {
  cat <<USAGE
usage: processors_test.sh holds|fails [-DNAME...]
       processors_test.sh cited

holds: no property is broken in any state; fails: one is, and the steps that lead there are printed.
cited: what the model says that it stands for is in the code.

example: tests/model/processors_test.sh fails -DOTHERS=2 -DACCEPTING -DHAND_OVER_ALONE
USAGE
}

# Prints what pan says. Its states take less than 3 GiB for four processors.
search() {
  local scratch
  scratch="$(mktemp -d)"
  trap 'rm -rf "$scratch"' RETURN
  cd "$scratch"
  spin -a "$@" "$folder/processors.pml" >spin.out || { cat spin.out && return 1; }
  clang-19 -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c
  ./pan -E -m1000000 || true
  if [[ -f processors.pml.trail ]]; then spin -k processors.pml.trail -p "$@" "$folder/processors.pml" | tail -n 60; fi
}

check() {
  local wanted=$1 found
  shift
  found="$(search "$@")"
  printf '%s\n' "$found"
  # Too little memory or depth is no answer.
  if grep -q 'max search depth too small\|Search not completed' <<<"$found" && [[ $wanted == holds ]]; then exit 1; fi
  case "$wanted" in
    holds) grep -q 'errors: 0$' <<<"$found" ;;
    fails) grep -q 'assertion violated' <<<"$found" ;;
  esac
}

# Arguments: MARK FILE
check_cited() {
  local mark=$1 file=$2 name
  while read -r name; do
    if ! grep -qE "(^|[^a-z_])${name//./\\.}[:(]" "$repository/$file"; then
      printf '%s: has no %s, for which processors.pml says to stand\n' "$file" "$name" >&2
      exit 1
    fi
  done < <(grep -oP "\\[$mark\\] \\K[a-z_.]+(?![a-z_./])" "$folder/processors.pml" | sort -u)
}

case "${1:-}" in
  holds | fails)
    command -v spin >/dev/null || { echo "skipped: there is no spin on this machine" && exit 77; }
    check "$@"
    ;;
  cited)
    check_cited P resetvector/processors.asm
    check_cited C shim/platform/td/processors.cpp
    check_cited R payload/runtime/processors.cpp
    ;;
  --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
