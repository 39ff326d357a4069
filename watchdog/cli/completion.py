"""`slo-watchdog completion`: what makes a shell complete our commands, options and names."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
import typer.completion as typers

from watchdog.cli.commands import COMPLETING

_BASH = """\
_slo_watchdog_completion() {
    local IFS=$'\\n' word last words=()
    # bash takes flag:NAME apart at its colon, and wants what follows the last one
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ${#words[@]} -gt 0 && ($word == :* || ${words[-1]} == *:) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    last=${words[-1]}
    COMPREPLY=( $( env COMP_WORDS="${words[*]}" COMP_CWORD=$(( ${#words[@]} - 1 )) \\
                   VARIABLE=complete_bash $1 ) )
    if [[ $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=( "${COMPREPLY[@]#"${last%"${last##*:}"}"}" )
    fi
    return 0
}

complete -o default -F _slo_watchdog_completion slo-watchdog
"""


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="`bash`, `zsh` or `fish`.")]) -> None:
    """Print what makes a shell complete commands, options, and the names that the daemon knows.

    bash: `slo-watchdog completion bash > /etc/bash_completion.d/slo-watchdog`. zsh: into a file
    `_slo-watchdog` of a folder in `$fpath`. fish: into
    `~/.config/fish/completions/slo-watchdog.fish`.
    """
    if shell is Shell.BASH:
        print(_BASH.replace("VARIABLE", COMPLETING))
        return
    # typer has no public name for it
    script = typers.get_completion_script(  # type: ignore[attr-defined]
        prog_name="slo-watchdog", complete_var=COMPLETING, shell=shell
    )
    print(script)
