"""The same numbers by week and by month, so that it is seen whether they become better.

A week begins on Monday, a month on its first day, at midnight in UTC. The first and the last may be
cut by what is asked for, and say so: a low number in them is no trend.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from watchdog.core.drills import DrillStage
from watchdog.core.measures import Ended
from watchdog.core.words import Instant
from watchdog.lab.incident.times import times_of
from watchdog.lab.review.ledger import Ledger
from watchdog.lab.review.numbers import (
    DRILL,
    acts_in,
    blindness,
    cases_in,
    down,
    has_acted,
    of_a_rule,
)
from watchdog.lab.review.practice import practice
from watchdog.lab.review.spreads import Window, spread


class Step(StrEnum):
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """One week or month. Medians are None where nothing happened that has a time."""

    name: str  # "2026-W48", "2026-11"
    since: Instant
    until: Instant
    cut: bool  # not all of it lies in what was asked for
    episodes: int
    rollbacks: int
    not_in_time: int  # late, failed or unknown
    false_actions: int
    calls: int
    downtime_seconds: float
    blind_seconds: float  # of all rules together
    detect_median: float | None
    effect_median: float | None
    recover_median: float | None
    satisfaction: float | None
    drills: int = 0
    drills_failed: int = 0
    drill_median: float | None = None  # rollback time of those that passed


def trend(ledger: Ledger, window: Window, step: Step) -> tuple[Period, ...]:
    """The oldest first. Of a time before the record began there is none: nothing is known of it."""
    begins = ledger.first if not ledger.retired else None
    if begins is not None and begins.steady > window.since.steady:
        window = Window(begins, window.until)
    return tuple(_period(ledger, name, part, cut=cut) for name, part, cut in _parts(window, step))


def _period(ledger: Ledger, name: str, part: Window, *, cut: bool) -> Period:
    cases = [c for c in cases_in(ledger, part) if c.mark != DRILL and c.measure.lasted]
    acts = acts_in(ledger, part)
    times = [times_of(case.measure) for case in cases]
    missed = {Ended.LATE, Ended.FAILED, Ended.UNKNOWN}
    names = {case.measure.episode for case in cases}
    said = {
        told.episode: told.satisfaction
        for _, told in ledger.impacts
        if told.episode in names and told.satisfaction is not None
    }
    blind = blindness(ledger, part.until)
    practised = practice(ledger, part, ()).drills
    return Period(
        name=name,
        since=part.since,
        until=part.until,
        cut=cut,
        episodes=len(cases),
        rollbacks=len(acts),
        not_in_time=sum(act.ended in missed for _, act in acts),
        false_actions=sum(c.mark == "false" and of_a_rule(c) and has_acted(c) for c in cases),
        calls=sum(part.holds(at) for at in ledger.calls),
        downtime_seconds=part.seconds_of(down(ledger, part.until)),
        blind_seconds=sum(part.seconds_of(spans) for spans in blind.values()),
        detect_median=spread(one.first_bad_to_breach for one in times).median,
        effect_median=spread(one.breach_to_effect for one in times).median,
        recover_median=spread(one.breach_to_recovered for one in times).median,
        satisfaction=statistics.fmean(said.values()) if said else None,
        drills=len(practised),
        drills_failed=sum(not one.passed for one in practised),
        drill_median=spread(
            one.stages.get(DrillStage.READ_BACK.value) for one in practised if one.passed
        ).median,
    )


def _parts(window: Window, step: Step) -> Iterator[tuple[str, Window, bool]]:
    """(name, the part of the window that lies in it, whether that is not all of it)."""
    begin, end = window.since.utc, window.until.utc
    day = datetime(begin.year, begin.month, begin.day, tzinfo=UTC)
    first = day - timedelta(days=day.weekday()) if step is Step.WEEK else day.replace(day=1)
    while first < end:
        after = first + timedelta(days=7) if step is Step.WEEK else _next_month(first)
        name = f"{first:%G-W%V}" if step is Step.WEEK else f"{first:%Y-%m}"
        part = Window(_at(window, max(first, begin)), _at(window, min(after, end)))
        yield name, part, first < begin or after > end
        first = after


def _next_month(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)


def _at(window: Window, at: datetime) -> Instant:
    """On both clocks, as far from the window's end on the one as on the other."""
    return window.until.plus(at.timestamp() - window.until.wall)
