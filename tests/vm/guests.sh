# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# To be sourced by tests/run.sh: fetches what the tests of tests/vm need and exports the variables that
# tests/vm/settings.py describes. What cannot be had stays unset, and the tests that need it are skipped.

tests_vm_repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# Arguments: NUMBER SUITE
provide_guest() {
  local folder initrd="$tests_vm_repository/build/guests/initrd-$1.gz"
  folder="$("$tests_vm_repository/launch/fetch-kernel.sh" --suite "$2")" || return 0
  mkdir -p "${initrd%/*}"
  "$tests_vm_repository/launch/make-initramfs.sh" --modules "$folder/modules" -o "$initrd" || return 0
  export "TDSHIM_KERNEL_$1=$folder" "TDSHIM_INITRD_$1=$initrd"
}

# One whose Linux shows a TD's registers (6.16 and later); it has no initrd of ours.
provide_newest_kernel() {
  local folder
  folder="$("$tests_vm_repository/launch/fetch-kernel.sh" --suite trixie-backports)" || return 0
  export TDSHIM_KERNEL_NEWEST="$folder"
}

provide_qemu() {
  local program
  program="$("$tests_vm_repository/launch/fetch-qemu.sh" --spice)" ||
    program="$("$tests_vm_repository/launch/fetch-qemu.sh")" || return 0
  export TDSHIM_QEMU_NEW="$program"
}

provide_ovmf() {
  local file
  file="$("$tests_vm_repository/tests/td_emu/fetch-ovmf.sh")" || return 0
  export TDSHIM_OVMF="$file"
}

provide_guest 6_1 bookworm
provide_guest 6_12 trixie
provide_newest_kernel
provide_qemu
provide_ovmf
