"""Lints of this host: the tools that its actions would run.

Pure: who looks is the command's business. An action that another host executes is looked at there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from watchdog.policy.lint.finding import Finding, Hit, Level, Named
from watchdog.policy.lint.ground import Ground


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
        yield Hit(
            ground.action(one.action).at(*one.words, "run", 0),
            f"{one.action} is never ready on this host: {one.looked_for}",
            "Install it, write its whole path, or let PATH through (`env: [PATH]`); if another "
            "host executes it, say `host: NAME`.",
        )


LINTS = (
    HereLint(
        "action-never-ready",
        Level.WARNING,
        "A command that is not on this host",
        "Preflight refuses such an action, so a rule that relies on it is held when it is needed.",
        _never_ready,
    ),
)
