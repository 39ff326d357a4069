"""What every command shares: its options, its exit status, and how it asks before it changes.

Exit status: 0 as it should be · 1 not so (errors in rules, an outcome that was not reached, a
daemon that could not start) · 2 wrong usage · 3 the daemon does not answer, or not so that it is
understood · 4 the daemon refuses · 5 not confirmed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

from watchdog.cli.client import Client, Refused, Unreachable
from watchdog.cli.exits import NO_DAEMON, NOT_CONFIRMED, REFUSED
from watchdog.cli.page import Terminal, plain
from watchdog.core.text import both_ends, seconds_of

console = Terminal(soft_wrap=True)
errors = Terminal(stderr=True, soft_wrap=True)

Socket = Annotated[
    Path,
    typer.Option("--socket", envvar="WATCHDOG_CONTROL_SOCKET", help="The daemon's control socket."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it stands in the record.")]

DEFAULT_SOCKET = Path("/run/slo-watchdog/control.sock")

_RECORD = (
    "What it decided so far can be read without it: "
    "slo-watchdog decisions --state-dir /var/lib/slo-watchdog"
)


_NOT_SO = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)
"""What showing an answer raises that has not the form that is shown."""


@contextmanager
def daemon(socket: Path) -> Iterator[Client]:
    """The daemon, or the exit status that says why not."""
    try:
        yield Client(socket)
    except Unreachable as error:
        fail(f"{error}\n{_RECORD}", NO_DAEMON)
    except Refused as error:
        fail(f"Refused: {error}", REFUSED)
    except _NOT_SO as error:
        # The answer was JSON, but not what this command knows how to show.
        fail(
            f"{socket}: what answers there is not understood: {type(error).__name__}: {error}. "
            "Are daemon and command of one version?",
            NO_DAEMON,
        )


def give(
    socket: Path, path: str, order: dict[str, Any], *, yes: bool, as_json: bool
) -> dict[str, Any]:
    """Show what the order would do, ask for its target's name, then give it.

    An order that would be refused from whoever gives it is not asked about.
    """
    with daemon(socket) as client:
        done = client.order(path, {**order, "dry": True})
        if done["data"].get("refused"):
            raise Refused(str(done["effect"]))  # which begins with why, and tells what it would do
        if done["data"].get("changes", 1):
            if not yes:
                confirm(str(done["effect"]), str(done["target"]))
            done = client.order(path, order)
        show(done, as_json=as_json, text=str(done["effect"]))
        return done
    raise AssertionError  # `daemon` ends the command where there is no answer


def confirm(effect: str, target: str) -> None:
    """Show what would be done, and go on only with the target's name typed.

    That nothing is done yet comes first: an effect reads as if it were there.
    """
    if not sys.stdin.isatty():
        errors.print(
            "Not confirmed, so nothing was done: there is no terminal to ask on. "
            "Add --yes to do it. What would be done:"
        )
        errors.print(_lines(effect))
        raise typer.Exit(NOT_CONFIRMED)
    errors.print("Nothing is done yet. What would be done:")
    errors.print(_lines(effect))
    try:
        typed = typer.prompt(f"Type {target} to go on", err=True, default="", show_default=False)
    except typer.Abort:
        typed = ""
    if typed.strip() != target:
        fail("Not confirmed: nothing was changed", NOT_CONFIRMED)


def show(document: Any, *, as_json: bool, text: str) -> None:
    if as_json:
        print(json.dumps(document, allow_nan=False))
    else:
        console.print(_lines(text))


def fail(message: str, status: int) -> NoReturn:
    """End the command with a message on stderr."""
    errors.print(_lines(message))
    raise typer.Exit(status)


def _lines(text: str) -> Text:
    """Text of several lines, without what would move the cursor."""
    return Text("\n").join(plain(both_ends(line)) for line in text.splitlines())


def seconds(text: str | None) -> float | None:
    """A duration as the rule files write it: 90s, 15m, 2h, 1d."""
    if text is None:
        return None
    found = seconds_of(text)
    if not found:
        raise typer.BadParameter(f"{text!r} is no duration. Write it like 90s, 30m, 2h or 1d.")
    return found
