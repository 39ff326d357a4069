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


def _gained(values: array[float]) -> float:
    """How far the counter went up, whatever it lost in resets."""
    gained = values[-1] - values[0]
    before = values[0]
    for value in values:
        if value < before:
            gained += before
        before = value
    return gained


def _reach(window: Window, observed: float, gained: float) -> float:
    """The seconds that the increase stands for, from `observed` up to the whole range.

    At each end it reaches as far as the range does where the next sample would have been due
    there (1.1 mean distances), else half a distance; and at the beginning never further than to
    where the counter would have been zero. The order of these is that of Prometheus 3.
    """
    distance = observed / (len(window.values) - 1)
    to_start = _apart(window.times[0], window.at - window.seconds)
    if to_start >= distance * 1.1:
        to_start = distance / 2
    if gained > 0 and window.values[0] >= 0:
        to_start = min(to_start, observed * (window.values[0] / gained))
    to_end = _apart(window.at, window.times[-1])
    if to_end >= distance * 1.1:
        to_end = distance / 2
    return observed + to_start + to_end


def _increase(window: Window, per_seconds: float = 1.0) -> float | None:
    """The increase within the range, extrapolated; None where fewer than two samples lie in it."""
    if len(window.values) < 2:
        return None
    observed = _apart(window.times[-1], window.times[0])
    if observed <= 0:
        return None  # all within one millisecond
    gained = _gained(window.values)
    # In the order in which Prometheus calculates, so that not even the last bit differs.
    return gained * (_reach(window, observed, gained) / observed / per_seconds)


def _rate(window: Window) -> float | None:
    return _increase(window, window.seconds)


RANGE_FUNCTIONS: Mapping[str, RangeFunction] = {
    "increase": _increase,
    "rate": _rate,
}
