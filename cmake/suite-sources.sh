# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Which distribution this machine runs, and its configured apt sources, rewritten to another suite of that distribution:
# text in, text out. A part of newer-suite.sh, which sources it and runs apt on what sources_for_suite prints.

# Prints a field of os-release: ID, VERSION_CODENAME.
os_release_field() {
  (
    # shellcheck source=/dev/null
    . /etc/os-release
    printf '%s\n' "${!1:-unknown}"
  )
}

distribution_id() { os_release_field ID; }
distribution_codename() { os_release_field VERSION_CODENAME; }

# Prints the components that hold free software: Ubuntu keeps most of it in universe.
distribution_components() {
  case "$(distribution_id)" in
    ubuntu) echo "main universe" ;;
    *) echo "main" ;;
  esac
}

# Prints the distribution's own keyring, for sources that name no key, or nothing.
distribution_keyring() {
  local keyring
  keyring="/usr/share/keyrings/$(distribution_id)-archive-keyring.gpg"
  if [[ -r $keyring ]]; then echo "$keyring"; fi
}

# Prints what the private configuration lists for a suite: the suite, and what it builds upon.
archive_suites_of() {
  case "$1" in
    sid | unstable | experimental | devel) echo "$1" ;;
    *-backports) echo "${1%-backports} ${1%-backports}-updates $1" ;;
    *) echo "$1 $1-updates" ;;
  esac
}

# Prints the suite's security suite, or nothing where a suite has none.
security_suite_of() {
  case "$1" in
    sid | unstable | experimental | devel) ;;
    *) echo "${1%-backports}-security" ;;
  esac
}

# Turns one-line sources on stdin into deb822 stanzas.
one_line_to_deb822() {
  awk '
    { sub(/#.*/, "") }
    $1 != "deb" { next }
    {
      signed_by = ""
      if (match($0, /\[[^]]*\]/)) {
        options = substr($0, RSTART + 1, RLENGTH - 2)
        $0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
        count = split(options, option, /[ \t]+/)
        for (i = 1; i <= count; i++)
          if (option[i] ~ /^signed-by=/) { signed_by = substr(option[i], 11); gsub(/,/, " ", signed_by) }
      }
      printf "Types: deb\nURIs: %s\nSuites: %s\nComponents:", $2, $3
      for (i = 4; i <= NF; i++) printf " %s", $i
      printf "\n"
      if (signed_by != "") printf "Signed-By: %s\n", signed_by
      printf "\n"
    }'
}

# Prints the machine's configured sources, all of them as deb822 stanzas.
configured_sources() {
  local directory=/etc/apt file
  for file in "$directory/sources.list" "$directory"/sources.list.d/*.list; do
    if [[ -r $file ]]; then one_line_to_deb822 <"$file"; fi
  done
  for file in "$directory"/sources.list.d/*.sources; do
    if [[ -r $file ]]; then
      cat "$file"
      echo
    fi
  done
}

# Rewrites the stanzas on stdin: those of suite FROM and component main name TO instead.
# Arguments: FROM TO TYPE(deb|deb-src) COMPONENTS ARCHITECTURE KEYRING
rewrite_stanzas() {
  awk -v from="$1" -v to="$2" -v type="$3" -v components="$4" -v architecture="$5" -v keyring="$6" '
    function has_word(list, word) { return (" " list " ") ~ ("[ \t\n]" word "[ \t\n]") }
    function flush_stanza() {
      if (has_word(field["types"], "deb") && has_word(field["suites"], from) &&
          has_word(field["components"], "main") && tolower(field["enabled"]) !~ /no|false/) {
        if (field["signed-by"] == "" && keyring != "") field["signed-by"] = " " keyring
        printf "Types: %s\nURIs:%s\nSuites: %s\nComponents: %s\nArchitectures: %s\nTargets: Packages Sources\n", \
          type, field["uris"], to, components, architecture
        if (field["signed-by"] != "") printf "Signed-By:%s\n", field["signed-by"]
        printf "\n"
      }
      split("", field); name = ""
    }
    /^#/ { next }
    /^[ \t\r]*$/ { flush_stanza(); next }
    /^[ \t]/ { field[name] = field[name] "\n" $0; next }
    {
      colon = index($0, ":")
      name = tolower(substr($0, 1, colon - 1))
      field[name] = substr($0, colon + 1)
      if (field[name] !~ /^[ \t]/) field[name] = " " field[name]
    }
    END { flush_stanza() }'
}

# Prints the private sources for a suite. Arguments: SUITE TYPE(deb|deb-src)
sources_for_suite() {
  local suite=$1 type=$2 codename components architecture keyring security
  codename="$(distribution_codename)"
  components="$(distribution_components)"
  architecture="$(dpkg --print-architecture)"
  keyring="$(distribution_keyring)"
  security="$(security_suite_of "$suite")"
  configured_sources | rewrite_stanzas "$codename" "$(archive_suites_of "$suite")" \
    "$type" "$components" "$architecture" "$keyring"
  if [[ -n $security ]]; then
    configured_sources | rewrite_stanzas "$codename-security" "$security" \
      "$type" "$components" "$architecture" "$keyring"
  fi
}
