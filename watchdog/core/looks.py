"""When a source was looked at with success, and since when for which names.

That something is absent, or that a range holds few samples, says something only where somebody
was looking. After a start, a change of the rules or a long silence nobody was.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from math import inf

LOOKBACK_SECONDS = 300.0
"""How far an instant selector looks back for a series' newest sample; Prometheus' default."""

_LATE = 0.1  # share of a range that may pass before its first look

Name = str | None
"""A metric's name; None stands for whatever a selector without an exact name may mean."""


class Looks:
    def __init__(self) -> None:
        self._times = array("d")
        self._wanted: dict[Name, float] = {}  # name -> since when its series are collected
        self._awaited: dict[Name, int] = {}  # name -> looks to go until they surely are

    def want(self, names: Iterable[str] | None) -> None:
        """From now on the series of these names are collected (None: of all), and no others."""
        now: tuple[Name, ...] = (None,) if names is None else tuple(names)
        if None in self._wanted:  # until now all were collected
            self._wanted.update(dict.fromkeys(now, self._wanted[None]) | self._wanted)
        self._wanted = {name: at for name, at in self._wanted.items() if name in now}
        self._awaited = {name: left for name, left in self._awaited.items() if name in now}
        for name in now:
            if name in self._wanted or name in self._awaited:
                continue
            if self._times:
                # The look that is on its way was still made for the names before.
                self._awaited[name] = 2
            else:
                self._wanted[name] = -inf

    def add(self, at: float) -> None:
        """A look at `at` was answered. Looks come in the order of their times."""
        if self._times and at <= self._times[-1]:
            return
        self._times.append(at)
        for name in list(self._awaited):
            self._awaited[name] -= 1
            if not self._awaited[name]:
                del self._awaited[name]
                self._wanted[name] = at

    def prune(self, horizon: float) -> None:
        cut = bisect_left(self._times, horizon)
        if cut:
            del self._times[:cut]

    def rewind(self, now: float) -> None:
        """The wall clock was set back: forget what was seen at or after `now`."""
        del self._times[bisect_left(self._times, now) :]
        self._wanted = {name: min(at, now) for name, at in self._wanted.items()}

    def last(self, name: Name, at: float) -> float | None:
        """The last look for `name` within the look-back before `at`."""
        index = bisect_right(self._times, at) - 1
        if index < 0:
            return None
        looked = self._times[index]
        return looked if looked > at - LOOKBACK_SECONDS and looked >= self._since(name) else None

    def cover(self, name: Name, start: float, seconds: float) -> bool:
        """Whether somebody looked for `name` about when a range of `seconds` began."""
        times = self._times
        index = max(
            bisect_right(times, start - LOOKBACK_SECONDS), bisect_left(times, self._since(name))
        )
        return index < len(times) and times[index] <= start + seconds * _LATE

    def _since(self, name: Name) -> float:
        if not self._wanted and not self._awaited:
            return -inf  # nobody said what is wanted: all is collected
        return min(self._wanted.get(name, inf), self._wanted.get(None, inf))
