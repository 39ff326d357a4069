"""Aggregations: one number out of the values of a group.

To add one, add it to AGGREGATIONS: a function of the group's values, never empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from watchdog.core.promql.vector import Element, Vector
from watchdog.core.samples import Labels

Aggregation = Callable[[Sequence[float]], float]


def total(values: Sequence[float]) -> float:
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
    return result + lost


def mean(values: Sequence[float]) -> float:
    added = total(values)
    if math.isinf(added) and all(map(math.isfinite, values)):
        # The sum alone is too large for a float; the mean need not be.
        return total([value / len(values) for value in values])
    return added / len(values)


def _smallest(values: Sequence[float]) -> float:
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def _largest(values: Sequence[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _count(values: Sequence[float]) -> float:
    return float(len(values))


AGGREGATIONS: Mapping[str, Aggregation] = {
    "sum": total,
    "avg": mean,
    "min": _smallest,
    "max": _largest,
    "count": _count,
}


def aggregate(apply: Aggregation, vector: Vector, labels: frozenset[str], *, keep: bool) -> Vector:
    """Groups by `labels` (`keep`, written `by`) or by all labels but those (`without`)."""
    groups: dict[tuple[str | None, Labels], list[Element]] = {}
    named = keep and "__name__" in labels
    for element in vector:
        key = tuple(pair for pair in element.labels if (pair[0] in labels) is keep)
        groups.setdefault((element.name if named else None, key), []).append(element)
    return [
        Element(name, key, apply([e.value for e in group]), min(e.at for e in group))
        for (name, key), group in groups.items()
    ]
