#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures what things cost, one after the other, and writes specs/costs.md.

set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

usage() {
  cat <<USAGE
usage: tests/bench/run.sh

Builds the release preset, runs every benchmark alone, and writes specs/costs.md. Of what takes seconds the figures are
the machine's; what is counted in instructions, calls and bytes is the same on each.

example: tests/bench/run.sh
USAGE
}

if [[ ${1:-} == --help ]]; then
  usage
  exit 0
elif [[ $# -gt 0 ]]; then
  usage >&2
  exit 2
fi

cd "$repository"
cmake/install-dependencies.sh
# shellcheck source=tests/vm/guests.sh
source tests/vm/guests.sh
cmake --preset release >/dev/null
cmake --build --preset release
ctest --preset release --tests-regex "^bench: "
TDSHIM_RESULTS="$repository/build/release/vm-results" python3 tests/bench/costs.py
