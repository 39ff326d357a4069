"""Which series a selector means, found without asking every series.

Thousands of rules may read one metric name, each its own service. Asking all series of the name
for each of them, whenever one series is born, would cost rules times series. So a long name's
series stand on shelves by the labels that selectors ask for exactly, and what was found before is
kept: only series born since are asked again.

The law: what is found never differs from what asking every series would find, in the same order,
that of their births. A series is on the shelf of each of its labels, so what a selector means
lies on any shelf that it asks for exactly; and a shelf counts every birth and death on it, so
that while its count stands still, so does what was found there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Generic, Protocol, TypeVar

from watchdog.core.samples import Labels

SHELVED_FROM = 32
"""Series of one name from which shelves are worth their keeping."""


class Matches(Protocol):
    """What must be known of a selector. Hashable: it keys a cache."""

    @property
    def name(self) -> str | None: ...

    @property
    def exact(self) -> tuple[tuple[str, str], ...]:
        """Labels and their values, none of them empty, that every series meant has."""
        ...

    def matches(self, name: str, labels: Mapping[str, str]) -> bool: ...


class Indexed(Protocol):
    """What must be known of a series."""

    name: str
    labels: Labels
    born: int  # a number that grows from birth to birth; 0 when it is no longer kept


S = TypeVar("S", bound=Indexed)


class Shelf(Generic[S]):
    """Series in the order of their births."""

    __slots__ = ("changes", "series")

    def __init__(self) -> None:
        self.series: dict[Labels, S] = {}
        self.changes = 0

    def put(self, series: S) -> None:
        self.series[series.labels] = series
        self.changes += 1

    def take(self, series: S) -> None:
        del self.series[series.labels]
        self.changes += 1

    def born_since(self, born: int) -> list[S]:
        """Those that were born after that number, oldest first."""
        newer = list(takewhile(lambda one: one.born > born, reversed(self.series.values())))
        newer.reverse()
        return newer


class Named(Generic[S]):
    """All series of one name, and the shelves of the labels that were asked for."""

    __slots__ = ("_by_label", "whole")

    def __init__(self) -> None:
        self.whole: Shelf[S] = Shelf()
        self._by_label: dict[str, dict[str, Shelf[S]]] = {}

    def put(self, series: S) -> None:
        self.whole.put(series)
        for shelves, value in self._places(series):
            shelf = shelves.get(value)
            if shelf is None:
                shelf = shelves[value] = Shelf()
            shelf.put(series)

    def take(self, series: S) -> None:
        self.whole.take(series)
        for shelves, value in self._places(series):
            shelf = shelves[value]
            shelf.take(series)
            if not shelf.series:
                del shelves[value]

    def shelf(self, selector: Matches) -> Shelf[S] | None:
        """The shortest on which all lies that the selector means; None where nothing does."""
        shortest = self.whole
        if len(shortest.series) < SHELVED_FROM:
            return shortest
        for label, value in selector.exact:
            shelf = self._shelves(label).get(value)
            if shelf is None:
                return None
            if len(shelf.series) < len(shortest.series):
                shortest = shelf
        return shortest

    def _places(self, series: S) -> Iterator[tuple[dict[str, Shelf[S]], str]]:
        if self._by_label:
            labels = dict(series.labels)
            for label, shelves in self._by_label.items():
                value = labels.get(label)
                if value is not None:
                    yield shelves, value

    def _shelves(self, label: str) -> dict[str, Shelf[S]]:
        shelves = self._by_label.get(label)
        if shelves is None:
            shelves = self._by_label[label] = {}
            for series in self.whole.series.values():
                value = dict(series.labels).get(label)
                if value is not None:
                    shelves.setdefault(value, Shelf()).put(series)
        return shelves


class Found(Generic[S]):
    """What one selector means, kept up to date at each asking."""

    __slots__ = ("_births", "_changes", "_shelf", "as_of", "series")

    def __init__(self) -> None:
        self.as_of = -1
        """The store's count of births and deaths when it was last brought up to date."""
        self.series: tuple[S, ...] = ()
        self._shelf: Shelf[S] | None = None
        self._changes = 0
        self._births = 0

    def renew(self, selector: Matches, named: Named[S] | None, births: int) -> None:
        """Look at what has changed; `births` is the number of the store's newest series."""
        if self._shelf is not None and self._shelf.changes == self._changes:
            return
        since, self._births = self._births, births
        shelf = None if named is None else named.shelf(selector)
        self._shelf, self._changes = shelf, 0 if shelf is None else shelf.changes
        kept = [one for one in self.series if one.born]
        if shelf is not None:
            newer = shelf.born_since(since)
            kept += [one for one in newer if selector.matches(one.name, dict(one.labels))]
        self.series = tuple(kept)

    def replace(self, series: Iterable[S]) -> None:
        """With what asking every series has found: of a selector that asks for no name."""
        self.series = tuple(series)
