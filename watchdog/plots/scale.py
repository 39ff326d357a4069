"""From values and times to places, and the ticks between.

The value axis begins at 0 where all is positive. Where the highest value is many times the lowest
bound, a line that reached it would leave the bound at the bottom: the axis is logarithmic then
above that bound, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_FAR = 12.0  # times the lowest bound, from where on the axis bends
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
          86_400, 172_800, 604_800)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Axis:
    """`bend` is the value around which it turns logarithmic; 0: it is linear."""

    low: float
    high: float
    bend: float = 0.0

    def share(self, value: float) -> float:
        """0 at the bottom, 1 at the top; what lies beyond is put at the edge."""
        inside = min(max(value, self.low), self.high)
        return (self._bent(inside) - self._bent(self.low)) / (
            self._bent(self.high) - self._bent(self.low)
        )

    def ticks(self, most: int = 5) -> list[float]:
        if self.bend:
            return self._powers()
        step = _nice((self.high - self.low) / most)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _bent(self, value: float) -> float:
        return math.asinh(value / self.bend) if self.bend else value

    def _powers(self) -> list[float]:
        first = math.floor(math.log10(self.bend))
        last = math.floor(math.log10(self.high))
        return [0.0, *(10.0**n for n in range(first, last + 1) if 10.0**n > self.bend / 2)]


def axis_of(values: Sequence[float], bounds: Sequence[float]) -> Axis:
    """One on which all of them are seen."""
    every = [0.0, *values, *bounds]
    low, high = min(every), max(every)
    if high <= low:
        high = low + 1.0
    above = [bound for bound in bounds if bound > 0]
    room = (high - low) * 0.06
    if low >= 0 and above and high > _FAR * min(above):
        return Axis(0.0, high * 1.4, min(above) / 2)
    return Axis(low - (room if low < 0 else 0.0), high + room)


def times(start: float, end: float, most: int = 5) -> list[tuple[float, str]]:
    """Round times of the day, UTC, and how they are written."""
    length = end - start
    step = next((step for step in _TIMES if length / step <= most), _TIMES[-1])
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86_400 else "%d %b"
    first = math.ceil(start / step) * step
    found = range(int(first), math.floor(end) + 1, step)
    return [(at, datetime.fromtimestamp(at, UTC).strftime(form)) for at in found]


def _nice(step: float) -> float:
    size = 10.0 ** math.floor(math.log10(step))
    return next(one * size for one in _STEPS if one * size >= step * (1 - 1e-9))
