"""At every poll: do these look like a set of counters at all? Quickly yes, or else ask slowly."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchdog.core.samples import Labels, Point


class Sound:
    """Remembers which labels were distinct at the last look: they come again, nearly always."""

    __slots__ = ("_distinct",)

    def __init__(self) -> None:
        self._distinct: list[Labels] = []

    def holds(self, points: Sequence[Point]) -> bool:
        """True: every number is finite and not below zero, every series is there once.

        False says nothing yet: `odd_counters` looks one by one and finds the words.
        """
        if not points:
            return True
        labels = [point.labels for point in points]
        if labels != self._distinct:
            if len(set(labels)) < len(labels):
                return False
            self._distinct = labels
        values = [point.value for point in points]
        return math.isfinite(sum(values)) and min(values) >= 0
