"""The past as a Prometheus-compatible API has it, a slice at a time.

Rules on a Prometheus source get what their daemon would have got: each expression as the API
evaluates it at every step, and `timestamp()` of each selector in it. Rules on embedded sources
get raw series: each selector's values with their samples' own times. An API that several jobs
share is told apart by matchers, which every selector of such a source gets.
"""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from watchdog.core.promql import outline
from watchdog.core.samples import Failure
from watchdog.core.spec import Endpoint
from watchdog.lab.history.cache import Cache
from watchdog.lab.history.feed import PROCESS_START
from watchdog.lab.history.tracks import Answered, Bad, Slice, Span, Track, Wanted
from watchdog.sources.prometheus_range import PAUSES_SECONDS, PrometheusRanges, RangeQuery, slices
from watchdog.sources.selectors import Selector, parsed
from watchdog.wire.http import Wire
from watchdog.wire.redact import shown_url
from watchdog.wire.secrets import FileSecrets

_SETTLED_SECONDS = 900.0  # a slice that ended so long ago does not change any more
_AT_ONCE = 4


class PrometheusHistory:
    """Implements `History`. Use in a `with` block: it holds an event loop and connections.

    `endpoints` by source; `evaluated` are the sources whose expressions the API evaluates;
    `matching` are matchers by embedded source, like `job="api"`.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        evaluated: Collection[str],
        cache: Cache | None,
        secrets: FileSecrets,
        progress: Callable[[str], None] | None = None,
        deadline_seconds: float = 60.0,
        pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    ) -> None:
        self.matching: dict[str, str] = {}
        self._endpoints, self._evaluated = dict(endpoints), frozenset(evaluated)
        self._cache, self._secrets = cache, secrets
        self._progress = progress or (lambda _text: None)
        self._deadline_seconds, self._pauses_seconds = deadline_seconds, pauses_seconds
        self._runner = asyncio.Runner()
        self._wire: Wire | None = None
        self.asked = 0

    def __enter__(self) -> Self:
        self._runner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._wire is not None:
            self._runner.run(self._wire.aclose())
        self._runner.__exit__(kind, error, at)

    def slices(self, wanted: Wanted, span: Span) -> Iterator[Slice]:
        """Whole slices are asked for and kept, and cut to the span here."""
        step = wanted.every_seconds
        for first, last in slices(span.start, span.end, step):
            whole = Span(first, last)
            inside = Span(max(first, span.start), min(last, span.end))
            if inside.end >= inside.start:
                yield self._runner.run(self._slice(wanted, whole, inside))

    async def _slice(self, wanted: Wanted, whole: Span, inside: Span) -> Slice:
        reader = _Reader(self, wanted, whole)
        if wanted.source in self._evaluated:
            answers = {text: await reader.answered(text) for text in wanted.expressions}
            return Slice(inside, (), answers)
        selectors = dict.fromkeys(
            selector for text in wanted.expressions for selector in outline(text).selectors
        )
        tracks: dict[tuple[str, object], Track] = {}
        more = self.matching.get(wanted.source, "")
        for selector in [*selectors, PROCESS_START]:
            optional = selector == PROCESS_START
            for track in await reader.raw(narrowed(selector, more), optional=optional):
                tracks[track.name, track.labels] = track
        return Slice(inside, tuple(tracks.values()))

    def tracks(self, wanted: Wanted, text: str, span: Span) -> list[Track]:
        """One query over the span, slice by slice; a series is put together again. Raises Bad."""
        found: dict[tuple[str, object], Track] = {}
        for first, last in slices(span.start, span.end, wanted.every_seconds):
            inside = Span(max(first, span.start), min(last, span.end))
            for each in self._runner.run(self.fetch(wanted, text, Span(first, last))):
                part = each.cut(inside)
                whole = found.setdefault((each.name, each.labels), Track(each.name, each.labels))
                whole.times.extend(part.times)
                whole.values.extend(part.values)
        return [track for track in found.values() if track.times]

    async def fetch(self, wanted: Wanted, text: str, span: Span) -> list[Track]:
        """One query over one slice, from the cache where it is there. Raises Bad."""
        endpoint, step = self._endpoints[wanted.source], wanted.every_seconds
        headers = [[header.name, header.value, header.secret] for header in endpoint.headers]
        key = [shown_url(endpoint.url), headers, text, span.start, span.end, step]
        kept = self._cache.get(key) if self._cache is not None else None
        if kept is not None:
            return kept
        now = time.time()
        end = min(span.end, math.floor(now / step) * step)
        if end < span.start:
            return []
        if self._wire is None:
            self._wire = Wire(self._secrets)
        self._progress(f"{_clock(span.start)}: {text[:60]}")
        self.asked += 1
        ranges = PrometheusRanges(
            endpoint,
            self._wire,
            max_series=wanted.max_series,
            deadline_seconds=self._deadline_seconds,
            pauses_seconds=self._pauses_seconds,
        )
        found = await ranges.ask(RangeQuery(text, span.start, end, step))
        if isinstance(found, Failure):
            goes_on = ". What was read before is kept; the same command goes on from there"
            raise Bad(
                f"{found.reason}: while {text} was asked for from {_clock(span.start)} to "
                f"{_clock(end)}{goes_on if self._cache is not None else ''}"
            )
        tracks = [Track(one.name, one.labels, one.times, one.values) for one in found]
        if self._cache is not None and span.end < now - _SETTLED_SECONDS:
            self._cache.put(key, tracks)
        return tracks


class _Reader:
    """The queries of one source over one slice."""

    def __init__(self, history: PrometheusHistory, wanted: Wanted, span: Span) -> None:
        self._history, self._wanted, self._span = history, wanted, span

    async def raw(self, selector: str, *, optional: bool) -> list[Track]:
        """Samples with their own times; one that is served at several steps is one."""
        values = await self._ask(selector)
        if not values and optional:
            return []
        times = {track.labels: track for track in await self._ask(f"timestamp({selector})")}
        found = []
        for track in values:
            stamps = times.get(track.labels)
            if stamps is not None:
                found.append(_dated(track, stamps))
        return found

    async def answered(self, text: str) -> Answered:
        form = parsed(text)
        values = await self._ask(form.selectors[0].text if form.plain else text)
        times = {each.shown: await self._times(each) for each in form.selectors}
        if form.plain:
            values = [Track("", track.labels, track.times, track.values) for track in values]
        return Answered(values, times, plain=form.plain)

    async def _times(self, selector: Selector) -> list[Track]:
        """As of the time that the selector looks at, on the time of the query."""
        moved = selector.ago_seconds
        if selector.fixed_at is not None:
            found = await self._ask(f"timestamp({selector.text} @ {selector.fixed_at - moved:.3f})")
            return [_moved_to_now(track, selector.looks_at(0.0)) for track in found]
        if not moved:
            return await self._ask(f"timestamp({selector.text})")
        found = await self._ask(f"timestamp({selector.text} offset {round(moved * 1000)}ms)")
        return [
            Track("", track.labels, track.times, array("d", [v + moved for v in track.values]))
            for track in found
        ]

    async def _ask(self, text: str) -> list[Track]:
        return await self._history.fetch(self._wanted, text, self._span)


def narrowed(selector: str, matchers: str) -> str:
    """The selector with more matchers; it is written as `outline` writes it."""
    if not matchers:
        return selector
    head, brace, rest = selector.removesuffix("}").partition("{")
    return f"{head}{{{rest},{matchers}}}" if brace and rest else f"{head}{{{matchers}}}"


def _moved_to_now(track: Track, looked_at: float) -> Track:
    """The age of a sample counts from the time that its selector looks at."""
    pairs = zip(track.times, track.values, strict=True)
    return Track("", track.labels, track.times, array("d", [t + v - looked_at for t, v in pairs]))


def _dated(values: Track, stamps: Track) -> Track:
    """`values` at the times of `stamps`, each sample once."""
    at = dict(zip(stamps.times, stamps.values, strict=True))
    found = Track(values.name, values.labels)
    newest = -math.inf
    for asked, value in zip(values.times, values.values, strict=True):
        stamp = at.get(asked, math.nan)
        if stamp > newest:
            newest = stamp
            found.times.append(stamp)
            found.values.append(value)
    return found


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ")
