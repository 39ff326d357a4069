"""Binary operators on scalars and instant vectors.

To add an operator, add it to ARITHMETIC. Numbers behave as IEEE 754 and Go have it: nothing
raises, a division by zero is infinite or NaN.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.promql.vector import Element, Value, Vector, unique
from watchdog.core.samples import Labels

Operator = Callable[[float, float], float]


def _divide(left: float, right: float) -> float:
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
    "/": _divide,
    "%": _modulo,
    "^": _power,
}


def combine(apply: Operator, left: Value, right: Value) -> Value:
    """Any pair of scalars and vectors; the metric name is dropped, for it is no longer that."""
    if isinstance(left, float):
        if isinstance(right, float):
            return apply(left, right)
        return unique([Element(None, e.labels, apply(left, e.value), e.at) for e in right])
    if isinstance(right, float):
        return unique([Element(None, e.labels, apply(e.value, right), e.at) for e in left])
    return _one_to_one(apply, left, right)


def _one_to_one(apply: Operator, left: Vector, right: Vector) -> Vector:
    """Pairs whose labels, without the metric name, are all equal; the rest falls away."""
    if not left or not right:
        return []
    others: dict[Labels, Element] = {}
    for element in right:
        if element.labels in others:
            raise EvaluationFault(
                "found duplicate series for the match group "
                f"{dict(element.labels)} on the right hand-side of the operation"
            )
        others[element.labels] = element
    result: dict[Labels, Element] = {}
    for element in left:
        other = others.get(element.labels)
        if other is None:
            continue
        if element.labels in result:
            raise EvaluationFault(f"multiple matches for labels {dict(element.labels)}")
        value = apply(element.value, other.value)
        result[element.labels] = Element(None, element.labels, value, min(element.at, other.at))
    return list(result.values())


def negated(value: Value) -> Value:
    if isinstance(value, float):
        return -value
    return unique([Element(None, e.labels, -e.value, e.at) for e in value])
