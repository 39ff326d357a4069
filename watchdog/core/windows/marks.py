"""Counts at past observations, so that "since the effect" can be answered at any time.

The newest observations are all kept; older ones the more thinly the older they are, so that a
hundred marks reach back for weeks and what one that was left out costs stays a small share of an
answer. An answer starts at the first mark at or after the moment asked for: it may
leave out events after it, and never takes in one before it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from operator import sub, truediv

_MOST = 128
_NEWEST_KEPT = 48
_COLUMNS = 4
_DUST = 1e-6  # what adding and subtracting seconds may have done to a position


class Marks:
    __slots__ = ("_at", "_bad", "_now", "_seconds", "_total")

    def __init__(self) -> None:
        self._at, self._bad = array("d"), array("d")
        self._total, self._seconds = array("d"), array("d")
        self._now = (0.0, 0.0, 0.0)

    @property
    def bytes_held(self) -> int:
        return _MOST * _COLUMNS * self._at.itemsize

    def count(self, bad: float, total: float, seconds: float) -> None:
        """Add to the counts since ever."""
        self._now = (self._now[0] + bad, self._now[1] + total, self._now[2] + seconds)

    def put(self, position: float) -> None:
        """Remember the counts as they are at `position`."""
        bad, total, seconds = self._now
        self._at.append(position)
        self._bad.append(bad)
        self._total.append(total)
        self._seconds.append(seconds)
        if len(self._at) > _MOST:
            spare = self._least_needed()
            for column in self._columns():
                del column[spare]

    def since(self, position: float) -> tuple[float, float, float]:
        """(bad, total, watched seconds) after the first mark at or after `position`."""
        index = bisect_left(self._at, position)
        if index == len(self._at):
            return 0.0, 0.0, 0.0
        return (
            self._now[0] - self._bad[index],
            self._now[1] - self._total[index],
            self._now[2] - self._seconds[index],
        )

    def bad_during(self, position: float) -> float:
        """Bad events of the stretch that led to the observation at `position`, and of all since."""
        index = bisect_left(self._at, position - _DUST) - 1
        return self._now[0] - (self._bad[index] if index >= 0 else 0.0)

    def turned(self, limit: float, since: float) -> float | None:
        """The first observation from which on more than `limit` of all events were bad: after
        their excess over it was least. None where there are not two observations since `since`.
        """
        marks = range(bisect_left(self._at, since), len(self._at) - 1)
        if not marks:
            return None
        least = min(marks, key=lambda mark: (self._bad[mark] - limit * self._total[mark], -mark))
        return self._at[least + 1]

    def dump(self) -> tuple[list[object], bytes]:
        return [list(self._now), len(self._at)], b"".join(c.tobytes() for c in self._columns())

    def load(self, data: Sequence[object], blob: bytes) -> None:
        """Raises ValueError or TypeError where it is not what `dump` gave."""
        now, length = data
        if not (isinstance(now, list) and isinstance(length, int) and len(now) == 3):
            raise ValueError("not marks")
        size = self._at.itemsize * length
        if len(blob) != size * _COLUMNS:
            raise ValueError("marks are cut off")
        for index, column in enumerate(self._columns()):
            column[:] = array("d", blob[index * size : (index + 1) * size])
        self._now = (float(now[0]), float(now[1]), float(now[2]))

    def _least_needed(self) -> int:
        """The old mark whose neighbours lie closest together for their age."""
        # Run at every poll, so over whole columns at once.
        before = self._at[: len(self._at) - _NEWEST_KEPT - 1]
        spans = map(sub, self._at[2:], before)
        ages = map(self._at[-1].__sub__, before)
        shares = list(map(truediv, spans, ages))
        return shares.index(min(shares)) + 1

    def _columns(self) -> tuple[array[float], ...]:
        return self._at, self._bad, self._total, self._seconds
