"""Are these answers fit to be judged? Every way in which they are not is a reason to be BLIND.

Nothing here ever breaches: a look that failed, or whose numbers are no numbers, too old, from the
future or frozen, says nothing about the service (DESIGN section 4, FAULTS 1 to 11).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from watchdog.core.judge.finding import Finding, blinded
from watchdog.core.samples import Answer, Labels, Point, Reading
from watchdog.core.text import duration, printable, shortened
from watchdog.core.words import Blind, Instant

SKEW_SECONDS = 1.0  # how far a provider's clock may run ahead of ours
_SERIES_NAMED = 5


def series_text(labels: Labels) -> str:
    """On one line, whatever a value holds."""
    return "{" + ", ".join(f'{name}="{printable(value)}"' for name, value in labels) + "}"


def named(points: Iterable[Point]) -> str:
    """The series of these points, the first few by their labels."""
    texts = [series_text(point.labels) for point in points]
    more = len(texts) - _SERIES_NAMED
    return ", ".join(texts[:_SERIES_NAMED]) + (f" and {more} more" if more > 0 else "")


def pick(
    expressions: Iterable[str], answers: Mapping[str, Answer]
) -> tuple[tuple[Answer, ...], Finding | None]:
    """The answers to these expressions, or why there is one missing or failed."""
    picked = []
    for expression in expressions:
        answer = answers.get(expression)
        if answer is None:
            return (), blinded(Blind.OURS, f"nothing was asked for {shortened(expression)}")
        if answer.failure is not None:
            failure = answer.failure
            return (), blinded(failure.blind, f"{shortened(expression)}: {failure.reason}")
        if answer.unwatched:
            unknown = ", ".join(shortened(each) for each in answer.unwatched)
            reason = f"{shortened(expression)}: not watched long enough to know {unknown}"
            return (), blinded(Blind.NEWBORN, reason)
        picked.append(answer)
    return tuple(picked), None


def bad_numbers(expression: str, points: Iterable[Point], *, infinite: bool) -> Finding | None:
    """NaN anywhere, or an infinity where none is allowed."""
    for point in points:
        where = shortened(expression) + (series_text(point.labels) if point.labels else "")
        if math.isnan(point.value):
            return blinded(Blind.NAN, f"{where} is NaN")
        if math.isinf(point.value) and not infinite:
            sign = "+Inf" if point.value > 0 else "-Inf"
            return blinded(Blind.INFINITE, f"{where} is {sign}, which the rule does not allow")
    return None


def odd_counters(expression: str, points: tuple[Point, ...]) -> Finding | None:
    """What no set of counters can look like."""
    number = bad_numbers(expression, points, infinite=False)
    if number is not None:
        return number
    if len({point.labels for point in points}) < len(points):
        reason = f"{shortened(expression)} gives several series with the same labels"
        return blinded(Blind.ODD_ANSWER, reason)
    for point in points:
        if point.value < 0:
            reason = f"{shortened(expression)}{series_text(point.labels)} counts below zero"
            return blinded(Blind.ODD_ANSWER, reason)
    return None


@dataclass(frozen=True, slots=True)
class Freshness:
    """The newest sample time seen, and since when it has been the newest (steady clock).

    That a timestamp never moves is seen on the steady clock, so that setting the wall clock
    back cannot make old samples look new.
    """

    newest: float | None = None
    since: float = 0.0

    def after(self, newest: float, at: Instant) -> Freshness:
        return self if newest == self.newest else Freshness(newest, at.steady)

    def fault(
        self, reading: Reading, now: Instant, *, stale_after_seconds: float
    ) -> Finding | None:
        """Why the newest sample may not be judged at `now`, or None."""
        if self.newest is None:
            return blinded(Blind.NO_DATA, "no sample stands behind the answer")
        ahead = self.newest - reading.at.wall
        if ahead > reading.took_seconds + SKEW_SECONDS:
            reason = f"the newest sample is {duration(ahead)} ahead of our clock"
            return blinded(Blind.FUTURE, reason)
        unmoved = reading.at.steady - self.since
        if unmoved > stale_after_seconds:
            reason = f"the newest sample has had the same timestamp for {duration(unmoved)}"
            return blinded(Blind.FROZEN, reason)
        return stale(now.steady - reading.at.steady - ahead, stale_after_seconds)

    def shifted(self, at: Instant) -> Freshness:
        """As taken up again at `at`: the time in which nobody looked is no sign of frost."""
        return replace(self, since=at.steady)


def stale(age_seconds: float, stale_after_seconds: float) -> Finding | None:
    if age_seconds <= stale_after_seconds:
        return None
    reason = (
        f"the newest sample is {duration(age_seconds)} old, "
        f"more than {duration(stale_after_seconds)}"
    )
    return blinded(Blind.STALE, reason)
