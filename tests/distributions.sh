#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Both commands of README.md on fresh systems: for each suite a root of the least that the distribution has, in it a
# clone of this repository's newest commit, and there the command, as root, with the network as it is here.

set -euo pipefail

# shellcheck source=cmake/newer-suite.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/newer-suite.sh"

usage() {
  cat <<USAGE
usage: tests/distributions.sh [--suites 'SUITE...'] [--keep] [COMMAND]...

  --suites 'SUITE...'  the default is those of this machine's distribution that README.md names:
                       ${named_suites[*]:-none}
  --keep               leaves the roots in build/distributions
  COMMAND              in a clone of the repository; the defaults are 'launch/demo.sh' and 'tests/run.sh', each in a root
                       of its own

Needs root and debootstrap. Ends with the seconds that each command took; exit code 1 if one of them failed.

example: sudo tests/distributions.sh --suites trixie 'launch/demo.sh --td --emulate'
USAGE
}

# What README.md names, of the distribution that this machine has: another's packages are not served to it.
case "$(distribution_id)" in
  debian) named_suites=(bookworm trixie) ;;
  ubuntu) named_suites=(noble) ;;
  *) named_suites=() ;;
esac

# Arguments: SUITE ROOT
make_root() {
  local suite=$1 root=$2 mirror
  mirror="$(sources_for_suite "$suite" deb | awk '$1 == "URIs:" && !found++ { print $2 }')"
  if [[ -z $mirror ]]; then fail "no apt source of this machine has main of $(distribution_codename)"; fi
  progress "making a fresh $suite"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
    fail "debootstrap could not make $suite (see $root.log)"
  : >"$root/etc/apt/sources.list"
  sources_for_suite "$suite" deb >"$root/etc/apt/sources.list.d/machine.sources"
  apt-config dump | grep -iE '^Acquire::https?::(Proxy|CAInfo)' >"$root/etc/apt/apt.conf.d/90machine" || true
  cp --dereference /etc/resolv.conf "$root/etc/resolv.conf"
  cp --archive --no-clobber /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates >>"$root.log" 2>&1
}

# What the command sees of the machine: its devices, and processes of its own. Arguments: ROOT COMMAND
run_in() {
  # shellcheck disable=SC2016 # the inner shell's own
  unshare --mount --pid --fork bash -c '
    mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/tmp" &&
      exec chroot "$1" env -i HOME=/home TERM=dumb PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd /tdshim && $2"
  ' run_in "$1" "$2" </dev/null
}

# Arguments: SUITE NUMBER COMMAND
try() {
  local suite=$1 root="$roots/$1-$2" command=$3 began status=0
  rm -rf --one-file-system "$root"
  make_root "$suite" "$root"
  git clone --quiet --no-hardlinks "$repository" "$root/tdshim"
  progress "$suite: $command"
  began=$SECONDS
  run_in "$root" "$command" >"$root.output" 2>&1 || status=$?
  results+=("$(printf '%-10s %5d s  exit code %3d  %s' "$suite" $((SECONDS - began)) "$status" "$command")")
  progress "${results[-1]}"
  if [[ $status -ne 0 ]]; then
    failed=yes
    tail -n 20 "$root.output" >&2
  fi
  if [[ $is_kept == no ]]; then rm -rf --one-file-system "$root"; fi
}

main() {
  local suites=("${named_suites[@]}") commands=() suite number
  is_kept=no failed=no results=() roots="$repository/build/distributions"
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --suites)
        read -ra suites <<<"${2:?--suites needs a value}"
        shift
        ;;
      --keep) is_kept=yes ;;
      --help)
        usage
        exit 0
        ;;
      -*) fail "unknown option: $1 (see --help)" ;;
      *) commands+=("$1") ;;
    esac
    shift
  done
  if [[ ${#commands[@]} -eq 0 ]]; then commands=(launch/demo.sh tests/run.sh); fi
  if [[ $EUID -ne 0 ]]; then fail "making a root needs root: sudo tests/distributions.sh"; fi
  if ! command -v debootstrap >/dev/null; then fail "no program debootstrap here: apt-get install debootstrap"; fi
  mkdir -p "$roots"
  for suite in "${suites[@]}"; do
    for number in "${!commands[@]}"; do try "$suite" "$number" "${commands[$number]}"; done
  done
  printf '%s\n' "${results[@]}"
  [[ $failed == no ]]
}

main "$@"
