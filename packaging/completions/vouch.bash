# bash completion for vouch and vouch-store. It asks the program's own help, so it is never behind.
_vouch() {
  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
  local names command=${COMP_WORDS[1]-} second=${COMP_WORDS[2]-}
  if [[ $program == *vouch-store ]]; then
    names=$("$program" --help 2>/dev/null | sed -n 's/^  vouch-store \([a-z]*\).*/\1/p')
  else
    names=$("$program" help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\( [a-z][a-z]*\)\{0,1\}\)  *.*/\1/p')
  fi
  if [[ $previous == --format ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'table json' -- "$cur")
  elif ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$names" | sort -u)" -- "$cur")
  elif ((COMP_CWORD == 2)) && [[ $command == help ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$names" | sort -u)" -- "$cur")
  elif ((COMP_CWORD == 2)) && grep -q "^$command ." <<<"$names"; then
    mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^$command //p" <<<"$names")" -- "$cur")
  elif [[ $cur == -* ]]; then
    grep -q "^$command $second\$" <<<"$names" || second=
    # shellcheck disable=SC2086 # no second word is no argument
    mapfile -t COMPREPLY < <(compgen -W "$("$program" help "$command" $second 2>/dev/null |
      grep -o -e '--[a-z][a-z-]*' | sort -u)" -- "$cur")
  else
    compopt -o default
    COMPREPLY=()
  fi
}
complete -F _vouch vouch vouch-store
