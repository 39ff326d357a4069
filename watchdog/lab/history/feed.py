"""One source's past as the readings that a daemon would have taken, one at every interval.

Raw series become the answers of the rules' expressions: a plain selector's are its samples, any
other expression is evaluated by the core over the core's own store. What the metrics system
evaluated itself is handed on as it came. A sample counts at the first step at or after its time;
a series that has none since the step before was not there.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence

from watchdog.core.judge.silence import silence_of
from watchdog.core.promql import Expression, Refused, Selector, check, evaluate
from watchdog.core.samples import Answer, Failure, Fault, Point, Reading, Sample
from watchdog.core.series import SeriesStore
from watchdog.core.words import Blind, Instant
from watchdog.lab.history.tracks import Answered, Bad, Slice, Span, Track, Wanted

PROCESS_START = "process_start_time_seconds"
UP = "up"

_SAME_START_SECONDS = 2.0  # as the scraper has it
_EARLY = 1e-3  # of a second, by which a step may precede its sample: times are kept in milliseconds
_NOTHING = Failure(
    Fault.PROVIDER, Blind.UNREACHABLE, "the history holds no sample of it at this time"
)
_DOWN = Failure(Fault.SERVICE, Blind.SOURCE_DOWN, "the history says that it did not answer")


def steps(span: Span, every_seconds: float) -> Iterator[float]:
    """The times of the polls: whole intervals since the epoch, so that two runs share theirs."""
    first = math.ceil(span.start / every_seconds - 1e-9)
    last = math.floor(span.end / every_seconds + 1e-9)
    return (number * every_seconds for number in range(first, last + 1))


class _Cursor:
    """One track, moved along in time; `point` is its sample of the present step."""

    __slots__ = ("at", "labels", "name", "next", "point", "track")

    def __init__(self, track: Track, after: float) -> None:
        self.track, self.name, self.labels = track, track.name, track.labels
        self.next = bisect_right(track.times, after)
        self.point: Point | None = None
        self.at = 0.0  # the point's own time

    def move(self, after: float, until: float) -> None:
        times, index = self.track.times, self.next
        size = len(times)
        while index < size and times[index] <= until:
            index += 1
        self.next = index
        if index and times[index - 1] > after:
            self.at = times[index - 1]
            self.point = Point(self.labels, self.track.values[index - 1], self.at)
        else:
            self.point = None


class _Plain:
    """A plain selector's answer: the samples themselves."""

    def __init__(self, selector: Selector, shown: str, cursors: Sequence[_Cursor]) -> None:
        self._cursors = [c for c in cursors if selector.matches(c.name, dict(c.labels))]
        self._missing = Answer(missing=(shown,))

    def answer(self) -> Answer:
        seen = [c for c in self._cursors if c.point is not None]
        if not seen:
            return self._missing
        points = tuple([c.point for c in seen if c.point is not None])
        return Answer(points, max([c.at for c in seen]))


class Feed:
    """Readings of one source. Goes through slices in their order; not to be shared."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._plain: dict[str, Selector] = {}
        self._evaluated: dict[str, Expression] = {}
        self._store: SeriesStore | None = None
        self._started: dict[str, float] = {}

    def readings(self, slices: Iterator[Slice]) -> Iterator[Reading]:
        for each in slices:
            if each.answers:
                yield from self._answered(each)
            else:
                yield from self._sampled(each)

    # -- what the metrics system evaluated ---------------------------------------------------------

    def _answered(self, each: Slice) -> Iterator[Reading]:
        every, name = self.wanted.every_seconds, self.wanted.source
        asked = {
            text: _Asked(text, found, each.span.start - every)
            for text, found in each.answers.items()
        }
        cursors = [cursor for one in asked.values() for cursor in one.cursors]
        for at in steps(each.span, every):
            for cursor in cursors:
                cursor.move(at - every / 2, at + _EARLY)
            answers = {text: one.answer(at) for text, one in asked.items()}
            yield Reading(name, Instant(at, at), 0.0, answers=answers)

    # -- raw series --------------------------------------------------------------------------------

    def _sampled(self, each: Slice) -> Iterator[Reading]:
        every = self.wanted.every_seconds
        cursors = [_Cursor(track, each.span.start - every) for track in each.tracks]
        if len(cursors) > self.wanted.max_series:
            raise Bad(
                f"{self.wanted.source}: {len(cursors)} series in the history, more than its "
                f"max_series of {self.wanted.max_series}. Raise it, or narrow the selectors"
            )
        self._prepare()
        plain = {text: _Plain(selector, text, cursors) for text, selector in self._plain.items()}
        ordinary = [cursor for cursor in cursors if cursor.name not in {UP, PROCESS_START}]
        targets = {_target(cursor) for cursor in ordinary}
        ups = _of_targets(UP, cursors, targets)
        starts = _of_targets(PROCESS_START, cursors, targets)
        if not ordinary and len(ups) > 1:
            raise Bad(
                f"{self.wanted.source}: the history has `up` of {len(ups)} targets, and nothing "
                "tells which is this source's. Leave its liveness rule out with --rule"
            )
        for at in steps(each.span, every):
            after, until = at - every + _EARLY, at + _EARLY
            for cursor in cursors:
                cursor.move(after, until)
            up = {_instance(c) or self.wanted.source: c.point.value != 0 for c in ups if c.point}
            seen = any(cursor.point is not None for cursor in ordinary)
            restarted = self._restarted(starts) if starts else frozenset()
            yield self._reading(at, plain, ordinary, up, restarted, seen=seen)

    def _reading(
        self,
        at: float,
        plain: Mapping[str, _Plain],
        cursors: Sequence[_Cursor],
        up: Mapping[str, bool],
        restarted: frozenset[str],
        *,
        seen: bool,
    ) -> Reading:
        now, name = Instant(at, at), self.wanted.source
        failure = None
        if not seen:
            failure = _DOWN if up and not any(up.values()) else None if up else _NOTHING
        up = up or ({name: True} if seen else {})
        answers = {text: one.answer() for text, one in plain.items()} if failure is None else {}
        if self._store is not None:
            samples = tuple(
                Sample(c.name, c.labels, c.point.value, c.point.at or at)
                for c in cursors
                if c.point is not None
            )
            self._store.ingest(Reading(name, now, 0.0, samples, up=up, failure=failure))
            for text, expression in self._evaluated.items():
                answers[text] = evaluate(expression, self._store, at)
        return Reading(name, now, 0.0, (), answers, up, restarted, failure)

    def _prepare(self) -> None:
        if self._plain or self._evaluated:
            return
        for text in self.wanted.expressions:
            selector = _selector(text)
            if selector is not None and selector.name not in {None, UP}:
                self._plain[text] = selector
            else:
                self._evaluated[text] = check(text)
        if self._evaluated:
            keep = max(expression.range_seconds for expression in self._evaluated.values())
            self._store = SeriesStore(self.wanted.max_series, keep)

    def _restarted(self, starts: Sequence[_Cursor]) -> frozenset[str]:
        found = set()
        for cursor in starts:
            if cursor.point is None:
                continue
            instance = _instance(cursor) or self.wanted.source
            before = self._started.get(instance)
            self._started[instance] = value = cursor.point.value
            if before is not None and abs(value - before) > _SAME_START_SECONDS:
                found.add(instance)
        return frozenset(found)


class _Asked:
    """One expression as the metrics system answered it at every step."""

    def __init__(self, text: str, found: Answered, after: float) -> None:
        self._text = text
        self._values = [_Cursor(track, after) for track in found.values]
        self._times = {
            shown: [_Cursor(track, after) for track in tracks]
            for shown, tracks in found.times.items()
        }
        self._plain = found.plain
        self.cursors = [*self._values, *(c for group in self._times.values() for c in group)]

    def answer(self, at: float) -> Answer:
        newest: list[float] = []
        missing: list[str] = []
        for shown, cursors in self._times.items():
            seen = [c.point.value for c in cursors if c.point and math.isfinite(c.point.value)]
            if seen:
                newest.append(max(seen))
            else:
                missing.append(shown)
        if self._plain:
            if missing:
                return Answer(missing=tuple(missing))
            return Answer(self._dated(), newest[0])
        points = tuple(Point(c.labels, c.point.value) for c in self._values if c.point)
        silence = silence_of(self._text, missing)
        if silence.counts:
            newest.append(at)
        missed = tuple(one for one in missing if one not in silence.replaced)
        return Answer(points, min(newest, default=None), missed)

    def _dated(self) -> tuple[Point, ...]:
        """Values beside their samples' own times; a time without its value is NaN."""
        times = {
            c.labels: c.point.value for group in self._times.values() for c in group if c.point
        }
        values = {c.labels: c.point.value for c in self._values if c.point}
        return tuple(
            Point(labels, values.get(labels, math.nan), times.get(labels))
            for labels in dict.fromkeys([*values, *times])
        )


def _of_targets(
    name: str, cursors: Sequence[_Cursor], targets: Collection[tuple[str, str]]
) -> list[_Cursor]:
    """The series of this name, of the targets alone that the other series are of."""
    return [c for c in cursors if c.name == name and (not targets or _target(c) in targets)]


def _target(cursor: _Cursor) -> tuple[str, str]:
    labels = dict(cursor.labels)
    return labels.get("job", ""), labels.get("instance", "")


def _selector(text: str) -> Selector | None:
    """The plain selector that an expression is, or None."""
    try:
        return Selector.parse(text)
    except Refused:
        return None


def _instance(cursor: _Cursor) -> str:
    return dict(cursor.labels).get("instance", "")
