"""The command `slo-watchdog`. Exit status: see `cli/shared.py`."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated

import typer
import typer.completion as typers

from watchdog.cli.commands import COMPLETING, Commands
from watchdog.cli.exits import NOT_SO

app = typer.Typer(
    name="slo-watchdog",
    cls=Commands,
    help="Reads metrics, judges them by rule files, rolls back by itself, and proves that it did.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    epilog="Exit status: 0 as it should be, 1 not so, 2 wrong usage, 3 no daemon, "
    "4 refused, 5 not confirmed.",
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001  # typer's callback signature
    if wanted:
        print(version("slo-watchdog"))
        raise typer.Exit


@app.callback()
def _every_command(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Options before the command's name."""
    del show_version


def main() -> None:
    """The console script. Ends with a sentence whatever happens, never with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A character that this terminal has no code for must not end the command.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    if COMPLETING in os.environ:
        # typer has no public name for it
        typers.completion_init()  # type: ignore[attr-defined]
    try:
        app()
    except Exception as error:  # noqa: BLE001  # a bug of ours, told in a line to whoever is on call
        typer.echo(f"A fault of slo-watchdog itself: {type(error).__name__}: {error}", err=True)
        sys.exit(NOT_SO)
