#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer for some time, two at a time, and ends with one line for each. Exit code 1 on a finding.

set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
results="$repository/build/sanitizers/long-runs"
inputs_limit=4096

usage() {
  cat <<USAGE
usage: tests/fuzz/run.sh [SECONDS [FUZZER...]]

Builds the fuzzers and runs each, or those named, for SECONDS (default: 60). What one finds, its input and its log, is left in
build/sanitizers/long-runs, with the inputs that a later run starts from.

example: tests/fuzz/run.sh 600 quote collateral
USAGE
}

# Arguments: PROGRAM SECONDS
run_fuzzer() {
  local name
  name="$(basename "$1" _fuzz)"
  mkdir -p "$results/$name"
  if "$1" "$results/$name" -max_total_time="$2" -max_len="$inputs_limit" -timeout=20 \
    -artifact_prefix="$results/$name-" >"$results/$name.log" 2>&1; then
    echo "$name: $(grep -o 'Done [0-9]* runs in [0-9]* second' "$results/$name.log")s, no finding" >"$results/$name.result"
  else
    echo "$name: FINDING, see $results/$name.log" >"$results/$name.result"
  fi
}

main() {
  local seconds="${1:-60}" program
  local -a programs
  if [[ $seconds == --help ]]; then
    usage
    exit 0
  fi
  if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
    usage >&2
    exit 2
  fi
  cd "$repository"
  cmake --preset sanitizers >/dev/null
  cmake --build --preset sanitizers
  mkdir -p "$results"
  rm -f "$results"/*.result
  programs=("${@:2}")
  programs=("${programs[@]/%/_fuzz}")
  programs=("${programs[@]/#/build/sanitizers/test-bin/}")
  if [[ $# -lt 2 ]]; then programs=(build/sanitizers/test-bin/*_fuzz); fi
  for program in "${programs[@]}"; do
    if [[ ! -x $program ]]; then
      echo "there is no fuzzer ${program##*/}" >&2
      exit 2
    fi
    run_fuzzer "$program" "$seconds" &
    while [[ $(jobs -rp | wc -l) -ge 2 ]]; do wait -n; done
  done
  wait
  cat "$results"/*.result
  ! grep -q FINDING "$results"/*.result
}

main "$@"
