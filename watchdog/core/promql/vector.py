"""The values that expressions are made of: instant vectors and scalars, and the present moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.promql.selector import Selector
from watchdog.core.samples import Labels
from watchdog.core.series import SeriesStore


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
    """One evaluation: the data, the time, and what the selectors found on the way."""

    store: SeriesStore
    at: float
    newest: list[float] = field(default_factory=list)  # one for each selector that matched
    missing: list[str] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)  # missing, but with samples in the future

    def saw(self, selector: Selector, times: Iterable[float]) -> None:
        """Note how fresh a selector's series are, or that it has none to show."""
        series = self.store.matching(selector)
        ahead = [s.ahead_at for s in series if s.ahead_at is not None and s.ahead_at > self.at]
        shown = list(times)
        if shown:
            self.newest.append(max(shown + ahead))
            return
        self.missing.append(selector.text)
        if ahead:
            self.ahead.append(f"{selector.text} by {max(ahead) - self.at:.0f} s")


def unique(vector: Vector) -> Vector:
    """The vector itself, unless two of its elements have the same labels: then it is no vector."""
    if len({(element.name, element.labels) for element in vector}) < len(vector):
        raise EvaluationFault("vector cannot contain metrics with the same labelset")
    return vector
