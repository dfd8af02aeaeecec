#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Packages of another suite of this machine's own distribution, fetched without installing
# anything: the machine's configured apt sources, rewritten to that suite (suite-sources.sh), stand in
# a private apt configuration (own sources, lists, cache and status file). The system's apt is only read.
# To be sourced: source cmake/newer-suite.sh

set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# shellcheck source=cmake/suite-sources.sh
source "$repository/cmake/suite-sources.sh"
# shellcheck source=launch/names.sh
source "$repository/launch/names.sh"

# Which suites are tried, in this order, for what, on which distribution: stated only here.
# Arguments: mbedtls | catch2 | openssl | kernel | qemu | ovmf. Prints the suites, one line.
suites_for() {
  case "$(distribution_id):$(distribution_codename):$1" in
    debian:bookworm:mbedtls | debian:bookworm:catch2 | debian:bookworm:openssl | debian:bookworm:ovmf) echo "trixie sid" ;;
    debian:bookworm:kernel) echo "trixie" ;;
    debian:bookworm:qemu | debian:trixie:qemu) echo "trixie-backports sid" ;;
    debian:*:kernel) distribution_codename ;;
    debian:*) echo "$(distribution_codename) sid" ;;
    ubuntu:noble:kernel) echo "noble" ;;
    ubuntu:noble:*) echo "resolute devel noble" ;;
    ubuntu:*:kernel) distribution_codename ;;
    ubuntu:*) echo "$(distribution_codename) devel" ;;
    *) fail "this distribution is not known here: $(distribution_id) $(distribution_codename)" ;;
  esac
}

progress() { printf '%s: %s\n' "$(own_name)" "$*" >&2; }

fail() {
  printf '%s: error: %s\n' "$(own_name)" "$*" >&2
  exit 2
}

# Sets `scratch` to a new folder beside PATH, which does not outlive the process.
make_scratch_beside() {
  mkdir -p "$(dirname "$1")"
  scratch="$(mktemp -d "$(dirname "$1")/.${1##*/}.XXXXXX")"
  chmod 755 "$scratch" # apt downloads into it as its own user
  trap 'rm -rf "$scratch"' EXIT
}

# Prints the folder for all downloads, which then exists.
cache_folder() {
  local folder="${TDSHIM_CACHE:-$repository/build/cache}"
  if [[ -z ${TDSHIM_CACHE:-} && ! -f $repository/CMakeLists.txt ]]; then # installed, not built
    folder="${XDG_CACHE_HOME:-$HOME/.cache}/tdshim"
  fi
  mkdir -p "$folder"
  (cd "$folder" && pwd)
}

# Prints the private apt's configuration file's text. What the machine allows of its own sources, unsigned or
# outdated lists, is not allowed here; root's downloads are apt's own user's. Arguments: FOLDER SUITE
private_apt_configuration() {
  local hook
  for hook in APT::Update::Pre-Invoke APT::Update::Post-Invoke APT::Update::Post-Invoke-Success APT::Update::Post-Invoke-Stats \
    DPkg::Pre-Invoke DPkg::Post-Invoke DPkg::Pre-Install-Pkgs; do
    echo "#clear $hook;"
  done
  cat <<CONFIGURATION
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$1/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$1/preferences";
Dir::State "$1/state";
Dir::State::status "$1/status";
Dir::State::extended_states "$1/extended_states";
Dir::Cache "$1/cache";
Dir::Cache::archives "$1/cache/archives";
Dir::Log "$1/log";
APT::Install-Recommends "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Check-Date "true";
Acquire::Check-Valid-Until "true";
APT::Get::AllowUnauthenticated "false";
CONFIGURATION
  # As apt does by itself, with a warning, where its own user cannot reach the folder, as below /root.
  if [[ $EUID -eq 0 ]] && ! runuser -u _apt -- test -w "$1/state/lists/partial"; then echo 'APT::Sandbox::User "root";'; fi
  case "$2" in
    *-backports) echo "APT::Default-Release \"$2\";" ;;
    *) echo 'APT::Default-Release "";' ;;
  esac
}

# Lets apt download into these folders without root's rights, where it has them to lay down. Arguments: FOLDER...
give_to_apt_user() {
  if [[ $EUID -eq 0 ]] && getent passwd _apt >/dev/null; then chown _apt "$@"; fi
}

# Prints the folder of a suite's private apt. Arguments: SUITE TYPE
private_apt_folder() { echo "$(cache_folder)/apt/$1-$2"; }

# Writes a suite's private configuration and fetches its lists; once in a process.
# Returns 1, with a line on stderr, when the suite cannot be had. Arguments: SUITE TYPE
prepare_private_apt() {
  local suite=$1 type=$2 folder
  folder="$(private_apt_folder "$suite" "$type")"
  if [[ " ${prepared_suites:-} " == *" $suite-$type "* ]]; then return 0; fi
  mkdir -p "$folder"/{sources,preferences,state/lists/partial,cache/archives/partial,log}
  give_to_apt_user "$folder"/{state/lists/partial,cache/archives/partial}
  take_lock "$folder/lock"
  : >"$folder/status"
  sources_for_suite "$suite" "$type" >"$folder/sources/suite.sources"
  if [[ ! -s $folder/sources/suite.sources ]]; then
    fail "no apt source of this machine names suite '$(distribution_codename)' with component main"
  fi
  private_apt_configuration "$folder" "$suite" >"$folder/apt.conf"
  progress "reading the package lists of $suite ($type)"
  # A foreign source without this suite makes update fail: what counts is whether the suite is there.
  apt-get -c "$folder/apt.conf" -qq update >"$folder/log/update.log" 2>&1 || true
  if ! suite_is_there "$suite" "$folder"; then
    progress "suite $suite cannot be had: $(grep -m1 '^[EW]:' "$folder/log/update.log" || echo 'no such suite')"
    return 1
  fi
  prepared_suites="${prepared_suites:-} $suite-$type"
}

# Arguments: SUITE FOLDER
suite_is_there() {
  # shellcheck disable=SC2016 # the placeholder is apt's, not the shell's
  grep -qxF "$1" <<<"$(apt-get -c "$2/apt.conf" indextargets --format '$(RELEASE)' 2>/dev/null)"
}

# Waits for, and keeps until the process ends, a lock: two scripts may run at once.
take_lock() {
  local descriptor
  exec {descriptor}>"$1"
  flock "$descriptor"
}

# Runs apt-get (or apt-cache) on a suite. Example: private_apt trixie deb apt-cache policy nasm
# Arguments: SUITE TYPE(deb|deb-src) COMMAND(apt-get|apt-cache) ARGUMENTS...
private_apt() {
  local suite=$1 type=$2 command=$3
  shift 3
  "$command" -c "$(private_apt_folder "$suite" "$type")/apt.conf" "$@"
}

# Prints name and version of each package of a closure, one a line, "name version", as if on an
# empty system. Arguments: SUITE PACKAGE...
list_package_closure() {
  local suite=$1
  shift
  private_apt "$suite" deb apt-get --simulate --quiet=2 install "$@" |
    awk '$1 == "Inst" { version = $3; sub(/^\(/, "", version); print $2, version }'
}

# Downloads packages with all that they depend on into FOLDER (*.deb), as if on an empty system.
# Arguments: SUITE FOLDER PACKAGE...
fetch_package_closure() {
  local suite=$1 folder=$2
  shift 2
  mkdir -p "$folder/partial"
  give_to_apt_user "$folder/partial"
  private_apt "$suite" deb apt-get --quiet=2 --yes --download-only \
    -o Dir::Cache::archives="$folder" install "$@" >&2 || return 1
  rm -rf "$folder/partial" "$folder/lock"
}

# Downloads exactly these packages into FOLDER. Arguments: SUITE FOLDER NAME=VERSION...
fetch_packages() {
  local suite=$1 folder=$2
  shift 2
  mkdir -p "$folder"
  give_to_apt_user "$folder"
  (cd "$folder" && private_apt "$suite" deb apt-get --quiet=2 download "$@" >&2)
}

# Unpacks a package's files into ROOT. Links that stand for folders (lib -> usr/lib) are kept.
# Arguments: PACKAGE_FILE ROOT
unpack_package() {
  mkdir -p "$2"
  dpkg-deb --fsys-tarfile "$1" | tar --extract --no-same-owner --keep-directory-symlink --directory "$2"
}

# Prints, for each version of a source package in a suite, one line
# "package-version upstream-version orig-tarball-name sha256". Arguments: SUITE SOURCE
list_source_versions() {
  private_apt "$1" deb-src apt-cache showsrc --only-source "$2" 2>/dev/null | awk '
    /^Version:/ { version = $2 }
    /^[^ ]/ { in_sums = /^Checksums-Sha256:/ }
    in_sums && /\.orig\.tar\./ && $3 !~ /\.asc$/ { name = $3; sum = $1 }
    /^$/ { report() }
    END { report() }
    function report(upstream) {
      if (version != "" && name != "") {
        upstream = version
        sub(/^[0-9]+:/, "", upstream)
        sub(/-[^-]*$/, "", upstream)
        print version, upstream, name, sum
      }
      version = ""; name = ""
    }'
}

# Downloads a source package's original tarball, authenticated by the archive's signature, and
# prints its path. Arguments: SUITE SOURCE PACKAGE_VERSION TARBALL FOLDER
fetch_source_tarball() {
  local suite=$1 source=$2 version=$3 tarball=$4 folder=$5
  mkdir -p "$folder"
  give_to_apt_user "$folder"
  (cd "$folder" && private_apt "$suite" deb-src apt-get --quiet=2 --download-only --tar-only \
    source "$source=$version" >&2)
  if [[ ! -f $folder/$tarball ]]; then fail "$suite gave no $tarball for $source $version"; fi
  echo "$folder/$tarball"
}
