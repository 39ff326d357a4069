"""Time buckets of one width, and running sums over them for windows of several lengths.

Time is counted in whole units, 60000 to a bucket, so that adding and taking away never drifts.
Every window has its own tail and its own running sum: reading costs the same however long it is.

A window ends at the anchor, the newest time that the ring has been moved to. Of the bucket in
which it begins, its observed time counts as far as it can lie inside the window, and of its
events the share of observations that lie inside when polls come at even distances.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from watchdog.core.windows.columns import KINDS, WIDE, narrowed, put, zeros

UNITS = 60000  # of time in one bucket; the largest count that fits an unsigned short with ease
_ROUNDING_UNITS = 2  # what the two ends of an observed stretch may have lost by rounding


@dataclass(slots=True)
class _Sum:
    """What lies in the buckets from `first` to the head."""

    units: int  # the window's length
    first: int
    bad: float = 0.0
    total: float = 0.0
    observed: int = 0
    extra: int = 0
    bad_buckets: int = 0  # not zero; when none is left the sum is exactly zero
    total_buckets: int = 0


class Held(NamedTuple):
    """One window's content. Times are seconds.

    `observed_seconds` were watched without a break; `known_seconds` are these and what the
    counters bridged: a gap or a restart whose events are in the sums.
    """

    bad: float
    total: float
    observed_seconds: float
    known_seconds: float
    unknown_seconds: float


class Ring:
    def __init__(
        self, width_seconds: float, every_seconds: float, windows: Sequence[float]
    ) -> None:
        self.width_seconds = width_seconds
        self._slots = max(math.ceil(w / width_seconds) for w in windows) + 2
        self._per_second = UNITS / width_seconds
        self._every = max(1, round(every_seconds * self._per_second))
        # Polls fall into the middle of their share of a bucket: jitter moves none to a neighbour.
        self._lead_seconds = min(every_seconds, width_seconds) / 2
        self._windows = tuple(windows)
        self._bad = zeros(self._slots)
        self._total = zeros(self._slots)
        self._observed = array("H", bytes(2 * self._slots))
        # Rare, so not arrays: bucket -> units bridged; bucket watched in part -> what was not.
        self._extra: dict[int, int] = {}
        self._blank: dict[int, tuple[int, int]] = {}
        self._origin = 0.0
        self._anchor = 0
        self._head = 0
        self._summed_at = 0
        self._next_drop = 0  # the anchor at which a bucket leaves a window
        self._sums: dict[float, _Sum] = {}

    @property
    def bytes_held(self) -> int:
        return sum(a.itemsize * len(a) for a in (self._bad, self._total, self._observed))

    def start(self, position: float) -> None:
        """Begin anew: nothing before `position` is known."""
        self._origin = position - self._lead_seconds
        self._anchor = self._units(position)
        self._head = self._anchor // UNITS
        self._clear()
        self._blank[self._head] = (0, self._anchor % UNITS)

    def advance(self, position: float) -> None:
        """Move the windows' end to `position`; never back."""
        anchor = self._units(position)
        if anchor > self._anchor:
            self._move(anchor)

    def watch(self, start: float, end: float, bad: float, total: float) -> None:
        """`advance` to `end`, `add` there, and `cover` from `start`, at once: nearly every poll."""
        origin, per_second = self._origin, self._per_second
        since = math.floor((start - origin) * per_second)
        until = math.floor((end - origin) * per_second)
        if until > self._anchor:
            self._move(until)
        index = until // UNITS
        if index != self._head or since // UNITS != index:
            self.add(end, bad, total)
            self.cover(start, end)
            return
        slot, units = index % self._slots, until - since
        was_bad, was_total = self._bad[slot], self._total[slot]
        now_bad, now_total = was_bad + bad, was_total + total
        self._put(slot, now_bad, now_total)
        self._observed[slot] += units
        more_bad = (now_bad != 0) - (was_bad != 0)
        more_total = (now_total != 0) - (was_total != 0)
        for window in self._sums.values():
            if index >= window.first:
                window.bad += bad
                window.total += total
                window.observed += units
                window.bad_buckets += more_bad
                window.total_buckets += more_total

    def _move(self, anchor: int) -> None:
        head = anchor // UNITS
        self._anchor = anchor
        if head - self._head >= self._slots:
            self._head = head
            self._clear()
            return
        if anchor >= self._next_drop:
            self._drop_all(anchor)
        if head == self._head:
            return
        for index in range(self._head + 1, head + 1):
            slot = index % self._slots
            self._bad[slot] = self._total[slot] = 0
            self._observed[slot] = 0
            self._extra.pop(index - self._slots, None)
            self._blank.pop(index - self._slots, None)
        self._head = head
        if head - self._summed_at >= self._slots:
            self._sum_anew()

    def add(self, position: float, bad: float, total: float) -> None:
        """Count events in the bucket of `position`, if that is still held."""
        index = self._units(position) // UNITS
        if not self._holds(index):
            return
        slot = index % self._slots
        was_bad, was_total = self._bad[slot], self._total[slot]
        now_bad, now_total = was_bad + bad, was_total + total
        self._put(slot, now_bad, now_total)
        for window in self._sums.values():
            if index >= window.first:
                window.bad += bad
                window.total += total
                window.bad_buckets += (now_bad != 0) - (was_bad != 0)
                window.total_buckets += (now_total != 0) - (was_total != 0)

    def cover(self, start: float, end: float) -> None:
        """The time from `start` to `end` was watched without a break."""
        since, until = self._units(start), self._units(end)
        first = max(since // UNITS, self._head - self._slots + 1)
        for index in range(first, until // UNITS + 1):
            units = min(until, (index + 1) * UNITS) - max(since, index * UNITS)
            self._observed[index % self._slots] += units
            for window in self._sums.values():
                if index >= window.first:
                    window.observed += units

    def skip(self, start: float, end: float) -> None:
        """The time from `start` to `end` was not watched."""
        since, until = self._units(start), self._units(end)
        for index in {since // UNITS, until // UNITS}:
            low, high = max(since, index * UNITS), min(until, (index + 1) * UNITS)
            old = self._blank.get(index, (UNITS, 0))
            blank = min(old[0], low - index * UNITS), max(old[1], high - index * UNITS)
            if self._holds(index):
                self._blank[index] = blank

    def bridge(self, position: float, seconds: float) -> None:
        """The events at `position` stand for so many seconds that were not watched."""
        index = self._units(position) // UNITS
        units = math.floor(seconds * self._per_second)
        if units <= 0 or not self._holds(index):
            return
        self._extra[index] = self._extra.get(index, 0) + units
        for window in self._sums.values():
            if index >= window.first:
                window.extra += units

    def read(self, window_seconds: float) -> Held:
        """What the window that ends at the anchor holds."""
        window = self._sums[window_seconds]
        units, per_second = window.units, self._per_second
        bad, total, observed = window.bad, window.total, window.observed
        tail, outside = divmod(self._anchor - units, UNITS)
        slot = tail % self._slots
        inside = UNITS - outside
        watched = self._observed[slot]
        observed += self._watched(tail, outside) if tail in self._blank else min(watched, inside)
        polls = (inside - 1) // self._every  # that lie after the window's beginning
        if polls > 0 and tail not in self._extra:
            share = polls / max(polls, watched // self._every)
            bad += self._bad[slot] * share
            total += self._total[slot] * share
        unknown = units - observed - window.extra
        if unknown <= _ROUNDING_UNITS:
            known_seconds, unknown_seconds = units / per_second, 0.0
        else:  # rounded against us, so that filling never fires a rule too early
            known = max(0, observed + window.extra - _ROUNDING_UNITS)
            known_seconds, unknown_seconds = known / per_second, (units - known) / per_second
        observed_seconds = min(observed, units) / per_second
        return Held(bad, total, observed_seconds, known_seconds, unknown_seconds)

    def _watched(self, index: int, outside: int) -> int:
        """How much of a bucket was watched, its first units left aside."""
        watched = min(self._observed[index % self._slots], UNITS - outside)
        low, high = self._blank.get(index, (0, 0))
        return max(0, min(watched, UNITS - outside - max(0, high - max(low, outside))))

    def dump(self) -> tuple[list[object], bytes]:
        """Plain numbers, and the buckets as bytes."""
        extra = [[index, units] for index, units in self._extra.items()]
        blob = self._bad.tobytes() + self._total.tobytes() + self._observed.tobytes()
        blank = [[index, *span] for index, span in self._blank.items()]
        kinds = self._bad.typecode + self._total.typecode
        return [self._origin, self._anchor, self._head, extra, blank, kinds], blob

    def load(self, data: Sequence[object], blob: bytes) -> bytes:
        """Take `dump`'s content back; gives the rest of the bytes.

        Raises ValueError or TypeError where it is not that.
        """
        origin, anchor, head, extra, blank, *rest = data
        kinds = rest[0] if rest else WIDE + WIDE  # as it was written before columns were narrow
        if not (isinstance(anchor, int) and isinstance(head, int)):
            raise TypeError("not a ring's place in time")
        if not (isinstance(extra, list) and isinstance(blank, list)):
            raise TypeError("not a ring's numbers")
        if anchor // UNITS != head:
            raise ValueError("a ring whose head is not where its time is")
        bad, total = list(str(kinds))
        if not {bad, total} <= KINDS:
            raise ValueError("a ring's columns are of no known kind")
        self._bad, self._total = zeros(self._slots, bad), zeros(self._slots, total)
        for store in (self._bad, self._total, self._observed):
            size = store.itemsize * self._slots
            if len(blob) < size:
                raise ValueError("a ring's buckets are cut off")
            store[:] = array(store.typecode, blob[:size])
            blob = blob[size:]
        if not rest:
            self._bad, self._total = narrowed(self._bad), narrowed(self._total)
        self._origin, self._anchor, self._head = float(str(origin)), anchor, head
        self._extra = {int(index): int(units) for index, units in extra}
        self._blank = {int(index): (int(low), int(high)) for index, low, high in blank}
        self._sum_anew()
        return blob

    def _put(self, slot: int, bad: float, total: float) -> None:
        self._bad = put(self._bad, slot, bad)
        self._total = put(self._total, slot, total)

    def _units(self, position: float) -> int:
        return math.floor((position - self._origin) * self._per_second)

    def _holds(self, index: int) -> bool:
        return self._head - self._slots < index <= self._head

    def _clear(self) -> None:
        self._bad, self._total = zeros(self._slots), zeros(self._slots)
        self._observed[:] = array("H", bytes(2 * self._slots))
        self._extra.clear()
        self._blank.clear()
        self._sums = dict(self._empty_sums())
        self._next_drop = 0
        self._summed_at = self._head

    def _empty_sums(self) -> Iterator[tuple[float, _Sum]]:
        for seconds in self._windows:
            units = round(seconds * self._per_second)
            yield seconds, _Sum(units=units, first=(self._anchor - units) // UNITS + 1)

    def _drop_all(self, anchor: int) -> None:
        for window in self._sums.values():
            first = (anchor - window.units) // UNITS + 1
            if first > window.first:
                self._drop(window, first)
        self._next_drop = min(w.first * UNITS + w.units for w in self._sums.values())

    def _drop(self, window: _Sum, first: int) -> None:
        """Move a window's tail on: what lies before bucket `first` leaves its sums."""
        for index in range(window.first, min(first, self._head + 1)):
            slot = index % self._slots
            if self._bad[slot]:
                window.bad_buckets -= 1
                window.bad = window.bad - self._bad[slot] if window.bad_buckets else 0.0
            if self._total[slot]:
                window.total_buckets -= 1
                window.total = window.total - self._total[slot] if window.total_buckets else 0.0
            window.observed -= self._observed[slot]
            window.extra -= self._extra.get(index, 0)
        window.first = first

    def _sum_anew(self) -> None:
        """Once a round: what fractions have drifted apart is forgotten. Whole numbers never do."""
        self._sums = dict(self._empty_sums())
        self._next_drop = 0
        self._summed_at = self._head
        for window in self._sums.values():
            slots = [i % self._slots for i in range(window.first, self._head + 1)]
            bad, total = [self._bad[s] for s in slots], [self._total[s] for s in slots]
            window.bad, window.total = math.fsum(bad), math.fsum(total)
            window.bad_buckets = sum(1 for value in bad if value)
            window.total_buckets = sum(1 for value in total if value)
            window.observed = sum(self._observed[s] for s in slots)
            window.extra = sum(u for i, u in self._extra.items() if i >= window.first)
