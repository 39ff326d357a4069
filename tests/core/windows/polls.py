"""Polls of one counter pair on an even grid, and an exact account of them, kept the slow way."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdog.core.samples import Point
from watchdog.core.windows import Observation, Tally
from watchdog.core.words import Instant

WALL = 1_700_000_000.0


def instant(seconds: float, wall_step: float = 0.0) -> Instant:
    return Instant(WALL + seconds + wall_step, 500.0 + seconds)


def points(value: float | None, **labels: str) -> tuple[Point, ...]:
    return () if value is None else (Point(tuple(sorted(labels.items())), value),)


@dataclass
class Polls:
    """Feeds a tally. `ok` and `failed` are the raw counters of the service."""

    tally: Tally
    every: float = 5.0
    at: float = 0.0
    ok: float = 100.0
    failed: float = 0.0

    def poll(self, *, restarted: bool = False) -> Observation:
        at = instant(self.at)
        total = (*points(self.ok, code="200"), *points(self.failed, code="500"))
        bad = points(self.failed, code="500")
        return self.tally.observe(at, at.wall, bad, total, restarted=restarted)

    def step(self, ok: float, failed: float = 0.0, intervals: float = 1) -> Observation:
        self.at += intervals * self.every
        self.ok += ok
        self.failed += failed
        return self.poll()

    def reset(self) -> None:
        self.ok = self.failed = 0.0


@dataclass
class Account:
    """Every stretch between two polls as (from, to, bad, total, watched)."""

    stretches: list[tuple[float, float, float, float, bool]] = field(default_factory=list)

    def note(self, polls: Polls, seen: Observation) -> None:
        if seen.first or not seen.fresh:
            return
        watched = not (seen.gap or seen.resets)
        row = (polls.at - seen.seconds, polls.at, seen.bad, seen.total, watched)
        self.stretches.append(row)

    def events_after(self, moment: float, gap_seconds: float) -> tuple[float, float]:
        """(bad, total) of what stands after `moment`: a gap's at its start, the rest at its end."""
        chosen = [
            (bad, total)
            for since, until, bad, total, _ in self.stretches
            if (since if until - since > gap_seconds else until) > moment
        ]
        return sum(bad for bad, _ in chosen), sum(total for _, total in chosen)

    def watched_after(self, moment: float) -> float:
        return sum(
            until - max(since, moment)
            for since, until, _, _, watched in self.stretches
            if watched and until > moment
        )
