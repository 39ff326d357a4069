"""The command `check`: would these rules load, and do they mean what they should?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import AsJson, console
from watchdog.policy.check import check as check_folder


def check(
    rules: Annotated[Path, typer.Argument(help="The rules folder.")],
    environment: Annotated[
        str | None, typer.Option(help="One environment; all that the folder names without it.")
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option("--var", help="NAME=VALUE, before the vars file's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a rules folder; every error with its file, line, column and remedy."""
    report = check_folder(rules, environment, variables=pairs(variable))
    if as_json:
        print(report.json())
    else:
        console.print(report.text(), markup=False)
    if not report.ok:
        raise typer.Exit(NOT_SO)


def pairs(texts: list[str] | None) -> dict[str, str]:
    """What `--var NAME=VALUE` gave."""
    return dict(_pair(text) for text in texts or [])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE")
    return name, value
