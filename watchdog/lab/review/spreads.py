"""What a report's numbers are told by: a time, and how seconds are spread over what has them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from watchdog.core.spans import Span, seconds_in
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True)
class Window:
    """From and to, on both clocks; the end is not part of it."""

    since: Instant
    until: Instant

    def holds(self, at: Instant) -> bool:
        return self.since.steady <= at.steady < self.until.steady

    def seconds_of(self, spans: Iterable[Span]) -> float:
        """How much of it they cover, whatever overlaps."""
        return seconds_in(spans, self.since.steady, self.until.steady)


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds of so many; None where there is none."""

    count: int
    median: float | None = None
    p90: float | None = None
    highest: float | None = None


def spread(seconds: Iterable[float | None]) -> Spread:
    known = sorted(one for one in seconds if one is not None)
    if not known:
        return Spread(0)
    nearest = known[math.ceil(0.9 * len(known)) - 1]
    return Spread(len(known), statistics.median(known), nearest, known[-1])
