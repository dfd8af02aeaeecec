#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts QEMU with tdshim as its firmware: a plain VM, or with --td a TD on a host with TDX. Kernel,
# initrd and command line go through fw_cfg items of our own, which every QEMU passes byte for byte
# (its -kernel rewrites fields of the kernel's header before the firmware sees them).

set -euo pipefail

repository="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
# shellcheck source=launch/names.sh
source "$repository/launch/names.sh"
# Where tdshim is installed, and not built, it is in the PATH.
td_emu="$repository/build/release/bin/td-emu"
if is_installed; then td_emu="$(command -v td-emu || echo td-emu)"; fi
kvm_tdx_parameter=/sys/module/kvm_intel/parameters/tdx

usage() {
  cat <<USAGE
Starts QEMU with tdshim as its firmware: a plain VM, or a TD.

Usage: $(program_name qemu) --firmware FILE [options] [-- more QEMU arguments]

Options:
  --firmware FILE  the image, such as $(example_image)
  --kernel FILE    a payload: bzImage, vmlinux, unified kernel image, Linux bundle, ELF or PE executable, signed or
                   not; without it only what the image itself holds can be started
  --initrd FILE
  --append TEXT    the kernel's command line; may be empty
  --memory SIZE    such as 3G or 512M; the default is 2G, as td-emu's and shim-measure's
  --cpus N         the default is 1
  --smbios         hands QEMU's SMBIOS tables on to the kernel (dmidecode), measured into RTMR[0]: shim-measure --smbios
  --pci-window SIZE
                   room for 64-bit BARs, on q35, such as 512G for GPUs; QEMU's default is 32G
  --machine NAME   q35 (the default) or microvm
  --accel NAME     tcg (the default) or kvm
  --cpu MODEL      QEMU's -cpu; the default is QEMU's own with tcg, host with kvm
  --qemu PROGRAM   the default is qemu-system-x86_64 (see also $(program_name fetch-qemu))
  --td             a TD: needs QEMU 10.1 or later and a host with TDX; exit code 3 when lacking
  --emulate        with --td, on any host: td-emu$(is_installed || echo ", as built in build/release,") and a QEMU with plugins
                   (the default is what $(program_name fetch-qemu) fetches); proves nothing to anybody
  --quote-socket A with --td, where the host's quoting service listens: vsock:CID:PORT or unix:PATH; without it the
                   guest can get no quote
  --mrconfigid HEX, --mrowner HEX, --mrownerconfig HEX
                   with --td, what the TD's launch gives it beside its memory: 96 hexadecimal digits; zeros if not given
  --tdx-attributes N
                   with --td, ATTRIBUTES of the TD: a number, such as 0x10000000 (SEPT_VE_DISABLE), which is the default
  --debug          with --td, ATTRIBUTES.DEBUG: the VMM reads and writes the TD's memory, and no verifier may trust it;
                   QEMU itself, up to 11.1, starts no such TD
  --dry-run        print the command instead of running it; the files have to be there, QEMU need not
  --version        print the version and end

The serial port is stdin and stdout. The guest's reset ends QEMU: -no-reboot is given. What ends a boot in the firmware
resets a plain VM, with the reason on the console, so that QEMU ends; without -no-reboot it would start over, for ever.

On microvm with tcg Linux measures its processor's clock by the PIT alone, and hangs when a busy host disturbs
that: --append 'tsc_early_khz=3000000 ...' makes it do without.

example: $(program_name qemu) --firmware $(example_image) --kernel vmlinuz --initrd initrd.gz \\
           --append 'console=ttyS0 panic=-1' -- -device virtio-net-pci
USAGE
}

fail() {
  printf '%s: error: %s\n' "$(own_name)" "$*" >&2
  exit 2
}

lacking() {
  printf '%s: cannot start a TD here: %s\n' "$(own_name)" "$*" >&2
  exit 3
}

# QEMU separates options by commas; one that belongs to a value is doubled.
double_commas() { printf '%s' "${1//,/,,}"; }

require_file() {
  if [[ ! -f $2 || ! -r $2 ]]; then fail "$1: no readable file $2"; fi
}

parse_options() {
  firmware="" kernel="" initrd="" append="" memory=2G cpus=1 machine=q35 accel="" cpu=""
  qemu="" is_td=no is_emulated=no is_dry_run=no is_debug=no is_smbios=no more=()
  pci_window="" quote_socket="" mrconfigid="" mrowner="" mrownerconfig="" tdx_attributes=""
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --td) is_td=yes ;;
      --emulate) is_emulated=yes ;;
      --dry-run) is_dry_run=yes ;;
      --debug) is_debug=yes ;;
      --smbios) is_smbios=yes ;;
      --help)
        usage
        exit 0
        ;;
      --version)
        print_version
        exit 0
        ;;
      --)
        more=("${@:2}")
        break
        ;;
      --firmware | --kernel | --initrd | --append | --memory | --cpus | --machine | --accel | --cpu | --qemu | \
        --pci-window | \
        --quote-socket | --mrconfigid | --mrowner | --mrownerconfig | --tdx-attributes)
        if [[ $# -lt 2 ]]; then fail "$1 needs a value"; fi
        if [[ -z $2 && $1 != --append ]]; then fail "$1: is empty: expected a value; for none leave it out"; fi
        name="${1#--}"
        printf -v "${name//-/_}" '%s' "$2"
        shift
        ;;
      *) fail "unknown option: $1 (see --help)" ;;
    esac
    shift
  done
}

# With a unit, which QEMU wants without the B that td-emu and shim-measure know: RTMR[0] tells 2 GiB from 2 MiB.
check_memory() {
  if [[ ! $memory =~ ^([1-9][0-9]*[KMGTkmgt])([iI]?[bB])?$ ]]; then
    fail "--memory: expected a number with K, M, G or T, such as 3G, found '$memory'; what else QEMU's -m knows goes behind --"
  fi
  memory="${BASH_REMATCH[1]}"
}

check_identity() {
  local name
  for name in mrconfigid mrowner mrownerconfig; do
    if [[ -n ${!name} && ! ${!name} =~ ^[[:xdigit:]]{96}$ ]]; then
      fail "--$name: expected 96 hexadecimal digits, found '${!name}'"
    fi
  done
  if [[ -n $tdx_attributes && ! $tdx_attributes =~ ^(0x[[:xdigit:]]{1,16}|0|[1-9][0-9]{0,18})$ ]]; then
    fail "--tdx-attributes: expected a number, decimal or hexadecimal with 0x, found '$tdx_attributes'"
  fi
}

check_quote_socket() {
  if [[ -z $quote_socket ]]; then return; fi
  if [[ $is_emulated == yes ]]; then fail "--quote-socket: td-emu signs the quotes of an emulated TD itself, and says EMULATED in them"; fi
  if [[ ! $quote_socket =~ ^(vsock:[0-9]+:[0-9]+|unix:.+)$ ]]; then
    fail "--quote-socket: expected vsock:CID:PORT or unix:PATH, found '$quote_socket'"
  fi
}

check_td_options() {
  if [[ $is_td == no ]]; then
    if [[ -n $quote_socket$mrconfigid$mrowner$mrownerconfig$tdx_attributes || $is_debug == yes ]]; then
      fail "--quote-socket, --mrconfigid, --mrowner, --mrownerconfig, --tdx-attributes and --debug need --td"
    fi
    return
  fi
  check_identity
  check_quote_socket
}

# What the user should know of the TD that is started.
warn_of_td() {
  if [[ $is_debug == yes || $((${tdx_attributes:-0} & 1)) -ne 0 ]]; then
    printf '%s: WARNING: %s\n' "$(own_name)" \
      "a TD under DEBUG: the host reads and writes its memory and registers, and nothing that it reports proves anything" >&2
  elif [[ $((${tdx_attributes:-0} & 0xFF)) -ne 0 ]]; then
    printf '%s: WARNING: %s\n' "$(own_name)" \
      "a TD under debug (ATTRIBUTES, bits 7 to 0, TUD): verifiers do not trust it" >&2
  fi
  if [[ $is_emulated == no && -z $quote_socket ]]; then
    printf '%s: %s\n' "$(own_name)" "without --quote-socket the guest can get no quote" >&2
  fi
}

check_options() {
  if [[ -z $firmware ]]; then fail "--firmware is needed (see --help)"; fi
  case "$machine" in q35 | microvm) ;; *) fail "--machine takes q35 or microvm, not '$machine'" ;; esac
  if [[ ! $cpus =~ ^[1-9][0-9]*$ ]]; then fail "--cpus takes a number, not '$cpus'"; fi
  if [[ $is_td == yes && $machine != q35 ]]; then fail "--td needs --machine q35"; fi
  if [[ -n $pci_window && $machine != q35 ]]; then fail "--pci-window needs --machine q35"; fi
  if [[ -n $pci_window && ! $pci_window =~ ^[1-9][0-9]*[MGT]$ ]]; then
    fail "--pci-window: expected a size, such as 512G, found '$pci_window'"
  fi
  check_memory
  check_td_options
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

# Prints bytes of a file as hexadecimal digits. Arguments: FILE OFFSET COUNT
hex_at() { od -An -v -tx1 -j "$2" -N "$3" -- "$1" | tr -d ' \n'; }

# Whether a file ends as firmware for TDs does: with the table of GUIDs, or before it was, with the offset of the TDX
# metadata [TDVF design guide 11.1; EDK2's footer 96b582de-1fb2-45f7-baea-a366c55a082d]. Arguments: FILE SIZE
ends_as_firmware() {
  local offset
  if [[ $(hex_at "$1" $(($2 - 48)) 16) == de82b596b21ff745baeaa366c55a082d ]]; then return; fi
  offset="$(od -An -tu4 -j $(($2 - 32)) -N 4 -- "$1")"
  [[ $((offset)) -lt $2 && $(hex_at "$1" $((offset)) 4) == 54445646 ]] # "TDVF"
}

check_files() {
  require_file --firmware "$firmware"
  local size
  size="$(stat --dereference --format %s "$firmware")"
  if [[ $is_dry_run == no && $size -eq 0 && -f $firmware ]]; then fail "--firmware $firmware: is empty"; fi
  if [[ $is_dry_run == no && $size -gt 0 && $((size % 65536)) -ne 0 ]]; then
    fail "--firmware $firmware: expected a multiple of 64 KiB, which firmware is, found $size bytes (shim-info FILE says what it is)"
  fi
  # What is none starts nothing, and says nothing: the machine stands still.
  if [[ $is_dry_run == no && $size -gt 0 ]] && ! ends_as_firmware "$firmware" "$size"; then
    fail "--firmware $firmware: expected an image of shim-ld's, such as $(example_image), or other firmware with TDX metadata," \
      "found none at the file's end (shim-info FILE says what it is)"
  fi
  if [[ -n $kernel ]]; then require_file --kernel "$kernel"; fi
  if [[ -n $initrd ]]; then require_file --initrd "$initrd"; fi
}

check_programs() {
  if [[ $is_emulated == yes && ! -x $td_emu ]]; then
    if is_installed; then fail "there is no td-emu in the PATH"; fi
    fail "there is no $td_emu: cmake --preset release && cmake --build --preset release"
  fi
  if [[ -n $qemu ]] && ! command -v "$qemu" >/dev/null; then
    fail "no program $qemu here: $(if is_installed; then echo apt-get install qemu-system-x86; else echo run cmake/install-dependencies.sh; fi)"
  fi
}

check_td_support() {
  if ! grep -qw tdx-guest <<<"$("$qemu" -object help 2>/dev/null)"; then
    lacking "$("$qemu" --version | sed -n '1s/ (.*//p') has no tdx-guest object (it came with 10.1; see $(program_name fetch-qemu))"
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

# A string of JSON.
json_string() {
  local text="${1//\\/\\\\}"
  printf '"%s"' "${text//\"/\\\"}"
}

# 48 bytes, as QEMU takes them.
base64_of_hex() { tr '[:lower:]' '[:upper:]' <<<"$1" | basenc --base16 --decode | base64 -w 0; }

attributes_of_td() {
  local attributes=$((${tdx_attributes:-0x10000000}))
  if [[ $is_debug == yes ]]; then attributes=$((attributes | 1)); fi
  printf '%u' "$attributes"
}

# The properties are those of QEMU 10.1 to 11.1 [QEMU qapi/qom.json, TdxGuestProperties].
td_object() {
  local name object
  local -a address
  object='{"qom-type":"tdx-guest","id":"tdx0"'
  if [[ -n $tdx_attributes || $is_debug == yes ]]; then object+=",\"attributes\":$(attributes_of_td)"; fi
  for name in mrconfigid mrowner mrownerconfig; do
    if [[ -n ${!name} ]]; then object+=",\"$name\":\"$(base64_of_hex "${!name}")\""; fi
  done
  if [[ $quote_socket == vsock:* ]]; then
    IFS=: read -ra address <<<"$quote_socket"
    object+=",\"quote-generation-socket\":{\"type\":\"vsock\",\"cid\":\"${address[1]}\",\"port\":\"${address[2]}\"}"
  elif [[ -n $quote_socket ]]; then
    object+=",\"quote-generation-socket\":{\"type\":\"unix\",\"path\":$(json_string "${quote_socket#unix:}")}"
  fi
  printf '%s}' "$object"
}

machine_arguments() {
  case "$is_td:$machine" in
    yes:*)
      # QEMU refuses SMM and the PIC in a TD, and leaves interrupt routing to user space.
      command+=(-machine "q35,kernel-irqchip=split,confidential-guest-support=tdx0,smm=off,pic=off")
      command+=(-object "$(td_object)")
      ;;
    *:microvm) command+=(-machine "microvm,acpi=on") ;;
    *) command+=(-machine q35) ;;
  esac
  command+=(-accel "$accel")
  if [[ -n $cpu ]]; then command+=(-cpu "$cpu"); fi
  command+=(-m "$memory" -smp "$cpus")
}

# What the emulator takes behind --, like other words of QEMU's.
further_arguments() {
  if [[ $is_smbios == yes ]]; then command+=(-fw_cfg "name=opt/org.tdshim/smbios,string=pass"); fi
  if [[ -n $pci_window ]]; then command+=(-global "q35-pcihost.pci-hole64-size=$pci_window"); fi
  command+=("${more[@]}")
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
  if [[ -n $mrconfigid ]]; then command+=(--mrconfigid "$mrconfigid"); fi
  if [[ -n $mrowner ]]; then command+=(--mrowner "$mrowner"); fi
  if [[ -n $mrownerconfig ]]; then command+=(--mrownerconfig "$mrownerconfig"); fi
  if [[ -n $tdx_attributes || $is_debug == yes ]]; then command+=(--attributes "$(attributes_of_td)"); fi
  if [[ $is_dry_run == no ]]; then qemu="${qemu:-$("$repository/launch/fetch-qemu.sh")}"; fi
  if [[ -n $qemu ]]; then command+=(--qemu "$qemu"); fi
  if [[ $is_smbios == yes || -n $pci_window || ${#more[@]} -gt 0 ]]; then command+=(--); fi
  further_arguments
}

qemu_command() {
  command=("$qemu" -nodefaults -no-user-config -no-reboot -display none -monitor none -serial stdio)
  machine_arguments
  command+=(-bios "$firmware")
  payload_arguments
  further_arguments
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
  if [[ $is_td == yes ]]; then warn_of_td; fi
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
