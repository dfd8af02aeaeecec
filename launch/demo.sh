#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole way on this machine: installs what is lacking, builds what the demo runs, fetches the distribution's
# kernel, makes a small initrd, boots both in QEMU (emulated, no TDX needed), and shows the event log
# that Linux saw next to sha384sum of what was booted. Exit code 0 only if all of it holds.

set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
demo="$repository/build/demo"
firmware="$repository/build/release/final.bin"
shim_log="$repository/build/release/bin/shim-log"
# Of the event log's base64 text, only the lines around it are shown.
hide_event_log='/^guest: ccel begin/,/^guest: ccel end/{/^guest: /!d}'

usage() {
  cat <<USAGE
usage: demo.sh [--suite SUITE] [--append TEXT] [--time-limit SECONDS] [options of qemu.sh]

  --suite SUITE         where the kernel comes from (see fetch-kernel.sh)
  --append TEXT         the kernel's command line; the default is 'console=ttyS0 panic=-1'
  --time-limit SECONDS  for the boot; the default is 120

Leaves console.log, ccel.bin, initrd.gz and the log as JSON in build/demo.

example: launch/demo.sh --cpus 4 --memory 3G --machine microvm
USAGE
}

progress() { printf '== %s\n' "$*" >&2; }

# Begins a step of the demo, with the seconds until now.
step() {
  current_step=$((${current_step:-0} + 1))
  progress "step $current_step of 5, after $SECONDS s: $*"
}

fail() {
  printf '%s: error: %s\n' "$(own_name)" "$*" >&2
  exit "${exit_code:-2}"
}

# Something did not come out as it must: exit code 1.
disproved() { exit_code=1 fail "$@"; }

# Whether build/release is what `cmake --preset release` would make of it; ninja itself sees what changed in the sources.
is_configured() {
  local cache="$repository/build/release/CMakeCache.txt"
  [[ $repository/build/release/build.ninja -nt $repository/CMakePresets.json && -f $cache ]] &&
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$repository" "$cache" && grep -qx 'CMAKE_BUILD_TYPE:[A-Z]*=Release' "$cache"
}

# Arguments: targets
build() {
  step "installing what is lacking"
  "$repository/cmake/install-dependencies.sh" --for demo
  step "building what is booted, and what shows it"
  local -x NINJA_STATUS="[%f of %t, %e s] "
  if ! is_configured; then (cd "$repository" && cmake --preset release) >&2 || fail "the build failed"; fi
  (cd "$repository" && cmake --build --preset release --target "$@") >&2 || fail "the build failed"
  if [[ ! -f $firmware || ! -x $shim_log ]]; then fail "the build left no $firmware or no $shim_log"; fi
}

# That qemu.sh takes these, before anything is installed for them; this file stands for those that are made later.
check_options() {
  local stand_in="${BASH_SOURCE[0]}"
  "$repository/launch/qemu.sh" --firmware "$stand_in" --dry-run "$@" >/dev/null || exit
}

make_guest() {
  step "fetching a kernel and packing an initrd"
  local folder
  folder="$("$repository/launch/fetch-kernel.sh" ${suite:+--suite "$suite"})"
  kernel="$folder/vmlinuz"
  initrd="$demo/initrd.gz"
  "$repository/launch/make-initramfs.sh" --modules "$folder/modules" -o "$initrd"
}

# Boots with the console on stdout and in console.log. Arguments: more options of qemu.sh
boot() {
  local status=0
  step "booting (at most $time_limit s)"
  timeout --foreground "$time_limit" "$repository/launch/qemu.sh" --firmware "$firmware" --kernel "$kernel" \
    --initrd "$initrd" --append "$append" "$@" </dev/null |
    tee "$demo/console.log" | sed --unbuffered "$hide_event_log" || status=${PIPESTATUS[0]}
  if [[ $status -eq 124 ]]; then disproved "the guest did not power off within $time_limit s (see $demo/console.log; --time-limit gives it more)"; fi
  if [[ $status -ne 0 ]] && grep -aq 'Kernel panic' "$demo/console.log"; then
    disproved "the guest's kernel panicked (see $demo/console.log; specs/limits.md has what a busy host does to it)"
  fi
  if [[ $status -ne 0 ]]; then disproved "QEMU ended with exit code $status"; fi
  if ! grep -aq 'Linux version [6-9]' "$demo/console.log"; then disproved "no Linux started (see $demo/console.log)"; fi
}

# Copies the event log out of the console's text.
extract_event_log() {
  local log="$demo/ccel.bin"
  if ! grep -aq '^guest: ccel end' "$demo/console.log"; then
    disproved "the guest showed no event log: $(grep -a -m1 '^guest: ccel' "$demo/console.log" | tr -d '\r' || echo 'its init was not reached')"
  fi
  tr -d '\r' <"$demo/console.log" | sed -n '/^guest: ccel begin$/,/^guest: ccel end$/{/^guest: /!p}' |
    base64 --decode >"$log.partial" || disproved "the event log in $demo/console.log is damaged"
  mv "$log.partial" "$log"
}

digest_of() { sha384sum | cut -d ' ' -f 1; }

# Arguments: NAME DIGEST WHAT
check_digest() {
  printf '%-12s %s  %s\n' "$1" "$2" "$3"
  if ! grep -qiF "$2" "$demo/ccel.json"; then missing+=" $1"; fi
}

compare_digests() {
  missing=""
  "$shim_log" decode --json "$demo/ccel.bin" >"$demo/ccel.json" || disproved "shim-log refuses $demo/ccel.bin"
  step "the event log that Linux saw"
  "$shim_log" decode "$demo/ccel.bin"
  progress "sha384sum of what was booted"
  check_digest kernel "$(digest_of <"$kernel")" "$kernel"
  check_digest initrd "$(digest_of <"$initrd")" "$initrd"
  check_digest command-line "$(printf '%s' "$append" | digest_of)" "$append"
  if [[ -n $missing ]]; then disproved "not in the event log:$missing"; fi
  progress "Linux booted, and the three digests stand in its event log"
}

main() {
  suite="" append="" time_limit=120
  local qemu_options=()
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --suite | --append | --time-limit)
        if [[ -z ${2:-} ]]; then fail "$1 needs a value"; fi
        local variable="${1#--}"
        printf -v "${variable//-/_}" '%s' "$2"
        shift 2
        ;;
      --help)
        usage
        exit 0
        ;;
      *)
        qemu_options+=("$1")
        shift
        ;;
    esac
  done
  if [[ -z $append ]]; then
    append="console=ttyS0 panic=-1"
    # Nothing but the PIT measures microvm's clock, which goes wrong on a busy host (qemu.sh --help).
    if [[ " ${qemu_options[*]} " == *" microvm "* ]]; then append+=" tsc_early_khz=3000000"; fi
  fi
  check_options "${qemu_options[@]}"
  mkdir -p "$demo"
  rm -f "$demo"/{console.log,ccel.bin,ccel.json}
  local targets=(image shim-log)
  if [[ " ${qemu_options[*]} " == *" --emulate "* ]]; then targets+=(td-emu); fi
  build "${targets[@]}"
  make_guest
  boot "${qemu_options[@]}"
  extract_event_log
  compare_digests
}

main "$@"
