"""Functions of one series' samples in a range.

To add one, add it to RANGE_FUNCTIONS: a function of a Window that gives a number, or None where
the window says too little.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from watchdog.core.promql.arithmetic import divide, largest, mean, smallest, total


@dataclass(frozen=True, slots=True)
class Window:
    """The samples in (at - seconds, at]; at least one."""

    times: array[float]
    values: array[float]
    at: float
    seconds: float


RangeFunction = Callable[[Window], float | None]


def _apart(later: float, earlier: float) -> float:
    """Seconds between two times, to the millisecond that Prometheus knows."""
    return round((later - earlier) * 1000) / 1000


def _gained(values: array[float]) -> float:
    """How far the counter went up, whatever it lost in resets."""
    gained = values[-1] - values[0]
    before = values[0]
    for value in values:
        if value < before:
            gained += before
        before = value
    return gained


def _extrapolated(window: Window, *, counter: bool, per_seconds: float = 1.0) -> float | None:
    """The increase over the whole range, from the one that was observed in it.

    At each end it reaches as far as the range does where the next sample would have been due
    there (1.1 mean distances), else half a distance; and a counter at the beginning never further
    than to where it would have been zero. The order of these is that of Prometheus 3.
    """
    values = window.values
    if len(values) < 2:
        return None
    observed = _apart(window.times[-1], window.times[0])
    if observed <= 0:
        return None  # all within one millisecond
    gained = _gained(values) if counter else values[-1] - values[0]
    distance = observed / (len(values) - 1)
    to_start = _apart(window.times[0], window.at - window.seconds)
    if to_start >= distance * 1.1:
        to_start = distance / 2
    if counter and gained > 0 and values[0] >= 0:
        to_start = min(to_start, observed * (values[0] / gained))
    to_end = _apart(window.at, window.times[-1])
    if to_end >= distance * 1.1:
        to_end = distance / 2
    # In the order in which Prometheus calculates, so that not even the last bit differs.
    return gained * ((observed + to_start + to_end) / observed / per_seconds)


def _increase(window: Window) -> float | None:
    return _extrapolated(window, counter=True)


def _rate(window: Window) -> float | None:
    return _extrapolated(window, counter=True, per_seconds=window.seconds)


def _delta(window: Window) -> float | None:
    return _extrapolated(window, counter=False)


def _irate(window: Window) -> float | None:
    if len(window.values) < 2:
        return None
    before, last = window.values[-2:]
    seconds = _apart(window.times[-1], window.times[-2])
    if seconds <= 0:
        return None
    return (last if last < before else last - before) / seconds


def _deriv(window: Window) -> float | None:
    """The slope of the line with the least squares."""
    values = window.values
    count = len(values)
    if count < 2:
        return None
    if all(value == values[0] for value in values[1:]):
        return math.nan if math.isinf(values[0]) else 0.0
    times = [_apart(time, window.times[0]) for time in window.times]
    sum_x, sum_y = total(times), total(values)
    sum_xy = total([x * y for x, y in zip(times, values, strict=True)])
    sum_xx = total([x * x for x in times])
    return divide(sum_xy - sum_x * sum_y / count, sum_xx - sum_x * sum_x / count)


def _resets(window: Window) -> float:
    return float(sum(value < before for before, value in pairwise(window.values)))


def _changes(window: Window) -> float:
    return float(
        sum(
            value != before and not (math.isnan(value) and math.isnan(before))
            for before, value in pairwise(window.values)
        )
    )


def _present(_window: Window) -> float:
    return 1.0


RANGE_FUNCTIONS: Mapping[str, RangeFunction] = {
    "rate": _rate,
    "increase": _increase,
    "irate": _irate,
    "delta": _delta,
    "deriv": _deriv,
    "resets": _resets,
    "changes": _changes,
    "avg_over_time": lambda window: mean(window.values),
    "min_over_time": lambda window: smallest(window.values),
    "max_over_time": lambda window: largest(window.values),
    "sum_over_time": lambda window: total(window.values),
    "count_over_time": lambda window: float(len(window.values)),
    "last_over_time": lambda window: window.values[-1],
    "present_over_time": _present,
}

KEEPS_NAME = frozenset({"last_over_time"})

WHATEVER_IS_THERE = frozenset({"irate", "last_over_time", "present_over_time"})
"""These say the same whether or not their range was watched from its beginning."""
