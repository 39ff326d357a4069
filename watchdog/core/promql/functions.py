"""Functions that make one number of one number, element by element.

To add one, add it to ELEMENTWISE: from the scalars that are given after the vector to a function
of a value. None in its place means that there is no result at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from watchdog.core.promql.arithmetic import ceil, divide, floor, larger, smaller

OfValue = Callable[[float], float]


def _round(to: float = 1.0) -> OfValue:
    inverse = divide(1.0, to)  # as Prometheus does, for it loses fewer digits
    return lambda value: divide(floor(value * inverse + 0.5), inverse)


def _clamp(low: float, high: float) -> OfValue | None:
    if high < low:
        return None
    return lambda value: larger(low, smaller(high, value))


ELEMENTWISE: Mapping[str, Callable[..., OfValue | None]] = {
    "abs": lambda: math.fabs,
    "ceil": lambda: ceil,
    "floor": lambda: floor,
    "round": _round,
    "clamp": _clamp,
    "clamp_min": lambda low: _clamp(low, math.inf),
    "clamp_max": lambda high: _clamp(-math.inf, high),
}
