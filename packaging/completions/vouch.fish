# fish completion for vouch and vouch-store. It asks the program's own help, so it is never behind.
function __vouch_names
    set -l program (commandline -opc)[1]
    if string match -q '*vouch-store' -- $program
        $program --help 2>/dev/null | sed -n 's/^  vouch-store \([a-z]*\).*/\1/p' | sort -u
    else
        $program help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\( [a-z][a-z]*\)\{0,1\}\)  *.*/\1/p'
    end
end

function __vouch_complete
    set -l words (commandline -opc)
    set -l names (__vouch_names)
    if test (count $words) -eq 1; or test (count $words) -eq 2 -a "$words[2]" = help
        string replace -r ' .*' '' -- $names | sort -u
    else if test (count $words) -eq 2; and string match -q "$words[2] *" -- $names
        string match "$words[2] *" -- $names | string replace -r '^\S+ ' ''
    else if test "$words[-1]" = --format
        printf 'table\njson\n'
    else if string match -q -- '-*' (commandline -ct)
        set -l command $words[2]
        contains -- "$words[2] $words[3]" $names; and set command $words[2] $words[3]
        $words[1] help $command 2>/dev/null | grep -o -e '--[a-z][a-z-]*' | sort -u
    end
end

complete -c vouch -a '(__vouch_complete)'
complete -c vouch-store -a '(__vouch_complete)'
# A command comes first, never a file.
complete -c vouch -n 'test (count (commandline -opc)) -eq 1' -f
complete -c vouch-store -n 'test (count (commandline -opc)) -eq 1' -f
