"""How many events of one counter pair were bad, over windows of several lengths.

Laws (DESIGN section 4)
* Counts come from raw counters, per series, and are summed only then; see `counters.py`.
* The part of a window without history counts as good traffic, at the higher of the rate seen in
  it and the last recorded rate. Under steady traffic this fires exactly when full history would.
* A stretch of more than two intervals between two observations is a gap: nothing in it was
  watched, so coverage falls. What the counters grew by meanwhile is known, but not when it
  happened: it stands at the gap's beginning. A window that holds the whole gap counts it all;
  one that begins inside counts none of it, and the time as good traffic.
* Where series were reset or the target restarted, the stretch is not watched either, and their
  share of it counts as good traffic besides what they have counted since.
* Nothing here reads a clock. Time is the steady clock, less the age of the samples: a step of the
  wall clock moves nothing, and a sample older than the last one is ignored.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from watchdog.core.persistence import longest_gap_seconds
from watchdog.core.samples import Point
from watchdog.core.windows.counters import Counter, Target, target_of
from watchdog.core.windows.marks import Marks
from watchdog.core.windows.ring import Held, Ring
from watchdog.core.words import Instant, WindowReading

_VERSION = 1
_FINE_SECONDS = 3600.0  # windows up to here have narrow buckets
_FINE_BUCKETS = 240
_WIDEST_FINE_SECONDS = 15.0
_COARSE_SECONDS = 300.0
_PERIOD_BUCKETS = 720

WHOLE = 0.999
"""The coverage from which on a window counts as wholly observed; a missed poll is far below it."""


def bucket_seconds(every_seconds: float, window_seconds: float) -> float:
    """How wide the buckets of a window are: up to an hour a whole number of polls, if these fit."""
    if window_seconds > _FINE_SECONDS:
        return _COARSE_SECONDS
    if every_seconds >= _WIDEST_FINE_SECONDS:
        return _WIDEST_FINE_SECONDS
    polls = math.ceil(window_seconds / _FINE_BUCKETS / every_seconds)
    return every_seconds * max(1, min(polls, math.floor(_WIDEST_FINE_SECONDS / every_seconds)))


def position(at: Instant, sampled_at: float) -> float:
    """When a sample was taken, on the steady clock; `at` is when it was asked for."""
    return at.steady - (at.wall - sampled_at)


class Counted(NamedTuple):
    """One window's numbers; the fields mean what they mean in `WindowReading`."""

    bad: float
    total: float
    filled: float
    coverage: float
    ratio: float | None

    def reading(self, seconds: float) -> WindowReading:
        return WindowReading(seconds, *self)


class Observation(NamedTuple):
    """What one look at the counters showed."""

    fresh: bool  # False: the samples are the last ones again, or older, and nothing was counted
    first: bool = False  # nothing to compare with yet
    gap: bool = False
    seconds: float = 0.0  # since the observation before
    bad: float = 0.0
    total: float = 0.0
    resets: int = 0


_UNSEEN = Counted(0.0, 0.0, 0.0, 0.0, None)


def period_bucket_seconds(period_seconds: float) -> float:
    """How wide the buckets of a budget's period are, where no window is as long: about 720."""
    return max(1, math.ceil(period_seconds / _PERIOD_BUCKETS / _COARSE_SECONDS)) * _COARSE_SECONDS


class Tally:
    """Running counts of one pair of selectors for a fixed set of windows.

    `period_seconds` is a window that decides nothing: what is left of an error budget is told
    from it. Its buckets are wide, so that it costs little room beside the others.
    """

    def __init__(
        self,
        every_seconds: float,
        window_seconds: Sequence[float],
        period_seconds: float | None = None,
    ) -> None:
        self.every_seconds = every_seconds
        self.period_seconds = period_seconds
        self.window_seconds = tuple(sorted(set(window_seconds)))
        widths: dict[float, list[float]] = {}
        for window in self.window_seconds:
            widths.setdefault(bucket_seconds(every_seconds, window), []).append(window)
        self._rings = [Ring(width, every_seconds, group) for width, group in widths.items()]
        self._ring_of = {
            window: ring
            for ring, group in zip(self._rings, widths.values(), strict=True)
            for window in group
        }
        self._period: Ring | None = None
        if period_seconds is not None and period_seconds not in self._ring_of:
            width = period_bucket_seconds(period_seconds)
            self._period = Ring(width, every_seconds, (period_seconds,))
        self._all = [*self._rings, *([self._period] if self._period else [])]
        self._gap_seconds = longest_gap_seconds(every_seconds)
        self._events, self._totals = Counter(), Counter()
        self._targets: set[Target] = set()
        self._marks = Marks()
        self._position: float | None = None
        self._sampled_at: float | None = None
        self._stretches = 0
        self._rate = 0.0

    @property
    def ready(self) -> bool:
        """At least two observations: there is an increase to speak of."""
        return self._stretches > 0

    @property
    def recorded_rate(self) -> float:
        """Events a second when the shortest window was last wholly observed."""
        return self._rate

    @property
    def bytes_held(self) -> int:
        return sum(ring.bytes_held for ring in self._all) + self._marks.bytes_held

    def observe(
        self,
        at: Instant,
        sampled_at: float,
        events: Sequence[Point],
        total: Sequence[Point],
        *,
        restarted: bool = False,
        good: bool = False,
        gap_seconds: float | None = None,
    ) -> Observation:
        """Take one successful look at both selectors in.

        `sampled_at` is the wall time of the samples, `at` when they were asked for. An absent
        series grows by nothing. With `good`, `events` counts the good ones, and bad is the rest.
        `gap_seconds` is the stretch from which on nothing was watched, where looks are further
        apart than usual: history.
        """
        here, before = position(at, sampled_at), self._position
        if before is not None and (sampled_at == self._sampled_at or here <= before):
            return Observation(fresh=False)
        births = before is not None and not restarted
        counted = self._events.grow(events, births=births, targets=self._targets)
        overall = self._totals.grow(total, births=births, targets=self._targets)
        self._remember_targets()
        self._position, self._sampled_at = here, sampled_at
        if before is None:
            for ring in self._all:
                ring.start(here)
            self._marks.put(here)
            return Observation(fresh=True, first=True)
        bad = overall.amount - counted.amount if good else counted.amount
        resets = counted.resets + overall.resets
        gap = here - before > (gap_seconds or self._gap_seconds)
        series = max(1, counted.series + overall.series)
        unsure = counted.unsure + overall.unsure if restarted or gap else resets
        bridged = (here - before) * (1 - unsure / series)
        watched = not (gap or restarted or resets)
        if watched and gap_seconds is None:
            for ring in self._all:
                ring.watch(before, here, bad, overall.amount)
        elif watched:
            self._put_wide(before, here, bad, overall.amount)
        else:
            self._put_unwatched(before, here, bad, overall.amount, before if gap else here, bridged)
        self._stretches += 1
        self._marks.count(bad, overall.amount, here - before if watched else 0.0)
        self._marks.put(here)
        self._record_rate()
        return Observation(
            fresh=True,
            gap=gap,
            seconds=here - before,
            bad=bad,
            total=overall.amount,
            resets=resets,
        )

    def _put_wide(self, before: float, here: float, bad: float, total: float) -> None:
        """Looks as far apart as buckets are wide: most of the stretch lies in one of them."""
        for ring in self._all:
            ring.advance(here)
            ring.add((before + here) / 2, bad, total)
            ring.cover(before, here)

    def _put_unwatched(  # a stretch and where what is known of it is counted
        self, before: float, here: float, bad: float, total: float, at: float, bridged: float
    ) -> None:
        for ring in self._all:
            ring.advance(here)
            ring.add(at, bad, total)
            ring.skip(before, here)
            ring.bridge(at, bridged)

    def read(self, window_seconds: float, now: Instant) -> WindowReading:
        """One of the windows given at the start, or the period, O(1).

        It ends at the newest sample; at `now` less two intervals once that is later, so that
        missed polls show as falling coverage and ordinary delay does not.
        """
        if self._position is None:
            return _UNSEEN.reading(window_seconds)
        ring = self._ring_of.get(window_seconds, self._period)
        if ring is None:
            raise KeyError(window_seconds)
        ring.advance(max(self._position, now.steady - self._gap_seconds))
        return self._counted(window_seconds, ring.read(window_seconds)).reading(window_seconds)

    def ends(self, now: Instant) -> tuple[float | None, float]:
        return self._position, max(self._position or 0.0, now.steady - self._gap_seconds)

    def read_all(self, now: Instant) -> dict[float, Counted]:
        """All windows as `read` gives them, by their length."""
        if self._position is None:
            return dict.fromkeys(self.window_seconds, _UNSEEN)
        end = max(self._position, now.steady - self._gap_seconds)
        for ring in self._rings:
            ring.advance(end)
        return {
            window: self._counted(window, ring.read(window))
            for window, ring in self._ring_of.items()
        }

    def _counted(self, window_seconds: float, held: Held) -> Counted:
        bad, total, observed_seconds, known_seconds, unknown_seconds = held
        filled = 0.0
        if unknown_seconds:
            seen = total / known_seconds if known_seconds > 0 else 0.0
            filled = max(seen, self._rate) * unknown_seconds
        coverage = observed_seconds / window_seconds
        ratio = bad / (total + filled) if total > 0 else None
        return Counted(bad, total, filled, min(1.0, coverage), ratio)

    def since(self, at: Instant) -> tuple[float, float, float]:
        """(bad, total, observed seconds) of the stretches that lie wholly after `at`."""
        return self._marks.since(at.steady)

    def bad_during(self, position: float) -> float:
        """Bad events since the observation before the one at `position`, on the steady clock."""
        return self._marks.bad_during(position)

    def turned(self, limit: float, within_seconds: float) -> float | None:
        """The first observation of the last seconds from which on more than `limit` was bad."""
        newest = self._position
        return None if newest is None else self._marks.turned(limit, newest - within_seconds)

    def checkpoint(self) -> bytes:
        """Everything, to go on from after a restart."""
        rings = [ring.dump() for ring in self._rings]
        marks, marks_blob = self._marks.dump()
        head: dict[str, Any] = {
            "version": _VERSION,
            "byteorder": sys.byteorder,
            "every": self.every_seconds,
            "windows": self.window_seconds,
            "position": self._position,
            "sampled_at": self._sampled_at,
            "stretches": self._stretches,
            "rate": self._rate,
            "events": self._events.dump(),
            "totals": self._totals.dump(),
            "rings": [numbers for numbers, _ in rings],
            "marks": marks,
        }
        period_blob = b""
        if self._period is not None:
            numbers, period_blob = self._period.dump()
            head["period"] = [self.period_seconds, len(period_blob), numbers]
        text = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
        body = b"".join(blob for _, blob in rings) + period_blob + marks_blob
        return zlib.compress(len(text).to_bytes(4, "big") + text + body, level=1)

    def restore(self, data: bytes) -> bool:
        """Go on from a checkpoint. False, and begin anew, where it is damaged or of other windows.

        Losing one costs warm-up time and never a decision, so nothing is raised.
        """
        fresh = Tally(self.every_seconds, self.window_seconds, self.period_seconds)
        try:
            fresh._load(zlib.decompress(data))
        except (ValueError, TypeError, KeyError, AttributeError, zlib.error):
            fresh = Tally(self.every_seconds, self.window_seconds, self.period_seconds)
            self.__dict__.update(fresh.__dict__)
            return False
        self.__dict__.update(fresh.__dict__)
        return True

    def _load(self, data: bytes) -> None:
        size = int.from_bytes(data[:4], "big")
        head, body = json.loads(data[4 : 4 + size]), data[4 + size :]
        same = (_VERSION, sys.byteorder, self.every_seconds, list(self.window_seconds))
        if (head["version"], head["byteorder"], head["every"], head["windows"]) != same:
            raise ValueError("a checkpoint of another version or of other windows")
        self._events.load(head["events"])
        self._totals.load(head["totals"])
        self._remember_targets()
        if head["position"] is None:
            return
        for ring, numbers in zip(self._rings, head["rings"], strict=True):
            body = ring.load(numbers, body)
        body = self._load_period(head, body)
        self._marks.load(head["marks"], body)
        self._position, self._sampled_at = float(head["position"]), float(head["sampled_at"])
        self._stretches, self._rate = int(head["stretches"]), float(head["rate"])

    def _load_period(self, head: dict[str, Any], body: bytes) -> bytes:
        """One that is of another length, or was not kept yet, begins here."""
        seconds, size, numbers = head.get("period", (None, 0, None))
        if self._period is not None and seconds == self.period_seconds:
            return self._period.load(numbers, body)
        if self._period is not None:
            self._period.start(float(head["position"]))
        return body[int(size) :]

    def _remember_targets(self) -> None:
        for counter in (self._events, self._totals):
            if not counter.fresh:
                continue
            self._targets.update(t for t in map(target_of, counter.fresh) if t is not None)
            counter.fresh.clear()

    def _record_rate(self) -> None:
        shortest = self.window_seconds[0]
        held = self._ring_of[shortest].read(shortest)
        if held.observed_seconds >= WHOLE * shortest:
            self._rate = held.total / shortest
