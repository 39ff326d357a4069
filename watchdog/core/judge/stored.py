"""Judges once more what a decision stored: the counts of its windows, or the elements it was given.

The very functions that judged at night do it; ratios and burns are taken anew from the counts.
Freshness is not judged again: it rests on when the samples came, and the gates say what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from watchdog.core.channels import EventSignal
from watchdog.core.judge.finding import Finding
from watchdog.core.judge.looked import judge_looks, looks_kept
from watchdog.core.judge.presence import judge_presence
from watchdog.core.judge.ratio import judge_ratio, judge_slo, windows_of
from watchdog.core.judge.told import judge_events
from watchdog.core.judge.value import judge_liveness, judge_value
from watchdog.core.probes import Probed
from watchdog.core.samples import Answer, Point
from watchdog.core.spec import PRESENT, Liveness, RatioThreshold, Slo, ValueThreshold
from watchdog.core.words import WindowReading


class NotStored(LookupError):
    """Something that the judgement rests on is not there; the text names it."""


def judge_stored(
    signal: object,
    minimum_events: float,
    windows: tuple[WindowReading, ...],
    points: tuple[Point, ...],
) -> Finding:
    """What is found in them today. Raises NotStored."""
    match signal:
        case Slo():
            counted = _counted(signal, windows)
            return judge_slo(signal, counted.__getitem__, minimum_events)
        case RatioThreshold():
            counted = _counted(signal, windows)
            return judge_ratio(signal, counted.__getitem__, minimum_events)
        case ValueThreshold() if signal.bound.op == PRESENT:
            return judge_presence(signal, Answer(points))
        case ValueThreshold():
            return judge_value(signal, Answer(points))
        case Liveness():
            return judge_liveness(signal, Answer(points))
        case Probed() | EventSignal():
            return _seen(signal, points)
        case _:
            raise NotStored(f"what a rule of {type(signal).__name__} was given is not stored")


def _seen(signal: Probed | EventSignal, points: tuple[Point, ...]) -> Finding:
    return _looked(signal, points) if isinstance(signal, Probed) else _told(signal, points)


def _looked(signal: Probed, points: tuple[Point, ...]) -> Finding:
    try:
        looks, newest = looks_kept(points)
    except (ValueError, KeyError):
        raise NotStored("what its looks saw is not stored") from None
    if newest is None:
        raise NotStored("its newest look saw nothing, and why is not judged again")
    return judge_looks(signal, looks, newest)


def _told(signal: EventSignal, points: tuple[Point, ...]) -> Finding:
    try:
        return judge_events(signal, points)
    except KeyError:
        raise NotStored("what was told is not stored") from None


def _counted(
    signal: RatioThreshold | Slo, windows: tuple[WindowReading, ...]
) -> Mapping[float, WindowReading]:
    """Each window's counts, and no more of what was once made of them."""
    found = {}
    for window in windows:
        events = window.total + window.filled
        ratio = window.bad / events if window.total > 0 and events > 0 else None
        found[window.seconds] = WindowReading(
            window.seconds, window.bad, window.total, window.filled, window.coverage, ratio
        )
    missing = [seconds for seconds in windows_of(signal) if seconds not in found]
    if missing:
        raise NotStored(f"its window of {missing[0]:g} s is not stored")
    return found
