"""A rule's windows, filled from history beside the ones in use, which go on meanwhile.

The last hour is counted as it would have been polled. What lies before it is read at the width of
the buckets in which it is kept: a counter that was reset between two looks loses what it counted
in between, and that stretch counts as not watched. History that cannot be used is left out: it
costs coverage, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from watchdog.core.judge.answers import odd_counters, pick
from watchdog.core.judge.ratio import period_of, windows_of
from watchdog.core.samples import Answer
from watchdog.core.spec import RatioThreshold, RuleSpec, Slo
from watchdog.core.windows import Tally, period_bucket_seconds
from watchdog.core.words import Instant

_CLOSE_SECONDS = 3600.0
_COARSE_SECONDS = 300.0
_GAP_STEPS = 1.5  # one look that is missing is a gap, whatever the jitter


class Past:
    """Feed it with `look`, oldest first."""

    def __init__(self, signal: RatioThreshold | Slo, every_seconds: float) -> None:
        counters = signal.counters
        self.queries = counters.events, counters.total
        self.tally = Tally(every_seconds, windows_of(signal), period_of(signal))
        self._good = counters.good
        self._every = every_seconds

    @classmethod
    def of(cls, rule: RuleSpec) -> Past | None:
        """For a rule of ratios; no other one has windows."""
        signal = rule.signal
        if not isinstance(signal, RatioThreshold | Slo):
            return None
        return cls(signal, rule.every_seconds)

    def stretches(self, now: float) -> Iterator[tuple[float, float, float]]:
        """(first, last, step) of what is to be asked for, by the wall clock, oldest first."""
        stages = list(self._stages())
        reach, step = stages[0]
        first = (now - reach) // step * step - step
        for reach, closer in stages[1:]:
            last = (now - reach) // step * step - step
            yield first, last, step
            first, step = last, closer
        yield first, now, step
        yield now, now, step  # as fresh as the polls that go on from it

    def _stages(self) -> Iterator[tuple[float, float]]:
        """(how far back, how far apart) of the looks."""
        longest, period = self.tally.window_seconds[-1], self.tally.period_seconds
        if period is not None and period > longest:
            yield period, max(self._every, period_bucket_seconds(period))
        if longest > _CLOSE_SECONDS:
            yield longest, max(self._every, _COARSE_SECONDS)
        yield min(longest, _CLOSE_SECONDS), self._every

    def look(self, answers: Mapping[str, Answer], now: Instant, step_seconds: float) -> bool:
        """Count one past moment; False where it could not be used. `now` is the present."""
        picked, fault = pick(self.queries, answers)
        if fault is not None:
            return False
        if any(odd_counters(q, a.points) for q, a in zip(self.queries, picked, strict=True)):
            return False
        events, total = picked
        if not total.points or total.newest is None or (self._good and not events.points):
            return False
        gap = None if step_seconds <= self._every else _GAP_STEPS * step_seconds
        return self.tally.observe(
            now, total.newest, events.points, total.points, good=self._good, gap_seconds=gap
        ).fresh
