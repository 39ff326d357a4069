"""Two versions of the rules over one past, incident by incident and episode by episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchdog.lab.backtest.firing import Firing
from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.backtest.run import Run
from watchdog.lab.backtest.score import Detection, Score

_SAME_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Change:
    """One incident as both versions saw it. `before` is the version compared against."""

    incident: Incident
    before: Detection
    now: Detection

    @property
    def verdict(self) -> str:
        match self.before.seconds, self.now.seconds:
            case None, None:
                return "missed by both"
            case None, float():
                return "newly detected"
            case float(), None:
                return "no longer detected"
            case float() as before, float() as now:
                if abs(before - now) <= _SAME_SECONDS:
                    return "same"
                return "sooner" if now < before else "later"
            case _:  # a whole number of seconds is a float here as well
                raise TypeError("detection times are numbers of seconds")


@dataclass(frozen=True, slots=True)
class Comparison:
    changes: tuple[Change, ...]
    only_before: tuple[Firing, ...]
    only_now: tuple[Firing, ...]

    def document(self) -> dict[str, Any]:
        return {
            "incidents": [
                {
                    "where": change.incident.where,
                    "name": change.incident.name,
                    "before_seconds": change.before.seconds,
                    "now_seconds": change.now.seconds,
                    "verdict": change.verdict,
                }
                for change in self.changes
            ],
            "fired_only_before": [[f.rule, f.fired_at] for f in self.only_before],
            "fired_only_now": [[f.rule, f.fired_at] for f in self.only_now],
        }


def compare(before: Run, now: Run, scores: tuple[Score, Score] | None) -> Comparison:
    """`scores` of both, in this order, where incidents are known."""
    changes: tuple[Change, ...] = ()
    if scores is not None:
        pairs = zip(scores[0].detections, scores[1].detections, strict=True)
        changes = tuple(Change(old.incident, old, new) for old, new in pairs)
    return Comparison(changes, _without(before, now), _without(now, before))


def _without(one: Run, other: Run) -> tuple[Firing, ...]:
    """Firings of `one` in whose time the same rule of `other` did not fire."""
    return tuple(
        firing
        for firing in one.firings
        if firing.fired_at is not None and not any(_meets(firing, each) for each in other.firings)
    )


def _meets(one: Firing, other: Firing) -> bool:
    if one.rule != other.rule or one.fired_at is None or other.fired_at is None:
        return False
    one_end, other_end = one.ended_at or float("inf"), other.ended_at or float("inf")
    return one.fired_at <= other_end and other.fired_at <= one_end
