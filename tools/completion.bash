# SPDX-License-Identifier: Apache-2.0
# Completion of the tools' options for bash, from what --help says: options of the command, or of the
# subcommand that stands there already, the words that an option takes, and files.

_tdshim() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=("$1") help words
  case ${COMP_WORDS[1]:-} in
    create | list | decode | replay | check | build | print | verify) if [[ $COMP_CWORD -gt 1 ]]; then command+=("${COMP_WORDS[1]}"); fi ;;
  esac
  help="$("${command[@]}" --help 2>/dev/null)"
  words="$(sed -nE "s/^ +(-[a-z],)?$previous ([a-z0-9-]+(\\|[a-z0-9-]+)+).*/\\2/p" <<<"$help" | tr '|' ' ')"
  if [[ -z $words && $word == -* ]]; then
    words="$(grep -oE '^ +(-[a-z],)?--[a-z0-9-]+' <<<"$help" | grep -oE -- '--[a-z0-9-]+')"
  elif [[ -z $words && $COMP_CWORD -eq 1 ]]; then
    words="$(sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$help")"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _tdshim shim-bundle shim-check shim-enroll shim-guest shim-hob shim-info shim-ld shim-log shim-measure shim-sign td-emu
