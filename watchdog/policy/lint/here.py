"""Lints of this host: the tools that its actions would run.

Pure: who looks is the command's business. An action that another host executes is looked at there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from watchdog.policy.lint.finding import Finding, Hit, Level, Named
from watchdog.policy.lint.ground import Ground
from watchdog.policy.nodes import Place
from watchdog.policy.verification import KEY as VERIFICATION


@dataclass(frozen=True, slots=True)
class Unfound:
    """A command of an action that this host would not find, and what was looked for."""

    action: str  # as it is written
    words: tuple[str | int, ...]  # where it is written in the action: ("verify", 0)
    looked_for: str


@dataclass(frozen=True, slots=True)
class HereLint(Named):
    look: Callable[[Ground, tuple[Unfound, ...]], Iterator[Hit]]


def here_findings(ground: Ground, unfound: tuple[Unfound, ...]) -> Iterator[Finding]:
    for one in LINTS:
        yield from (one.finding(hit) for hit in one.look(ground, unfound))


def _never_ready(ground: Ground, unfound: tuple[Unfound, ...]) -> Iterator[Hit]:
    for one in unfound:
        if one.words[0] == VERIFICATION:
            continue
        yield Hit(
            ground.action(one.action).at(*one.words, "run", 0),
            f"{one.action} is never ready on this host: {one.looked_for}",
            "Install it, write its whole path, or let PATH through (`env: [PATH]`); if another "
            "host executes it, say `host: NAME`.",
        )


def _never_looks(ground: Ground, unfound: tuple[Unfound, ...]) -> Iterator[Hit]:
    """Once for each place: actions may share what is written."""
    told = set[Place]()
    for one in unfound:
        if one.words[0] == VERIFICATION:
            place = ground.action(one.action).at(*one.words, "command", 0)
            if place in told:
                continue
            told.add(place)
            yield Hit(
                place,
                f"the check {one.words[1]} is never known on this host: {one.looked_for}",
                "Install it, write its whole path, or let PATH through (`env: [PATH]`).",
            )


LINTS = (
    HereLint(
        "action-never-ready",
        Level.WARNING,
        "A command that is not on this host",
        "Preflight refuses such an action, so a rule that relies on it is held when it is needed.",
        _never_ready,
    ),
    HereLint(
        "check-never-known",
        Level.WARNING,
        "A check whose command is not on this host",
        "It is not known after any rollback, and people learn to pass over what checks say.",
        _never_looks,
    ),
)
