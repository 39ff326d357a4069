"""One selector's raw counters: how much each series grew since it was last seen.

The law of births and deaths (DESIGN section 4):

* lower than before: the counter was reset, and all that it shows now is new;
* vanished and back: it goes on from its last value;
* never seen before, after an earlier successful observation of a target that did not restart:
  born at zero, so all that it shows counts;
* never seen before in any other case: unknown, no increase.

Where series say whose they are (`instance`), "an earlier observation of the target" means that
target; a target which the metrics system began to scrape late brings a lifetime of counts along.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from watchdog.core.samples import Labels, Point

Target = tuple[str, str]  # (job, instance)

_SPARE_SERIES = 1000  # vanished series that are remembered besides twice the living


def target_of(labels: Labels) -> Target | None:
    """Whose series it is, or None where it does not say: then there is one target only."""
    job = instance = ""
    for name, value in labels:
        if name == "instance":
            instance = value
        elif name == "job":
            job = value
    return (job, instance) if instance else None


class Growth(NamedTuple):
    """`unsure` counts the series that were reset or whose first sample tells nothing."""

    amount: float
    series: int
    resets: int
    unsure: int


class Counter:
    """The last value of every series of one selector, the longest unseen first.

    Nearly always the same series come again, in the same order. Their values are then kept in
    `_values` beside `_living`, and in `last` only once something else comes.
    """

    __slots__ = ("_living", "_values", "forgot", "fresh", "last")

    def __init__(self) -> None:
        self.last: dict[Labels, float] = {}
        self.fresh: list[Labels] = []  # never seen before; the owner takes them out
        # Once a series had to be forgotten, a new one cannot be told from it: no births then.
        self.forgot = False
        self._living: list[Labels] = []
        self._values: list[float] = []

    def grow(self, points: Sequence[Point], *, births: bool, targets: Collection[Target]) -> Growth:
        """Take one observation in. `births`: an unseen series may have been born at zero."""
        living = [point.labels for point in points]
        values = [point.value for point in points]
        if living == self._living:
            return self._grow_on(values)
        self._settle()
        growth = self._take_in(points, births=births, targets=targets)
        if len(set(living)) == len(living):
            self._living, self._values = living, values
        return growth

    def _grow_on(self, values: list[float]) -> Growth:
        amount, resets = 0.0, 0
        for value, before in zip(values, self._values, strict=True):
            if value < before:
                amount += value
                resets += 1
            else:
                amount += value - before
        self._values = values
        return Growth(amount, len(values), resets, resets)

    def _settle(self) -> None:
        for labels, value in zip(self._living, self._values, strict=True):
            self.last.pop(labels, None)
            self.last[labels] = value
        self._living, self._values = [], []

    def _take_in(
        self, points: Sequence[Point], *, births: bool, targets: Collection[Target]
    ) -> Growth:
        amount, resets, unknown = 0.0, 0, 0
        for point in points:
            before = self.last.pop(point.labels, None)
            self.last[point.labels] = point.value
            if before is None:
                self.fresh.append(point.labels)
                target = target_of(point.labels)
                if births and not self.forgot and (target is None or target in targets):
                    amount += point.value
                else:
                    unknown += 1
            elif point.value < before:
                amount += point.value
                resets += 1
            else:
                amount += point.value - before
        self._forget(2 * len(points) + _SPARE_SERIES)
        return Growth(amount, len(points), resets, resets + unknown)

    def _forget(self, most: int) -> None:
        if len(self.last) <= most:
            return
        for labels in list(self.last)[: len(self.last) - most]:
            del self.last[labels]
            self.forgot = True

    def dump(self) -> list[object]:
        self._settle()
        return [self.forgot, [[list(labels), value] for labels, value in self.last.items()]]

    def load(self, data: Sequence[object]) -> None:
        forgot, rows = data
        if not isinstance(forgot, bool) or not isinstance(rows, list):
            raise TypeError("not a counter's memory")
        self.forgot = forgot
        self.last = {
            tuple((str(name), str(text)) for name, text in labels): float(value)
            for labels, value in rows
        }
        self.fresh = list(self.last)
        self._living, self._values = [], []
