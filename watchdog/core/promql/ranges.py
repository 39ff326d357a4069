"""Functions of one series' samples in a range.

To add one, add it to RANGE_FUNCTIONS: a function of a Window that gives a number, or None where
the window says too little.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass


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


def _increase(window: Window) -> float | None:
    """The counter's increase, extrapolated to the whole range where the samples reach near it.

    Resets are added back. At each end it goes as far as the range does if a sample would have
    been due there (1.1 mean distances), else half a distance; and at the beginning never further
    than to where the counter would have been zero. The order of these is that of Prometheus 3.
    """
    values = window.values
    if len(values) < 2:
        return None
    gained = values[-1] - values[0]
    before = values[0]
    for value in values:
        if value < before:
            gained += before
        before = value
    observed = _apart(window.times[-1], window.times[0])
    if observed <= 0:
        return None
    distance = observed / (len(values) - 1)
    to_start = _apart(window.times[0], window.at - window.seconds)
    if to_start >= distance * 1.1:
        to_start = distance / 2
    if gained > 0 and values[0] >= 0:
        to_start = min(to_start, observed * (values[0] / gained))
    to_end = _apart(window.at, window.times[-1])
    if to_end >= distance * 1.1:
        to_end = distance / 2
    return gained * ((observed + to_start + to_end) / observed)


def _rate(window: Window) -> float | None:
    gained = _increase(window)
    return None if gained is None else gained / window.seconds


RANGE_FUNCTIONS: Mapping[str, RangeFunction] = {
    "increase": _increase,
    "rate": _rate,
}
