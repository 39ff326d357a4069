"""Operators and functions of plain numbers.

Numbers behave as IEEE 754 and Go have it: nothing raises, a division by zero is infinite or NaN.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence

Operator = Callable[[float, float], float]
Comparison = Callable[[float, float], bool]


def divide(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _modulo(left: float, right: float) -> float:
    """The remainder has the sign of the left side, as in Go and C."""
    if right == 0 or math.isinf(left):
        return math.nan
    return math.fmod(left, right)


def _power(left: float, right: float) -> float:
    odd = right.is_integer() and right % 2 == 1
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and odd else math.inf
    except ValueError:
        if left != 0:
            return math.nan  # a root of a negative number
        return math.copysign(math.inf, left) if odd else math.inf


ARITHMETIC: Mapping[str, Operator] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divide,
    "%": _modulo,
    "^": _power,
}

COMPARISONS: Mapping[str, Comparison] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def floor(value: float) -> float:
    """A zero keeps its sign, and what is infinite or NaN stays so."""
    return math.copysign(math.floor(value), value) if math.isfinite(value) else value


def ceil(value: float) -> float:
    return math.copysign(math.ceil(value), value) if math.isfinite(value) else value


def larger(one: float, other: float) -> float:
    """An infinity wins over NaN, and NaN over the rest, as Go has it."""
    if math.inf in {one, other}:
        return math.inf
    if math.isnan(one) or math.isnan(other):
        return math.nan
    return one if (one, math.copysign(1, one)) >= (other, math.copysign(1, other)) else other


def smaller(one: float, other: float) -> float:
    return -larger(-one, -other)


def total(values: Iterable[float]) -> float:
    """The sum with Neumaier's compensation, as Prometheus 3 adds up."""
    result = lost = 0.0
    for value in values:
        both = result + value
        if math.isinf(both):
            lost = 0.0
        elif abs(result) >= abs(value):
            lost += (result - both) + value
        else:
            lost += (value - both) + result
        result = both
    return result if math.isinf(result) else result + lost


def mean(values: Sequence[float]) -> float:
    added = total(values)
    if math.isinf(added) and all(map(math.isfinite, values)):
        # The sum alone is too large for a float; the mean need not be.
        return total([value / len(values) for value in values])
    return added / len(values)


def smallest(values: Iterable[float]) -> float:
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def largest(values: Iterable[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def beyond(share: float) -> float | None:
    """What a quantile is whose share is none; None where it lies between 0 and 1."""
    if math.isnan(share):
        return math.nan
    return None if 0 <= share <= 1 else math.copysign(math.inf, share)


def quantile(share: float, values: Iterable[float]) -> float:
    """Interpolated between the two nearest values; NaN counts as the smallest of all."""
    outside = beyond(share)
    if outside is not None:
        return outside
    ordered = sorted(values, key=lambda value: (False, 0.0) if math.isnan(value) else (True, value))
    rank = share * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(len(ordered) - 1, low + 1)
    weight = rank - low
    return ordered[low] * (1 - weight) + ordered[high] * weight
