"""Series of the past: times and values in columns, slice by slice.

A history never fills a hole: what was not recorded is not there, and the rules are blind for it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from watchdog.core.samples import Labels


class Bad(Exception):
    """A history that cannot be used. The message says where, what, and what to do."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` on, up to and with `end`; seconds since the epoch."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(slots=True)
class Track:
    """One series, oldest sample first. `values` at `times`, seconds since the epoch."""

    name: str
    labels: Labels
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def cut(self, span: Span) -> Track:
        low, high = bisect_left(self.times, span.start), bisect_right(self.times, span.end)
        return Track(self.name, self.labels, self.times[low:high], self.values[low:high])


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read of one source: selectors of raw samples, or whole expressions."""

    source: str
    every_seconds: float
    expressions: tuple[str, ...]
    max_series: int


class History(Protocol):
    """Gives one source's past in slices that follow one another."""

    def slices(self, wanted: Wanted, span: Span) -> Iterator[Slice]: ...


@dataclass(frozen=True, slots=True)
class Slice:
    """One stretch of one source's past.

    `tracks` are raw series, all that the expressions look at. `answers` are expressions that the
    metrics system itself evaluated, each with what it looked at; what is in neither was not asked.
    """

    span: Span
    tracks: Sequence[Track] = ()
    answers: Mapping[str, Answered] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """One expression's values at every step, and the times of the samples behind each selector."""

    values: Sequence[Track]
    times: Mapping[str, Sequence[Track]]  # selector as shown -> timestamp() of its series
    plain: bool = False  # nothing but one selector: its values are samples with times of their own


@dataclass(frozen=True, slots=True)
class Held:
    """A history that is wholly in memory: a file's."""

    tracks: Sequence[Track]
    name: str = "the file"
    slice_seconds: float = 86_400.0

    @property
    def span(self) -> Span | None:
        """From the first to the last sample."""
        times = [(t.times[0], t.times[-1]) for t in self.tracks if t.times]
        if not times:
            return None
        return Span(min(first for first, _ in times), max(last for _, last in times))

    def slices(self, wanted: Wanted, span: Span) -> Iterator[Slice]:
        start = span.start
        while start <= span.end:
            end = min(start + self.slice_seconds, span.end)
            yield Slice(Span(start, end), self.tracks)
            start = end + wanted.every_seconds
