"""Which command lives where. A command's module is imported when it is asked for.

The daemon, the policy and the store each take a good part of a second to import, and a hold at
three in the morning needs none of them.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from keyword import iskeyword
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.core.text import both_ends, printable

COMPLETING = "_SLO_WATCHDOG_COMPLETE"
"""The variable by which a shell asks what could be typed next."""

PLACES = {
    "run": "process",
    "init": "process",
    "check": "check",
    "new": "new",
    "import": "importing",
    "test": "rule_tests",
    "explain": "explain",
    "schema": "schema",
    "completion": "completion",
    "backtest": "backtest",
    "tune": "tune",
    "compare": "compare",
    "demo": "demo",
    "status": "look",
    "decisions": "look",
    "why": "look",
    "replay": "replay",
    "backup": "backup",
    "evidence": "evidence",
    "apply": "orders",
    "hold": "orders",
    "silence": "orders",
    "release": "orders",
    "deploy": "deploying",
    "plan": "planning",
    "approve": "orders",
    "deny": "orders",
    "rollback": "orders",
    "undo": "orders",
    "verify": "verifying",
    "ack": "orders",
    "act": "orders",
    "close": "orders",
    "mark": "orders",
    "incident": "incident",
    "notify": "telling",
    "announce": "telling",
    "report": "report",
    "impact": "hindsight",
    "follow-up": "hindsight",
    "recover": "recovering",
    "handover": "handover",
    "drill": "drill",
    "anchor": "anchor",
    "restore": "restore",
}
"""Command -> module in this room, in which a function of the command's name is the command
(`import_` for `import`, which is a word of Python's; `follow_up` for `follow-up`)."""


class Commands(TyperGroup):
    """The commands of `PLACES`, imported one by one."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(PLACES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        return command(cmd_name) if cmd_name in PLACES else None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _told():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with _told():
            return super().invoke(ctx)


@contextmanager
def _told() -> Iterator[None]:
    """What was typed stands in an error so that it moves no cursor; and what the system refuses of
    a path that was named (too long, not ours to read) is an answer, no bug.
    """
    try:
        yield
    except typer.TyperException as error:
        error.message = "\n".join(
            printable(both_ends(line, 500)) for line in error.message.split("\n")
        )
        raise
    except UnicodeEncodeError as error:
        given = printable(both_ends(str(error.object), 500))
        typer.echo(f"{given}: it holds bytes that are no UTF-8 text. Write it anew", err=True)
        raise typer.Exit(WRONG_USAGE) from None
    except OSError as error:
        if error.filename is not None:
            where = printable(both_ends(os.fsdecode(error.filename), 500))
            said = f"{where}: {error.strerror}. Is it the right path, and yours to use?"
        elif error.errno in {errno.ENOSPC, errno.EDQUOT}:
            said = f"The output could not be written: {error.strerror}"
        else:
            raise
        typer.echo(said, err=True)
        raise typer.Exit(NOT_SO) from None


class Command(TyperCommand):
    """One command, told of in the same way everywhere: its arguments in capitals, no braces."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for param in self.params:
            if param.param_type_name == "argument":
                param.metavar = param.metavar or param.name.upper()

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [re.sub("[{}]", "", piece) for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # the library's own words
            raise


def command(name: str) -> Any:
    """The command as typer understands it."""
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    module = import_module(f"watchdog.cli.{PLACES[name]}")
    function = f"{name}_" if iskeyword(name) else name.replace("-", "_")
    alone.command(name, cls=Command)(getattr(module, function))
    return typer.main.get_command(alone)
