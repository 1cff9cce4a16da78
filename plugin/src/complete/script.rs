//! The scripts that make shells ask: for the plugin itself, `kubectl-mqinformer`. For `kubectl mqinformer` kubectl's own
//! script asks `kubectl_complete-mqinformer`.

use clap::ValueEnum;

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

impl Shell {
    /// Its script.
    pub fn script(self) -> &'static str {
        match self {
            Self::Bash => BASH,
            Self::Zsh => ZSH,
            Self::Fish => FISH,
        }
    }
}

/// Words are cut from the line, since bash cuts them at `=` and `:`; what bash will replace is what it has cut off last.
const BASH: &str = r#"# bash completion for kubectl-mqinformer
_kubectl_mqinformer() {
    local line=${COMP_LINE:0:COMP_POINT} cur=${COMP_WORDS[COMP_CWORD]} words out directive typed candidate
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    [[ $cur == = ]] && cur=
    COMPREPLY=()
    out=$("${words[0]}" __complete "${words[@]:1}" 2>/dev/null) || return
    directive=${out##*:}
    out=${out%:*}
    typed=${words[${#words[@]}-1]}
    [[ $typed == --*=* ]] && typed=${typed#*=}
    typed=${typed%"$cur"}
    while IFS=$'\t' read -r candidate _; do
        [[ -n $candidate ]] && COMPREPLY+=("${candidate#"$typed"}")
    done <<< "$out"
    (( directive & 2 )) && compopt -o nospace 2>/dev/null
    (( directive == 0 )) && compopt -o default 2>/dev/null
    (( directive & 16 )) && compopt -o dirnames 2>/dev/null
    return 0
}
complete -F _kubectl_mqinformer kubectl-mqinformer
"#;

const ZSH: &str = r#"#compdef kubectl-mqinformer
compdef _kubectl_mqinformer kubectl-mqinformer
_kubectl_mqinformer() {
    local -a lines candidates
    local line candidate about directive
    lines=("${(@f)$("${words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    directive=${lines[-1]#:}
    lines[-1]=()
    [[ ${words[CURRENT]} == --*=* ]] && compset -P '*='
    for line in "${lines[@]}"; do
        [[ -z $line ]] && continue
        candidate=${line%%$'\t'*}
        about=
        [[ $line == *$'\t'* ]] && about=:${line#*$'\t'}
        candidates+=("${candidate//:/\\:}$about")
    done
    if (( ${#candidates} )); then
        if (( directive & 2 )); then
            _describe kubectl-mqinformer candidates -S ''
        else
            _describe kubectl-mqinformer candidates
        fi
    elif (( directive == 0 )); then
        _files
    elif (( directive & 16 )); then
        _files -/
    fi
}
[ "$funcstack[1]" = "_kubectl_mqinformer" ] && _kubectl_mqinformer
"#;

const FISH: &str = r#"# fish completion for kubectl-mqinformer
function __kubectl_mqinformer_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$last" 2>/dev/null)
    set -l directive (string replace ':' '' -- $lines[-1])
    set -l before ''
    if string match -qr -- '^--[^=]+=' "$last"
        set before (string replace -r -- '=.*' '=' "$last")
    end
    for line in $lines[1..-2]
        echo "$before$line"
    end
    if test "$directive" = 0
        __fish_complete_path "$last"
    else if test "$directive" = 16
        __fish_complete_directories "$last"
    end
end
complete -c kubectl-mqinformer -f -a '(__kubectl_mqinformer_complete)'
"#;
