"""How each rule stood lately: thinned numbers for plots, kept in memory beside the watch.

Laws
* It costs judging nothing: what is kept is taken from verdicts that stand already, by a loop of its
  own that takes at most LOOKS_A_SECOND of them, those in trouble first.
* It is bounded, whatever the number of rules: POINTS in all, shared out. Where a rule's share is
  full, its older points are thinned, and of neighbours the one nearest to a breach stays. So what
  is new is fine, what is old is coarse, and a day is remembered.
* It is no record. A restart begins it anew, and what happened stands in the journal.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from watchdog.core.spec import PRESENT, RatioThreshold, RuleSpec, Slo, ValueThreshold
from watchdog.core.words import Instant, Status, Verdict

LOOKS_A_SECOND = 100
POINTS = 300_000
MOST_POINTS, LEAST_POINTS = 900, 60
"""Of one rule."""
KEPT_SECONDS = 86_400.0

_STATUSES = (Status.HEALTHY, Status.BREACHED, Status.BLIND)
_NOTHING = math.nan

Seen = tuple[RuleSpec, Verdict | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """What a rule said at one time; each value is None where it was not measured."""

    steady: float
    status: Status
    values: tuple[float | None, ...]


class Trail:
    """Of one rule. `columns` are what its values are of: the windows of an objective, else one."""

    __slots__ = ("_numbers", "_statuses", "_times", "bound", "sha256", "windows")

    def __init__(self, rule: RuleSpec) -> None:
        self.sha256 = rule.sha256
        self.windows = windows_of(rule)
        self.bound = bound_of(rule)
        self._times = array("d")
        self._statuses = array("B")
        self._numbers = array("f")  # a row of as many as there are columns for each time

    def __len__(self) -> int:
        return len(self._times)

    @property
    def columns(self) -> int:
        return max(1, len(self.windows))

    @property
    def newest(self) -> float:
        return self._times[-1] if self._times else -math.inf

    def moments(self, since: float = -math.inf, most: int = MOST_POINTS) -> Iterator[Moment]:
        """Oldest first; of more than `most` some are left out, and never the newest."""
        wide, first, last = self.columns, bisect_left(self._times, since), len(self) - 1
        step = max(1, -(-(last + 1 - first) // most))
        for index in range(last - (last - first) // step * step, last + 1, step):
            row = self._numbers[index * wide : (index + 1) * wide]
            values = tuple(None if math.isnan(value) else value for value in row)
            yield Moment(self._times[index], _STATUSES[self._statuses[index]], values)

    def add(self, verdict: Verdict, most: int) -> None:
        """One more, later than the last; the older ones make room for it."""
        self._times.append(verdict.at.steady)
        self._statuses.append(_STATUSES.index(verdict.status))
        self._numbers.extend(self._row(verdict))
        if len(self) > most:
            self._thin(verdict.at.steady, most)

    def _row(self, verdict: Verdict) -> Sequence[float]:
        blind = verdict.status is Status.BLIND
        if not self.windows:
            value = verdict.value
            return [_NOTHING if blind or value is None else value]
        burns = {w.seconds: w.burn for w in verdict.evidence if w.burn is not None}
        return [_NOTHING if blind else burns.get(seconds, _NOTHING) for seconds in self.windows]

    def _thin(self, now: float, most: int) -> None:
        """A quarter stays as it is. Of what is older one moment stays in each stretch, and these
        are as long as they are old, in proportion; what is too old goes.
        """
        fine = len(self) - most // 4
        youngest = max(1.0, now - self._times[fine])
        width = max(1e-3, math.log(max(2.0, KEPT_SECONDS / youngest)) / (most // 2))
        stretches: dict[int, int] = {}
        for index in range(bisect_left(self._times, now - KEPT_SECONDS), fine):
            stretch = math.floor(math.log(max(1.0, now - self._times[index])) / width)
            before = stretches.get(stretch)
            if before is None or self._strain(index) > self._strain(before):
                stretches[stretch] = index
        self._keep([*stretches.values(), *range(fine, len(self))])

    def _keep(self, kept: Sequence[int]) -> None:
        wide = self.columns
        rows = [self._numbers[index * wide : (index + 1) * wide] for index in kept]
        self._times = array("d", [self._times[index] for index in kept])
        self._statuses = array("B", [self._statuses[index] for index in kept])
        self._numbers = array("f", [value for row in rows for value in row])

    def _strain(self, index: int) -> tuple[bool, float]:
        """How near to a breach: being one first, then the numbers; blindness last."""
        wide = self.columns
        row = [v for v in self._numbers[index * wide : (index + 1) * wide] if not math.isnan(v)]
        low_is_bad = self.bound is not None and self.bound[0].startswith("<")
        number = (-min(row) if low_is_bad else max(row)) if row else -math.inf
        return _STATUSES[self._statuses[index]] is Status.BREACHED, number


class Trails:
    """One trail a rule, families and members too."""

    def __init__(self) -> None:
        self._trails: dict[str, Trail] = {}
        self._turn = 0

    def of(self, rule: str) -> Trail | None:
        found = self._trails.get(rule)
        return found if found is not None and len(found) else None

    def look(self, seen: Sequence[Seen], in_trouble: Collection[str]) -> None:
        """Take what stands now of some of them: to be called once a second."""
        self._forget({rule.name for rule, _ in seen})
        most = max(LEAST_POINTS, min(MOST_POINTS, POINTS // max(1, len(seen))))
        for rule, verdict in self._chosen(seen, in_trouble):
            if verdict is not None:
                self._take(rule, verdict, most)

    def _chosen(self, seen: Sequence[Seen], in_trouble: Collection[str]) -> Iterable[Seen]:
        if len(seen) <= LOOKS_A_SECOND:
            return seen
        urgent = [one for one in seen if one[0].name in in_trouble][: LOOKS_A_SECOND // 2]
        start, count = self._turn % len(seen), LOOKS_A_SECOND - len(urgent)
        self._turn = start + count
        around = (*seen[start : start + count], *seen[: max(0, start + count - len(seen))])
        return (*urgent, *around)

    def _take(self, rule: RuleSpec, verdict: Verdict, most: int) -> None:
        trail = self._trails.get(rule.name)
        if trail is None or trail.sha256 != rule.sha256:
            trail = self._trails[rule.name] = Trail(rule)
        if verdict.at.steady > trail.newest:
            trail.add(verdict, most)

    def _forget(self, known: Collection[str]) -> None:
        if self._trails.keys() - known:
            self._trails = {name: one for name, one in self._trails.items() if name in known}


def windows_of(rule: RuleSpec) -> tuple[float, ...]:
    """The lengths of an objective's windows, the shortest first; none of other rules."""
    signal = rule.signal
    if not isinstance(signal, Slo):
        return ()
    found = {w for pair in signal.pairs for w in (pair.short_seconds, pair.long_seconds)}
    return tuple(sorted(found))


def bound_of(rule: RuleSpec) -> tuple[str, float] | None:
    """Operator and limit that a rule's one value is compared with."""
    signal = rule.signal
    if isinstance(signal, RatioThreshold | ValueThreshold) and signal.bound.op != PRESENT:
        return signal.bound.op, signal.bound.limit
    return None


def wall_of(steady: float, now: Instant) -> float:
    """When that was, by the wall clock of now."""
    return now.wall - (now.steady - steady)
