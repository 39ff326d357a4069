"""The values that expressions are made of, and the moment at which they are asked.

A moment also notes what stands behind the answer: how fresh each selector's samples are, which
selectors show nothing, and where nobody has looked long enough to say anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.promql.selector import View
from watchdog.core.samples import Labels
from watchdog.core.series import SeriesStore
from watchdog.core.text import duration

NO_SAMPLE = math.inf
"""The time of an element that no sample stands behind, such as that of `vector(0)`."""


class Element(NamedTuple):
    """One element of an instant vector. `at` is the time of the oldest sample behind it."""

    name: str | None  # None once an operation has made it another quantity
    labels: Labels
    value: float
    at: float


Vector = list[Element]
Value = float | Vector


@dataclass(slots=True)
class Moment:
    """One evaluation: the data, the time, and what the selectors found on the way.

    Sample times are noted as if there were no `offset`: an offset makes no sample stale.
    """

    store: SeriesStore
    at: float
    newest: list[float] = field(default_factory=list)  # one for each selector that matched
    missing: list[View] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)  # missing, but with samples in the future
    unwatched: list[str] = field(default_factory=list)  # what nobody watched long enough

    def saw(self, view: View, times: Iterable[float]) -> None:
        """Note how fresh a selector's series are, or that it has none to show."""
        series = self.store.matching(view.selector)
        ahead = [s.ahead_at for s in series if s.ahead_at is not None and s.ahead_at > self.at]
        shown = [time + view.offset_seconds for time in times]
        if shown:
            self.newest.append(max(shown + ahead))
            return
        self.missing.append(view)
        if ahead:
            self.ahead.append(f"{view.text} by {max(ahead) - self.at:.0f} s")

    def ranged(self, view: View, seconds: float) -> None:
        """Note when a range begins before its series were watched: then it holds too little."""
        start = self.at - view.offset_seconds - seconds
        if not self.store.looks.cover(view.selector.name, start, seconds):
            self.unwatched.append(f"what {view.text} was for {duration(seconds)}")

    def aside(self) -> Moment:
        """The same moment with notes of its own, to be taken over by `take`."""
        return Moment(self.store, self.at)

    def take(self, aside: Moment, *, absence_counts: bool) -> None:
        """Take notes over. Where an absence counts it is an observation, and the look that found
        nothing stands behind it; where nobody looked, nothing was found out.
        """
        self.newest += aside.newest
        self.missing += aside.missing
        self.ahead += aside.ahead
        self.unwatched += aside.unwatched
        if absence_counts:
            self.absent(aside.missing)

    def absent(self, views: Iterable[View]) -> None:
        for view in views:
            looked = self.store.looks.last(view.selector.name, self.at - view.offset_seconds)
            if looked is None:
                self.unwatched.append(f"whether {view.text} is there")
            else:
                self.newest.append(looked + view.offset_seconds)


def unique(vector: Vector) -> Vector:
    """The vector itself, unless two of its elements have the same labels: then it is no vector."""
    if len({(element.name, element.labels) for element in vector}) < len(vector):
        raise EvaluationFault("vector cannot contain metrics with the same labelset")
    return vector
