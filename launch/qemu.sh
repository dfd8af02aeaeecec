#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts QEMU with tdshim as its firmware: a plain VM, or with --td a TD on a host with TDX. Kernel,
# initrd and command line go through fw_cfg items of our own, which every QEMU passes byte for byte
# (its -kernel rewrites fields of the kernel's header before the firmware sees them).

set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
td_emu="$repository/build/release/bin/td-emu"
kvm_tdx_parameter=/sys/module/kvm_intel/parameters/tdx

usage() {
  cat <<USAGE
usage: qemu.sh --firmware FILE [options] [-- more QEMU arguments]

  --firmware FILE  the image, final.bin
  --kernel FILE    a payload: bzImage, vmlinux, unified kernel image, Linux bundle, ELF or PE executable, signed or
                   not; without it only what the image itself holds can be started
  --initrd FILE
  --append TEXT    the kernel's command line; may be empty
  --memory SIZE    as QEMU's -m; the default is 512M
  --cpus N         the default is 1
  --machine NAME   q35 (the default) or microvm
  --accel NAME     tcg (the default) or kvm
  --cpu MODEL      QEMU's -cpu; the default is QEMU's own with tcg, host with kvm
  --qemu PROGRAM   the default is qemu-system-x86_64 (see also fetch-qemu.sh)
  --td             a TD: needs QEMU 10.1 or later and a host with TDX; exit code 3 when lacking
  --emulate        with --td, on any host: td-emu, as built in build/release, and a QEMU with plugins
                   (the default is what fetch-qemu.sh fetches); proves nothing to anybody
  --dry-run        print the command instead of running it; the files have to be there, QEMU need not

The serial port is stdin and stdout. The guest's reset ends QEMU.

On microvm with tcg Linux measures its processor's clock by the PIT alone, and hangs when a busy host disturbs
that: --append 'tsc_early_khz=3000000 ...' makes it do without.

example: launch/qemu.sh --firmware build/release/final.bin --kernel vmlinuz --initrd initrd.gz \\
           --append 'console=ttyS0 panic=-1' -- -device virtio-net-pci
USAGE
}

fail() {
  printf '%s: error: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

lacking() {
  printf '%s: cannot start a TD here: %s\n' "${0##*/}" "$*" >&2
  exit 3
}

# QEMU separates options by commas; one that belongs to a value is doubled.
double_commas() { printf '%s' "${1//,/,,}"; }

require_file() {
  if [[ ! -f $2 || ! -r $2 ]]; then fail "$1: no readable file $2"; fi
}

parse_options() {
  firmware="" kernel="" initrd="" append="" memory=512M cpus=1 machine=q35 accel="" cpu=""
  qemu="" is_td=no is_emulated=no is_dry_run=no more=()
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --td) is_td=yes ;;
      --emulate) is_emulated=yes ;;
      --dry-run) is_dry_run=yes ;;
      --help)
        usage
        exit 0
        ;;
      --)
        more=("${@:2}")
        break
        ;;
      --firmware | --kernel | --initrd | --append | --memory | --cpus | --machine | --accel | --cpu | --qemu)
        if [[ $# -lt 2 ]]; then fail "$1 needs a value"; fi
        if [[ -z $2 && $1 != --append ]]; then fail "$1: is empty: expected a value; for none leave it out"; fi
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      *) fail "unknown option: $1 (see --help)" ;;
    esac
    shift
  done
}

check_options() {
  if [[ -z $firmware ]]; then fail "--firmware is needed (see --help)"; fi
  case "$machine" in q35 | microvm) ;; *) fail "--machine takes q35 or microvm, not '$machine'" ;; esac
  if [[ ! $cpus =~ ^[1-9][0-9]*$ ]]; then fail "--cpus takes a number, not '$cpus'"; fi
  if [[ $is_td == yes && $machine != q35 ]]; then fail "--td needs --machine q35"; fi
  if [[ $is_emulated == yes ]]; then
    if [[ $is_td == no ]]; then fail "--emulate needs --td"; fi
    if [[ -n $accel$cpu ]]; then fail "--emulate chooses --accel and --cpu itself"; fi
    return
  fi
  qemu="${qemu:-qemu-system-x86_64}"
  if [[ $is_td == yes && ${accel:-kvm} != kvm ]]; then fail "--td needs --accel kvm"; fi
  case "${accel:=$([[ $is_td == yes ]] && echo kvm || echo tcg)}" in
    tcg) ;;
    kvm) cpu="${cpu:-host}" ;;
    *) fail "--accel takes tcg or kvm, not '$accel'" ;;
  esac
}

check_files() {
  require_file --firmware "$firmware"
  if [[ -n $kernel ]]; then require_file --kernel "$kernel"; fi
  if [[ -n $initrd ]]; then require_file --initrd "$initrd"; fi
}

check_programs() {
  if [[ $is_emulated == yes && ! -x $td_emu ]]; then
    fail "there is no $td_emu: cmake --preset release && cmake --build --preset release"
  fi
  if [[ -n $qemu ]] && ! command -v "$qemu" >/dev/null; then fail "no program $qemu here: run cmake/install-dependencies.sh"; fi
}

check_td_support() {
  if ! "$qemu" -object help 2>/dev/null | grep -qw tdx-guest; then
    lacking "$("$qemu" --version | sed 's/ (.*//;q') has no tdx-guest object (it came with 10.1; see launch/fetch-qemu.sh)"
  fi
  if [[ ! -e $kvm_tdx_parameter ]]; then
    lacking "the host's kvm_intel knows no TDX ($kvm_tdx_parameter does not exist)"
  fi
  case "$(<"$kvm_tdx_parameter")" in
    Y | 1) ;;
    *) lacking "TDX is off in the host's kvm_intel ($kvm_tdx_parameter; needs TDX in the BIOS and kvm_intel.tdx=1)" ;;
  esac
  if [[ ! -r /dev/kvm || ! -w /dev/kvm ]]; then lacking "/dev/kvm cannot be opened by this user"; fi
}

machine_arguments() {
  case "$is_td:$machine" in
    yes:*)
      # QEMU refuses SMM and the PIC in a TD, and leaves interrupt routing to user space.
      command+=(-machine "q35,kernel-irqchip=split,confidential-guest-support=tdx0,smm=off,pic=off")
      command+=(-object '{"qom-type":"tdx-guest","id":"tdx0"}')
      ;;
    *:microvm) command+=(-machine "microvm,acpi=on") ;;
    *) command+=(-machine q35) ;;
  esac
  command+=(-accel "$accel")
  if [[ -n $cpu ]]; then command+=(-cpu "$cpu"); fi
  command+=(-m "$memory" -smp "$cpus")
}

payload_arguments() {
  if [[ -n $kernel ]]; then
    command+=(-fw_cfg "name=opt/org.tdshim/kernel,file=$(double_commas "$kernel")")
  fi
  if [[ -n $initrd ]]; then
    command+=(-fw_cfg "name=opt/org.tdshim/initrd,file=$(double_commas "$initrd")")
  fi
  if [[ -n $append ]]; then
    command+=(-fw_cfg "name=opt/org.tdshim/cmdline,string=$(double_commas "$append")")
  fi
}

emulator_command() {
  command=("$td_emu" --firmware "$firmware" --memory "$memory" --cpus "$cpus")
  if [[ -n $kernel ]]; then command+=(--kernel "$kernel"); fi
  if [[ -n $initrd ]]; then command+=(--initrd "$initrd"); fi
  if [[ -n $append ]]; then command+=(--append "$append"); fi
  if [[ $is_dry_run == no ]]; then qemu="${qemu:-$("$repository/launch/fetch-qemu.sh")}"; fi
  if [[ -n $qemu ]]; then command+=(--qemu "$qemu"); fi
  if [[ ${#more[@]} -gt 0 ]]; then command+=(-- "${more[@]}"); fi
}

qemu_command() {
  command=("$qemu" -nodefaults -no-user-config -no-reboot -display none -monitor none -serial stdio)
  machine_arguments
  command+=(-bios "$firmware")
  payload_arguments
  command+=("${more[@]}")
}

# Prints words on one line, those quoted that a shell would change.
print_command() {
  local word line=""
  for word in "$@"; do
    if [[ ! $word =~ ^[[:alnum:]_./,:=+@-]+$ ]]; then word="${word@Q}"; fi
    line+=" $word"
  done
  echo "${line# }"
}

main() {
  parse_options "$@"
  check_options
  check_files
  if [[ $is_emulated == yes ]]; then emulator_command; else qemu_command; fi
  if [[ $is_dry_run == yes ]]; then
    print_command "${command[@]}"
    return
  fi
  check_programs
  if [[ $is_td == yes && $is_emulated == no ]]; then check_td_support; fi
  exec "${command[@]}"
}

main "$@"
