#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Packs the small guest: busybox, launch/guest/init and the few kernel modules that it needs, as a
# gzip'd newc archive. The same input gives the same bytes.

set -euo pipefail

repository="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
# shellcheck source=launch/names.sh
source "$repository/launch/names.sh"
guest_init="$repository/launch/guest/init"
# crc32c_generic is what ext4 asks for without modules.dep saying so.
wanted_modules=(virtio_pci virtio_mmio virtio_blk virtio_net crc32c_generic ext4 tdx_guest)

usage() {
  cat <<USAGE
Packs a small guest, busybox and a few modules, as an initrd.

Usage: $(program_name make-initramfs) --modules FOLDER -o FILE [--busybox FILE]

Options:
  --modules FOLDER  holds lib/modules/VERSION/modules.dep (see $(program_name fetch-kernel))
  -o FILE           the archive to write
  --busybox FILE    a static busybox; the default is the one of the package busybox-static
  --version         print the version of this program and end

example: $(program_name make-initramfs) --modules "\$($(program_name fetch-kernel))/modules" -o $(is_installed || echo build/)initrd.gz
USAGE
}

fail() {
  printf '%s: error: %s\n' "$(own_name)" "$*" >&2
  exit 2
}

find_busybox() {
  { dpkg --listfiles busybox-static 2>/dev/null || true; } | awk '/\/bin\/busybox$/ && !count++ { print } END { exit !count }' ||
    fail "no static busybox here: apt-get install busybox-static"
}

# Prints the modules to load, in this order, as paths relative to FOLDER, which holds modules.dep.
# What is built into the kernel, or does not exist, is left out.
list_modules() {
  awk -v wanted="${wanted_modules[*]}" '
    function name_of(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path); return path }
    { path = $1; sub(/:$/, "", path); file[name_of(path)] = path; $1 = ""; needs[path] = $0 }
    END {
      count = split(wanted, name, " ")
      for (i = 1; i <= count; i++) {
        if (!(name[i] in file)) continue
        path = file[name[i]]
        # modules.dep lists the first to be loaded last.
        parts = split(needs[path], part, " ")
        for (j = parts; j >= 1; j--) if (!(part[j] in done)) { print part[j]; done[part[j]] = 1 }
        if (!(path in done)) { print path; done[path] = 1 }
      }
    }' "$1/modules.dep"
}

# Writes a module's uncompressed bytes to stdout.
decompress_module() {
  case "$1" in
    *.xz) need xz xz-utils && xz --decompress --stdout "$1" ;;
    *.zst) need zstd zstd && zstd --quiet --decompress --stdout "$1" ;;
    *.gz) gzip --decompress --stdout "$1" ;;
    *) cat "$1" ;;
  esac
}

# Copies modules numbered in the order of loading. Arguments: FOLDER (with modules.dep) DESTINATION
copy_modules() {
  local path name number=10
  while read -r path; do
    name="$(basename "$path")"
    decompress_module "$1/$path" >"$2/$number-${name%%.ko*}.ko"
    number=$((number + 1))
  done < <(list_modules "$1")
}

# Arguments: MODULES_FOLDER BUSYBOX ROOT
lay_out_root() {
  mkdir -p "$3"/{bin,dev,mnt,modules,proc,sys}
  install -m 755 "$2" "$3/bin/busybox"
  install -m 755 "$guest_init" "$3/init"
  copy_modules "$1" "$3/modules"
  chmod -R u=rwX,go=rX "$3"
  find "$3" -exec touch --no-dereference --date=@0 {} +
}

# Arguments: ROOT; the archive goes to stdout
pack_root() {
  (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort --zero-terminated |
    cpio --quiet --null --create --format=newc --owner=0:0 --reproducible) | gzip --no-name -9
}

main() {
  local modules="" output="" busybox="" folder
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --modules) modules="${2:-}" ;;
      -o) output="${2:-}" ;;
      --busybox) busybox="${2:-}" ;;
      --help)
        usage
        exit 0
        ;;
      --version)
        print_version
        exit 0
        ;;
      *) fail "unknown option: $1 (see --help)" ;;
    esac
    if [[ -z ${2:-} ]]; then fail "$1 needs a value"; fi
    shift 2
  done
  if [[ -z $modules || -z $output ]]; then fail "--modules and -o are needed (see --help)"; fi
  folder="$(find "$modules/lib/modules" -mindepth 2 -maxdepth 2 -name modules.dep -printf '%h\n' -quit 2>/dev/null || true)"
  if [[ -z $folder ]]; then fail "$modules holds no lib/modules/VERSION/modules.dep"; fi
  if [[ -z $busybox ]]; then busybox="$(find_busybox)"; fi
  need cpio cpio
  scratch="$(mktemp -d "$output.XXXXXX")" || fail "cannot write beside $output"
  trap 'rm -rf "$scratch"' EXIT
  lay_out_root "$folder" "$busybox" "$scratch/root"
  pack_root "$scratch/root" >"$scratch/archive"
  mv "$scratch/archive" "$output"
}

main "$@"
