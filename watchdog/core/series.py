"""Raw samples, kept per series for as long as the expressions in use look back.

One store belongs to one embedded source (scrape or json). It keeps what Prometheus would keep:
samples in the order of their own times, a staleness marker where a series vanished or the scrape
failed, and the `up` series of every target. Nothing is thinned out or guessed: what does not fit
is refused, remembered by name, and blinds the expressions that would have needed it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from itertools import chain
from math import inf, isfinite, nextafter

from watchdog.core.looks import LOOKBACK_SECONDS, Looks
from watchdog.core.samples import Fault, Labels, Reading, Sample
from watchdog.core.series_index import Found, Matches, Named

AHEAD_SECONDS = 600.0
"""Samples dated further ahead of their reading than this are not kept; Prometheus' limit too."""

_PRUNE_FROM = 64  # short series are not worth the moving about
_REFUSED_NAMES = 256  # beyond this many names, every name counts as refused
_SELECTORS_CACHED = 65_536


class Series:
    """The kept samples of one labelled series, oldest first, and the gaps between them."""

    __slots__ = ("_gaps", "_times", "_values", "ahead_at", "born", "labels", "name")

    def __init__(self, name: str, labels: Labels, born: int) -> None:
        self.name = name
        self.labels = labels
        self.born = born
        """Its number among all births in its store; 0 once it is forgotten."""
        self.ahead_at: float | None = None
        """Time of the newest sample, where it lay ahead of our clock when it was read."""
        self._times = array("d")
        self._values = array("d")
        self._gaps = array("d")  # staleness markers: nothing to see from here to the next sample

    def __len__(self) -> int:
        return len(self._times)

    @property
    def newest(self) -> float | None:
        return self._times[-1] if self._times else None

    def add(self, at: float, value: float, now: float) -> None:
        """Append one sample; one that is not newer than the last is dropped, as Prometheus does."""
        self.ahead_at = at if at > now else None
        if at > now + AHEAD_SECONDS:
            return
        newest = self.newest
        if newest is not None and at < newest:
            return
        # Alive again, though its own time lies before the marker (a document that lags).
        while self._gaps and self._gaps[-1] >= at:
            self._gaps.pop()
        if newest is None or at > newest:
            self._times.append(at)
            self._values.append(value)

    def end(self, at: float) -> None:
        """Place a staleness marker: the series is gone from `at` on."""
        if self._times:
            self._gaps.append(max(at, nextafter(self._times[-1], inf)))

    def prune(self, horizon: float) -> None:
        """Forget samples older than `horizon`, a good many at a time."""
        times = self._times
        if len(times) >= _PRUNE_FROM and times[len(times) // 4] < horizon:
            cut = bisect_left(times, horizon)
            del times[:cut]
            del self._values[:cut]
        if len(self._gaps) >= _PRUNE_FROM and self._gaps[len(self._gaps) // 4] < horizon:
            del self._gaps[: bisect_left(self._gaps, horizon)]

    def rewind(self, now: float) -> None:
        """Forget what was recorded at or after `now`: the wall clock was set back."""
        cut = bisect_left(self._times, now)
        del self._times[cut:]
        del self._values[cut:]
        del self._gaps[bisect_left(self._gaps, now) :]

    def instant(self, at: float) -> tuple[float, float] | None:
        """(time, value) of the newest sample in (at - 5m, at], unless a marker follows it."""
        times = self._times
        index = bisect_right(times, at) - 1 if times and times[-1] > at else len(times) - 1
        if index < 0 or times[index] <= at - LOOKBACK_SECONDS:
            return None
        newest = times[index]
        if self._gaps:
            gap = bisect_right(self._gaps, at) - 1
            if gap >= 0 and self._gaps[gap] > newest:
                return None
        return newest, self._values[index]

    def window(self, at: float, seconds: float) -> tuple[array[float], array[float]]:
        """(times, values) in (at - seconds, at]; markers are not samples and do not count."""
        low = bisect_right(self._times, at - seconds)
        high = bisect_right(self._times, at)
        return self._times[low:high], self._values[low:high]


class SeriesStore:
    """All series of one source. `keep_seconds` is the longest range in use; 5 minutes are added.

    At most `max_series` are kept, those included that are gone but still lie in some range; the
    `up` series come on top, one for each target.
    """

    def __init__(self, max_series: int, keep_seconds: float) -> None:
        self.max_series = max_series
        self.keep_seconds = keep_seconds
        self.looks = Looks()
        self._series: dict[str, Named[Series]] = {}
        self._count = 0
        self._live: dict[Series, None] = {}  # in the order of their birth, so that runs are equal
        self._gone: dict[Series, float] = {}  # when each was marked, earliest first
        self._ups: dict[str, Series] = {}
        self._ingested_at = -inf
        self._refused: dict[str, float] = {}  # name -> when a series of it last found no room
        self._refused_any = -inf
        self._births = 0
        self._changes = 0  # births and deaths
        self._found: dict[Matches, Found[Series]] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def samples(self) -> int:
        """How many samples are held, for the watchdog's own metrics."""
        return sum(len(series) for series in self)

    def __iter__(self) -> Iterator[Series]:
        return chain.from_iterable(named.whole.series.values() for named in self._series.values())

    def ingest(self, reading: Reading) -> None:
        """Take one poll in. Readings come one after another, in the order of their times."""
        now = reading.at.wall
        if now <= self._ingested_at:
            self._rewind(now)
        self._ingested_at = now
        horizon = now - self.keep_seconds - LOOKBACK_SECONDS
        seen: dict[Series, None] = {}
        self._take_up(reading, seen)
        if reading.failure is None:
            for sample in reading.samples:
                self._take(sample, now, seen)
            self.looks.add(_looked_at(reading))
        self.looks.prune(horizon)
        for series in [series for series in self._live if series not in seen]:
            series.end(now)
            self._gone[series] = now
        for series in seen:
            self._gone.pop(series, None)
            series.prune(horizon)
        self._live = seen
        self._forget(horizon)

    def matching(self, selector: Matches) -> tuple[Series, ...]:
        """Every series that the selector means, whether or not it has a sample to show."""
        found = self._found.get(selector)
        if found is None:
            if len(self._found) >= _SELECTORS_CACHED:
                self._found.clear()
            found = self._found[selector] = Found()
        if found.as_of != self._changes:
            if selector.name is None:
                found.replace(s for s in self if selector.matches(s.name, dict(s.labels)))
            else:
                found.renew(selector, self._series.get(selector.name), self._births)
            found.as_of = self._changes
        return found.series

    @property
    def refuses(self) -> bool:
        """Whether any series found no room, as far as is remembered."""
        return bool(self._refused) or self._refused_any > -inf

    def refused(self, name: str | None, at: float, range_seconds: float) -> bool:
        """Whether a series of `name` (None: of any) found no room within the range, or just now."""
        since = min(at - range_seconds, self._ingested_at) if range_seconds else self._ingested_at
        newest = (
            max([self._refused_any, *self._refused.values()])
            if name is None
            else max(self._refused_any, self._refused.get(name, -inf))
        )
        return newest >= since and newest > -inf

    def _rewind(self, now: float) -> None:
        """The wall clock was set back: what seems to lie ahead would hide all that comes."""
        self.looks.rewind(now)
        for series in self:
            series.rewind(now)
        for series in self._gone:
            series.end(now)
            self._gone[series] = now

    def _take_up(self, reading: Reading, seen: dict[Series, None]) -> None:
        """Write `up` for each target, as Prometheus does after each scrape.

        Only an answer, or the service's own fault, says anything about the targets; after any
        other failure `up` is left as it was, and grows old.
        """
        now = reading.at.wall
        failure = reading.failure
        states: Mapping[str, bool] = reading.up
        if not states and (failure is None or failure.fault is Fault.SERVICE):
            # The reading names no target: those known so far, or the source itself.
            states = dict.fromkeys(self._ups or (reading.source,), failure is None)
        if not states:
            seen.update(dict.fromkeys(series for series in self._ups.values()))
            return
        self._ups = {
            target: self._ups.get(target) or self._new("up", (("instance", target),))
            for target in states
        }
        for target, answered in states.items():
            series = self._ups[target]
            series.add(now, float(answered), now)
            seen[series] = None

    def _take(self, sample: Sample, now: float, seen: dict[Series, None]) -> None:
        if not isfinite(sample.at):
            return
        labels = sample.labels
        named = self._series.get(sample.name)
        series = None if named is None else named.whole.series.get(labels)
        if series is None:
            # An empty label is the same as none.
            labels = tuple(pair for pair in labels if pair[1])
            series = None if named is None else named.whole.series.get(labels)
        if series is None:
            if self._count - len(self._ups) >= self.max_series:
                self._refuse(sample.name, now)
                return
            series = self._new(sample.name, labels)
        series.add(sample.at, sample.value, now)
        seen[series] = None

    def _new(self, name: str, labels: Labels) -> Series:
        named = self._series.get(name)
        if named is None:
            named = self._series[name] = Named()
        series = named.whole.series.get(labels)
        if series is None:
            self._births += 1
            self._changes += 1
            self._count += 1
            series = Series(name, labels, self._births)
            named.put(series)
        return series

    def _refuse(self, name: str, now: float) -> None:
        if name in self._refused or len(self._refused) < _REFUSED_NAMES:
            self._refused[name] = now
        else:
            self._refused_any = now

    def _forget(self, horizon: float) -> None:
        """Drop series that are gone and whose samples no range reaches any more."""
        while self._gone:
            series, marked_at = next(iter(self._gone.items()))
            if marked_at >= horizon:
                break
            del self._gone[series]
            named = self._series[series.name]
            named.take(series)
            series.born = 0
            if not named.whole.series:
                del self._series[series.name]
            self._count -= 1
            self._changes += 1
        for name in [name for name, at in self._refused.items() if at < horizon]:
            del self._refused[name]


def _looked_at(reading: Reading) -> float:
    """As of when an answered reading shows the service: a document may be older than the poll."""
    now = reading.at.wall
    times = (sample.at for sample in reading.samples if isfinite(sample.at))
    return min(now, max(times, default=now))
