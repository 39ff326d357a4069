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
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Growth:
    """`unsure` counts the series that were reset or whose first sample tells nothing."""

    amount: float
    series: int
    resets: int
    unsure: int


class Counter:
    """The last value of every series of one selector, the longest unseen first."""

    __slots__ = ("forgot", "fresh", "last")

    def __init__(self) -> None:
        self.last: dict[Labels, float] = {}
        self.fresh: list[Labels] = []  # never seen before; the owner takes them out
        # Once a series had to be forgotten, a new one cannot be told from it: no births then.
        self.forgot = False

    def grow(self, points: Sequence[Point], *, births: bool, targets: Collection[Target]) -> Growth:
        """Take one observation in. `births`: an unseen series may have been born at zero."""
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
        for labels in list(self.last)[: max(0, len(self.last) - most)]:
            del self.last[labels]
            self.forgot = True

    def dump(self) -> list[object]:
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
