"""What a shell offers when somebody presses TAB: names that the daemon knows by now.

The law: it asks for half a second at most, prints nothing of its own, and offers nothing where no
answer comes. A name that it does not offer can be typed all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from watchdog.cli.client import Client, Refused, Unreachable
from watchdog.cli.shared import DEFAULT_SOCKET

ASK_SECONDS = 0.5

Offer = Iterator[tuple[str, str]]
"""A name, and what shells that can show it say beside it."""

Names = Callable[[Any], Offer]


def offered(path: str, *names: Names) -> Callable[[typer.Context, str], list[tuple[str, str]]]:
    """A completer: what those find in the daemon's answer, as far as it fits what is typed."""

    def complete(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        found = _answer(ctx, path)
        try:
            told = [one for name in names for one in name(found)] if found is not None else []
        except (LookupError, TypeError, AttributeError):  # a daemon of another version
            return []
        return [one for one in told if one[0].startswith(incomplete)]

    return complete


def _answer(ctx: typer.Context, path: str) -> Any:
    socket = ctx.params.get("socket") or os.environ.get("WATCHDOG_CONTROL_SOCKET")
    try:
        return Client(Path(socket or DEFAULT_SOCKET), ASK_SECONDS).read(path)
    except (Unreachable, Refused):
        return None


def _episodes(status: Any) -> Offer:
    for one in status["episodes"]:
        yield one["id"], f"{one['rule']}, {one['state']}"


def _rules(status: Any) -> Offer:
    for one in status["rules"]:
        yield one["name"], str(one["verdict"]["status"] if one.get("verdict") else "")


def _actions(status: Any) -> Offer:
    for one in status["actions"]:
        yield one["name"], one["target"]


def _holds(status: Any) -> Offer:
    for one in status["holds"]:
        yield one["id"], one["reason"]


STATUS = "/v1/status"
open_episodes = offered(STATUS, _episodes)
rules = offered(STATUS, _rules)
actions = offered(STATUS, _actions)
holds = offered(STATUS, _holds)
episodes_or_actions = offered(STATUS, _episodes, _actions)
whatever = offered(STATUS, _episodes, _actions, _rules)
