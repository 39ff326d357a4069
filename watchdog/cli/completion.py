"""`slo-watchdog completion`: what makes a shell complete our commands, options and names."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
import typer.completion as typers

from watchdog.cli.commands import COMPLETING


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
    # typer has no public name for it
    script = typers.get_completion_script(  # type: ignore[attr-defined]
        prog_name="slo-watchdog", complete_var=COMPLETING, shell=shell
    )
    print(script)
