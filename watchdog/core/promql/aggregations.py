"""Aggregations: one number out of the values of a group.

To add one, add it to AGGREGATIONS: a function of the group's values, never empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from watchdog.core.promql.arithmetic import largest, mean, smallest, total
from watchdog.core.promql.vector import Element, Vector
from watchdog.core.samples import Labels

Aggregation = Callable[[Sequence[float]], float]


def _count(values: Sequence[float]) -> float:
    return float(len(values))


def _group(_values: Sequence[float]) -> float:
    return 1.0


AGGREGATIONS: Mapping[str, Aggregation] = {
    "sum": total,
    "avg": mean,
    "min": smallest,
    "max": largest,
    "count": _count,
    "group": _group,
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
