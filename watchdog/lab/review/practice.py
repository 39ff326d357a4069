"""Drills in a report: what was practised, how it went, how long it took, and what was missed.

A drill belongs to the time in which it ended, by its own clock; it may have been recorded later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchdog.core.drills import DrillEnded, DrillKind, DrillStage
from watchdog.lab.review.ledger import Ledger
from watchdog.lab.review.spreads import Spread, Window, spread


@dataclass(frozen=True, slots=True)
class Practised:
    """One drill. `stages` holds those that were reached, in seconds."""

    name: str
    what: str
    action: str
    ended_at: float  # wall
    passed: bool
    seconds: float
    stages: Mapping[str, float]
    reasons: tuple[str, ...]
    note: str
    by: str


@dataclass(frozen=True, slots=True)
class OfKind:
    """All drills of one kind. `rollback` is the procedure's rollback time, of those that passed."""

    what: str
    run: int
    passed: int
    missed: int  # so often it became overdue
    seconds: Spread
    rollback: Spread


@dataclass(frozen=True, slots=True)
class Practice:
    kinds: tuple[OfKind, ...]
    drills: tuple[Practised, ...]  # the oldest first
    episodes: tuple[str, ...]  # of the real record, that somebody marked as a drill


def practice(ledger: Ledger, window: Window, episodes: Iterable[str]) -> Practice:
    ran = drills_in(ledger, window)
    missed = [one.what for at, one in ledger.missed if window.holds(at)]
    kinds = [one for one in DrillKind if one in missed or any(d.told.what is one for d in ran)]
    return Practice(
        kinds=tuple(_of_kind(one, ran, missed.count(one)) for one in kinds),
        drills=tuple(_practised(one) for one in ran),
        episodes=tuple(episodes),
    )


def drills_in(ledger: Ledger, window: Window) -> list[DrillEnded]:
    """Those that ended in it, the oldest first."""
    since, until = window.since.wall, window.until.wall
    found = [one for one in ledger.drills.values() if since <= one.told.ended_at < until]
    return sorted(found, key=lambda one: one.told.ended_at)


def _of_kind(what: DrillKind, ran: list[DrillEnded], missed: int) -> OfKind:
    these = [one.told for one in ran if one.told.what is what]
    good = [one for one in these if one.passed]
    rollbacks = (
        stage.seconds for one in good for stage in one.stages if stage.stage is DrillStage.READ_BACK
    )
    took = (one.seconds for one in good if one.seconds)  # told by people it has none
    return OfKind(what.value, len(these), len(good), missed, spread(took), spread(rollbacks))


def _practised(one: DrillEnded) -> Practised:
    told = one.told
    return Practised(
        name=one.drill,
        what=told.what.value,
        action=told.action,
        ended_at=told.ended_at,
        passed=told.passed,
        seconds=told.seconds,
        stages={at.stage.value: at.seconds for at in told.stages if at.seconds is not None},
        reasons=told.reasons,
        note=told.note,
        by=one.actor,
    )
