"""Automatic starts, as cooldown and budget count them.

Laws: an abandoned start is none. One that found its target as desired changed nothing, so it takes
no slot of the budget: an outage that breaches many rules of one target is one change of it. Shadow
counts as if its would-acts had been done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from watchdog.core.entries import Outcome
from watchdog.core.standing import Episode
from watchdog.core.states import State
from watchdog.core.words import Instant, World


@dataclass(frozen=True, slots=True)
class Acted:
    """One automatic start. `found`: its target stood so already."""

    world: World
    rule: str
    action: str
    intent: str
    at: Instant
    found: bool = False


def after_ending(starts: Iterable[Acted], intent: str, outcome: Outcome) -> Iterator[Acted]:
    """What is left to count once this intent has ended."""
    for start in starts:
        if start.intent != intent:
            yield start
        elif outcome is not Outcome.ABANDONED:
            yield replace(start, found=outcome is Outcome.FOUND)


def supposed_already(ep: Episode, others: Iterable[Episode]) -> bool:
    """Whether another episode in shadow would have brought the target there before this one."""
    return any(
        other.target == ep.target and other.state is State.SHADOWED and other.id != ep.id
        for other in others
    )


def slots_taken(
    starts: Iterable[Acted], world: World, now: Instant, *, within_seconds: float
) -> int:
    """Of the budget, by the changes of one world."""
    return sum(
        start.world is world and not start.found and now.steady - start.at.steady < within_seconds
        for start in starts
    )
