"""A selector and nothing else, seen at a glance: what counters are read by, at every pass.

It gives what the whole evaluation would in the ordinary case, and leaves every other one to it.
"""

from __future__ import annotations

from typing import Any

import promql_parser as parser

from watchdog.core.promql.selector import Selector
from watchdog.core.samples import Answer, Point
from watchdog.core.series import SeriesStore


def bare(tree: Any) -> Selector | None:
    """The selector, where the expression is one that looks at the moment itself."""
    if not isinstance(tree, parser.VectorSelector) or tree.offset is not None:
        return None
    return Selector.of(tree)


def glance(selector: Selector, store: SeriesStore, at: float) -> Answer | None:
    """What it shows; None where it shows nothing, where samples lie ahead of our clock, and where
    the store has no room: those have their reasons told elsewhere.
    """
    if store.refuses:
        return None
    points: list[Point] = []
    newest = None
    for series in store.matching(selector):
        if series.ahead_at is not None:
            return None
        sample = series.instant(at)
        if sample is not None:
            sampled_at, value = sample
            points.append(Point(series.labels, value, sampled_at))
            if newest is None or sampled_at > newest:
                newest = sampled_at
    return Answer(tuple(points), newest) if points else None
