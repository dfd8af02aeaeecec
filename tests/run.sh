#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test on this machine: installs what is lacking, fetches kernels and a newer QEMU, builds, and
# runs ctest twice: the release build with its virtual machines; the host side and, for a short while, the
# fuzzers with sanitizers. Ends with where the time went and how many tests ran. Benchmarks: tests/bench/run.sh.

set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
all_presets=(release sanitizers)

usage() {
  cat <<USAGE
usage: tests/run.sh [PRESET...]

Runs the tests of these presets (default: ${all_presets[*]}). What cannot run on this machine is skipped,
with one line that says why, and counted as skipped.

example: tests/run.sh release
USAGE
}

progress() { printf '== %s\n' "$*" >&2; }

# Begins a step, whose seconds are told at the end.
step() {
  local now=$SECONDS
  if [[ -n ${current_step:-} ]]; then steps+=("$(printf '%5d s  %s' $((now - step_began)) "$current_step")"); fi
  current_step="$*" step_began=$now
  if [[ -n $current_step ]]; then progress "$current_step"; fi
}

# Builds and tests one preset; adds to the counts.
run_preset() {
  local preset=$1 log="$repository/build/$1-tests.log" status=0 ended not_run
  step "building $preset"
  cmake --preset "$preset" >"$log" || { cat "$log" && return 1; }
  cmake --build --preset "$preset"
  step "testing $preset"
  ctest --preset "$preset" --label-exclude bench --parallel "$(nproc)" | tee "$log" || status=$?
  ended=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#' "$log" || true)
  not_run=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#.*\*\*\*(Skipped|Not Run)' "$log" || true)
  ran=$((ran + ended - not_run)) skipped=$((skipped + not_run))
  if [[ $status -ne 0 ]]; then failed+=("$preset"); fi
}

# The tests of a log of ctest's that took longest.
slowest_of() {
  sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: (.*) \.\.+ .* ([0-9.]+) sec.*/\2 s  \1/p' "$1" | sort -rn | sed -n 1,5p
}

# What a log of ctest's has of the tests that failed: their results' lines, each with its test's output
# behind it.
failures_of() {
  awk '/^ *[0-9]+\/[0-9]+ Test +#/ { shown = /\*\*\*/ && !/\*\*\*(Skipped|Not Run)/ }
       /^ +Start +[0-9]+:|^[0-9]+% tests passed/ { shown = 0 }
       shown' "$1"
}

main() {
  case "${1:-}" in
    --help)
      usage
      exit 0
      ;;
    -*)
      usage >&2
      exit 2
      ;;
  esac
  cd "$repository"
  steps=()
  step "installing what is lacking"
  cmake/install-dependencies.sh
  step "fetching kernels and a newer QEMU"
  # shellcheck source=tests/vm/guests.sh
  source tests/vm/guests.sh

  ran=0 skipped=0 failed=()
  local preset
  for preset in "${@:-${all_presets[@]}}"; do run_preset "$preset"; done
  step ""
  progress "where the time went:"
  printf '%s\n' "${steps[@]}" >&2
  for preset in "${@:-${all_presets[@]}}"; do
    progress "the slowest tests of $preset:"
    slowest_of "$repository/build/$preset-tests.log" >&2
  done
  # Once more at the end: of a long run, often only the end is kept.
  for preset in "${failed[@]}"; do
    progress "what failed with the preset $preset:"
    failures_of "$repository/build/$preset-tests.log"
  done
  progress "$ran tests ran, $skipped skipped, ${#failed[@]} of the presets failed ${failed[*]}"
  [[ ${#failed[@]} -eq 0 && $ran -gt 0 ]]
}

main "$@"
