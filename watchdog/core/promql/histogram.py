"""`histogram_quantile` over classic buckets: series that count what is at most their `le`."""

from __future__ import annotations

import math
import re
from bisect import bisect_left

from watchdog.core.promql.arithmetic import beyond, divide
from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.promql.vector import Element, Vector, unique
from watchdog.core.samples import Labels

_NUMBER = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?)", re.IGNORECASE)
_TOLERANCE = 1e-12
_LEAST_NORMAL = 2.0**-1022

Buckets = list[tuple[float, float]]
"""(upper bound, count of all up to it)"""


def histogram_quantile(share: float, vector: Vector) -> Vector:
    """One element for each histogram; its buckets differ in `le` alone."""
    histograms: dict[tuple[str | None, Labels], list[tuple[float, Element]]] = {}
    for element in vector:
        bound = _bound(element)
        labels = tuple(pair for pair in element.labels if pair[0] != "le")
        histograms.setdefault((element.name, labels), []).append((bound, element))
    return unique(
        [
            Element(
                None,
                labels,
                _quantile(share, sorted((bound, e.value) for bound, e in found)),
                min(e.at for _, e in found),
            )
            for (_, labels), found in histograms.items()
        ]
    )


def _bound(element: Element) -> float:
    text = dict(element.labels).get("le", "")
    if not _NUMBER.fullmatch(text):
        raise EvaluationFault(
            f"histogram_quantile: the label le={text!r} of {element.name or 'an element'}"
            f"{dict(element.labels)} is no bound of a bucket"
        )
    return float(text)


def _quantile(share: float, found: Buckets) -> float:
    outside = beyond(share)
    if outside is not None:
        return outside
    if found[-1][0] != math.inf:
        return math.nan
    buckets = _monotonic(_coalesced(found))
    observations = buckets[-1][1]
    if len(buckets) < 2 or observations == 0:
        return math.nan
    rank = share * observations
    last = len(buckets) - 1
    at = bisect_left(range(last), x=True, key=lambda index: buckets[index][1] >= rank)
    if at == last:
        return buckets[last - 1][0]
    bound, count = buckets[at]
    if at == 0 and bound <= 0:
        return bound
    start, before = buckets[at - 1] if at else (0.0, 0.0)
    return start + (bound - start) * divide(rank - before, count - before)


def _coalesced(buckets: Buckets) -> Buckets:
    """Bounds that are written differently and are the same number are one bucket."""
    counts: dict[float, float] = {}
    for bound, count in buckets:
        counts[bound] = counts.get(bound, 0.0) + count
    return list(counts.items())


def _monotonic(buckets: Buckets) -> Buckets:
    """A larger bucket holds what a smaller one holds, also where counts were read at two moments
    or calculated with rounding.
    """
    before = buckets[0][1]
    result = [buckets[0]]
    for bound, count in buckets[1:]:
        if count < before or _alike(before, count):
            result.append((bound, before))
        else:
            result.append((bound, count))
            before = count
    return result


def _alike(one: float, other: float) -> bool:
    if one == other or (math.isnan(one) and math.isnan(other)):
        return True
    size, apart = abs(one) + abs(other), abs(one - other)
    if one == 0 or other == 0 or size < _LEAST_NORMAL:
        return apart < _TOLERANCE * _LEAST_NORMAL
    return apart / size < _TOLERANCE if math.isfinite(size) else False
