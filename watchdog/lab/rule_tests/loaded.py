"""A store filled by hand, as a Prometheus would be: nothing is marked stale but what says so.

A scraped page that lacks a series ends it; in promtool's notation `_` only leaves a sample out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from watchdog.core.promql import Expression, Refused, Unsupported
from watchdog.core.promql.vector import Element, Moment, Vector
from watchdog.core.samples import Labels
from watchdog.core.series import Series, SeriesStore
from watchdog.lab.rule_tests.notation import Gap, Item, Values


class LoadedStore(SeriesStore):
    """Keeps everything; samples of one series come in the order of their times."""

    def __init__(self) -> None:
        super().__init__(max_series=2**31, keep_seconds=math.inf)

    def series(self, name: str, labels: Labels) -> Series:
        return self._new(name, labels)

    def put(self, name: str, labels: Labels, at: float, item: Item) -> None:
        """One sample, or the end of a series."""
        if not isinstance(item, Gap):
            self.series(name, labels).add(at, item, at)
        elif item.stale:
            self.series(name, labels).end(at)


class Feed:
    """Puts input series into a store, step by step, up to a time."""

    def __init__(
        self,
        inputs: Iterable[tuple[str, Labels, Values]],
        start: float,
        interval_seconds: float,
        until: float,
    ) -> None:
        count = int(until / interval_seconds + 1e-9) + 1
        self._inputs = [(name, labels, values.first(count)) for name, labels, values in inputs]
        self._start, self._interval = start, interval_seconds
        self._next = 0

    def till(self, seconds: float, store: LoadedStore) -> None:
        """Everything up to `seconds` after the start, that included."""
        while self._next * self._interval <= seconds:
            at = self._start + self._next * self._interval
            for name, labels, items in self._inputs:
                if self._next < len(items):
                    store.put(name, labels, at, items[self._next])
            self._next += 1


def why_not(error: Refused) -> tuple[str, str]:
    """Why an expression cannot be evaluated here, and what to do, to whoever tests rules."""
    if isinstance(error, Unsupported):
        what = f"{error.construct} is not evaluated here (found in `{error.found}`)"
        return what, "promtool can test it."
    return f"no PromQL: {error}", "Correct the expression."


def vector_at(expression: Expression, store: SeriesStore, at: float) -> Vector:
    """The expression's vector with metric names; a scalar is one element without labels.

    Raises EvaluationFault.
    """
    value = expression.run(Moment(store, at))
    return [Element(None, (), value, at)] if isinstance(value, float) else value
