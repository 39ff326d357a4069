"""What a shell offers when somebody presses TAB: names that the daemon knows by now.

The law: it asks for half a second at most, prints nothing of its own, and offers nothing where no
answer comes. A name that it does not offer can be typed all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from glob import escape
from pathlib import Path
from typing import Any

import typer

from watchdog.cli.client import Client, Refused, Unreachable
from watchdog.cli.shared import DEFAULT_SOCKET
from watchdog.core.drills import AS_ROOT, BY_PEOPLE, DrillKind

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


def _ended_too(episodes: Any) -> Offer:
    for one in episodes:
        yield one["id"], f"{one['rule']}, {one['state']}"


def _owners(status: Any) -> Offer:
    for name in sorted({one["owner"] for one in status["rules"]}):
        yield name, ""


def _targets(status: Any) -> Offer:
    by: dict[str, list[str]] = {}
    for one in status["actions"]:
        by.setdefault(one["target"], []).append(one["name"])
    for target, names in sorted(by.items()):
        yield target, ", ".join(names)


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


def _told(status: Any) -> Offer:
    for name in (status["telling"] or {}).get("names", ()):
        yield name, ""


def _outside(status: Any) -> Offer:
    for name in (status["telling"] or {}).get("outside", ()):
        yield name, "an audience outside"


def _follow_ups(status: Any) -> Offer:
    for one in status["follow_ups"]:
        if one["open"]:
            yield one["follow_up"], f"{one['episode']}: {one['text']}"


def _deed(ctx: typer.Context) -> str:
    """The word before, by which it is known what comes next."""
    found = ctx.params.get("deed")
    return str(getattr(found, "value", found))


def drilled(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """What a drill may be run or recorded of; of documents those that lie where is typed."""
    kinds = {
        "run": [kind.value for kind in DrillKind if kind not in BY_PEOPLE or kind in AS_ROOT],
        "record": [kind.value for kind in DrillKind if kind in BY_PEOPLE],
    }
    found = [(kind, "") for kind in kinds.get(_deed(ctx), [])]
    if _deed(ctx) == "record":
        begun = incomplete.rpartition("/")[2]
        lead = incomplete.removesuffix(begun)
        documents = Path(lead or ".").glob(f"{escape(begun)}*.json")
        found += [(f"{lead}{one.name}", "") for one in sorted(documents)]
    return [one for one in found if one[0].startswith(incomplete)]


def followed(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """For `add` an episode, for `close` a follow-up that is open."""
    names = {"add": _episodes, "close": _follow_ups}.get(_deed(ctx))
    return offered(STATUS, names)(ctx, incomplete) if names is not None else []


def checks(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The checks of what is to be verified: an action, or the actions of an episode."""
    what = ctx.params.get("what") or next(iter(ctx.args), None)  # before an option without a value

    def of_it(status: Any) -> Offer:
        mine = [ep for ep in status["episodes"] if ep["id"] == what]
        actions = {what, *(ep["action"] for ep in mine)}
        actions |= {claim["action"] for ep in mine for claim in ep["claims"]}
        found = {
            check["check"]: check["says"]
            for action in status["actions"]
            if action["name"] in actions
            for check in action["verification"]
        }
        yield from found.items()

    return offered(STATUS, of_it)(ctx, incomplete)


STATUS = "/v1/status"
episodes = offered("/v1/episodes", _ended_too)
owners = offered(STATUS, _owners)
targets = offered(STATUS, _targets)
open_episodes = offered(STATUS, _episodes)
rules = offered(STATUS, _rules)
actions = offered(STATUS, _actions)
holds = offered(STATUS, _holds)
episodes_or_actions = offered(STATUS, _episodes, _actions)
whatever = offered(STATUS, _episodes, _actions, _rules)
told = offered(STATUS, _told)
outside = offered(STATUS, _outside)
