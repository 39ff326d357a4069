"""Who is affected: a rule's own `impact`, asked beside what it judges, and never judged.

Laws: it is asked of the rule's source after what is judged, and apart from it; whatever comes of it
neither breaches nor blinds nor delays. What is not known is None with a reason, never 0: also where
nothing was seen since the trouble began. `increase` counts from the sample before the first bad
one, as the rule's own counters are counted; `value` is the highest seen since the first bad sample,
and one below zero is no number of anybody. All of it is checkpointed with the rule's windows.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from watchdog.core.gates import FLOAT_DUST
from watchdog.core.judge.answers import named, odd_counters, pick
from watchdog.core.samples import Answer, Reading
from watchdog.core.spec import RuleSpec
from watchdog.core.text import shortened
from watchdog.core.windows import Tally, position

_WINDOW_SECONDS = 60.0  # of a tally whose windows nobody reads
_MOST_PEAKS = 128
_LONGEST_REASON = 300
_NOT_SINCE = "no sample of it since the trouble began"


class Peak(NamedTuple):
    """A value that none after it has reached."""

    at: float  # steady clock
    value: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a stretch of trouble has cost. None is not known, or not counted."""

    failed_events: float | None = None
    affected: float | None = None
    of: str = ""
    reason: str = ""  # why `affected` is not known, where an `impact` is written


def impact_queries(rule: RuleSpec) -> tuple[str, ...]:
    """The expressions that are asked for its impact, besides those of its judge."""
    return () if rule.impact is None else (rule.impact.expr,)


class ImpactMeter:
    """Of one rule. `observe` takes every answer in; `cost` tells what came of it since."""

    def __init__(self, rule: RuleSpec) -> None:
        assert rule.impact is not None  # noqa: S101  # whoever makes one has looked
        self.impact = rule.impact
        self._tally = Tally(rule.every_seconds, (_WINDOW_SECONDS,))
        self._peaks: list[Peak] = []
        self._counted_at: float | None = None  # the newest sample that was counted; steady clock
        self._reason = "not asked yet"

    def fail(self, reason: str) -> None:
        """It could not be taken in."""
        self._reason = reason[:_LONGEST_REASON]

    def observe(self, reading: Reading, answers: Mapping[str, Answer]) -> None:
        """Never raises: what cannot be used is the reason why nothing is known."""
        expr = self.impact.expr
        if reading.failure is not None:
            self.fail(reading.failure.reason)
            return
        picked, fault = pick((expr,), answers)
        if fault is not None:
            self.fail(fault.reason)
            return
        (answer,) = picked
        if self.impact.grows:
            self._grow(answer, reading)
        else:
            self._rise(answer, reading)

    def cost(self, since: float) -> tuple[float | None, str]:
        """Since the first bad sample at `since`, on the steady clock; or why it is not known."""
        if self.impact.grows:
            seen = self._counted_at is not None and self._counted_at >= since - FLOAT_DUST
            known = self._tally.bad_during(since) if seen and self._tally.ready else None
        else:
            found = [peak.value for peak in self._peaks[self._first(since) :]]
            known = max(found, default=None)
        return known, "" if known is not None else self._reason

    def checkpoint(self) -> bytes:
        head = {
            "expr": self.impact.expr,
            "grows": self.impact.grows,
            "peaks": self._peaks,
            "counted_at": self._counted_at,
        }
        text = json.dumps(head, separators=(",", ":")).encode()
        return len(text).to_bytes(4, "big") + text + self._tally.checkpoint()

    def restore(self, data: bytes) -> None:
        """Go on from a checkpoint; one that is damaged, or of another expression, is left."""
        size = int.from_bytes(data[:4], "big")
        try:
            head = json.loads(data[4 : 4 + size])
            same = (head["expr"], head["grows"]) == (self.impact.expr, self.impact.grows)
            peaks = [Peak(float(at), float(value)) for at, value in head["peaks"]]
            at = head.get("counted_at")  # not kept by earlier versions
            counted_at = None if at is None else float(at)
        except (ValueError, KeyError, TypeError):
            return
        if same and self._tally.restore(data[4 + size :]):
            self._peaks = [peak for peak in peaks if peak.value >= 0]
            self._counted_at = counted_at

    def _grow(self, answer: Answer, reading: Reading) -> None:
        points = answer.points
        odd = odd_counters(self.impact.expr, points)
        if odd is not None:
            self.fail(odd.reason)
            return
        sampled_at = reading.at.wall if answer.newest is None else answer.newest
        restarted = bool(reading.restarted)
        seen = self._tally.observe(reading.at, sampled_at, points, points, restarted=restarted)
        if seen.fresh:
            self._counted_at = position(reading.at, sampled_at)
        ready = self._tally.ready
        self.fail(_NOT_SINCE if ready else "its counters were seen for the first time")

    def _rise(self, answer: Answer, reading: Reading) -> None:
        expr, points = shortened(self.impact.expr), answer.points
        if len(points) != 1 or not math.isfinite(points[0].value):
            gives = named(points) or "no result"
            self.fail(f"{expr} gives {gives}, not one number")
            return
        if points[0].value < 0:
            self.fail(f"{expr} is {points[0].value:g}: below zero, which counts nobody")
            return
        self.fail(_NOT_SINCE)
        sampled_at = reading.at.wall if answer.newest is None else answer.newest
        new = Peak(position(reading.at, sampled_at), points[0].value)
        while self._peaks and self._peaks[-1].value <= new.value:
            self._peaks.pop()
        self._peaks.append(new)
        if len(self._peaks) > _MOST_PEAKS:
            del self._peaks[1]

    def _first(self, since: float) -> int:
        return bisect_left(self._peaks, since, key=lambda peak: peak.at)
