"""What counters showed in the past, as an API has it: to fill the windows of rules with.

Each moment is answered as a poll would have been: the values of a plain selector with their
samples' own times, in one query. Other expressions have no counters to fill anything with. A slice
of many series is millions of numbers: they are sorted beside the loop, which polls meanwhile.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence

from watchdog.core.samples import Answer, Failure, Fault, Labels, PastMoment, Point
from watchdog.core.spec import PrometheusApi, SourceSpec
from watchdog.core.words import Blind
from watchdog.sources.prometheus import PART, both
from watchdog.sources.prometheus_range import (
    PrometheusRanges,
    RangeQuery,
    RangeSeries,
    slice_seconds,
)
from watchdog.sources.selectors import Selector, parsed
from watchdog.wire.http import Wire

_Times = dict[float, dict[Labels, list[float]]]  # asked at -> series -> [value, sampled at]


class PrometheusPast:
    """Implements `ports.PastSource`."""

    def __init__(self, spec: SourceSpec, wire: Wire) -> None:
        if not isinstance(spec.how, PrometheusApi):
            raise TypeError(f"source {spec.name} is not a Prometheus API")
        self._ranges = PrometheusRanges(
            spec.how.endpoint,
            wire,
            max_bytes=spec.max_bytes,
            max_series=2 * spec.max_series,  # a row for the values of each, and one for the times
            deadline_seconds=spec.deadline_seconds,
        )

    def most_seconds(self, step_seconds: float) -> float:
        """How long a stretch one question may be about."""
        return slice_seconds(step_seconds)

    async def moments(
        self, wanted: Sequence[str], first: float, last: float, step_seconds: float
    ) -> tuple[PastMoment, ...] | Failure:
        """What `wanted` gave at `first` and every step after it, or why that is not known."""
        found: dict[str, _Times] = {}
        shown: dict[str, Selector] = {}
        for expression in wanted:
            form = parsed(expression)
            if not form.plain:
                reason = f"{expression} is more than one selector of counters"
                return Failure(Fault.OURS, Blind.OURS, reason)
            shown[expression] = form.selectors[0]
            text = both(form.selectors[0])
            outcome = await self._ranges.ask(RangeQuery(text, first, last, step_seconds))
            if isinstance(outcome, Failure):
                return outcome
            found[expression] = await asyncio.to_thread(_by_time, outcome)
        return await asyncio.to_thread(_moments, found, shown)


def _moments(found: Mapping[str, _Times], shown: Mapping[str, Selector]) -> tuple[PastMoment, ...]:
    return tuple(
        PastMoment(at, {text: _answer(found[text].get(at), each) for text, each in shown.items()})
        for at in sorted({at for times in found.values() for at in times})
    )


def _by_time(rows: Sequence[RangeSeries]) -> _Times:
    times: _Times = {}
    for row in rows:
        place = int((PART, "at") in row.labels)
        labels = tuple(pair for pair in row.labels if pair[0] != PART)
        for at, value in zip(row.times, row.values, strict=True):
            pair = times.setdefault(at, {}).setdefault(labels, [math.nan, math.nan])
            pair[place] = value
    return times


def _answer(series: dict[Labels, list[float]] | None, selector: Selector) -> Answer:
    if not series:
        return Answer(missing=(selector.shown,))
    points = tuple(Point(labels, value, at) for labels, (value, at) in series.items())
    stamps = [at for _, at in series.values() if math.isfinite(at)]
    return Answer(points, newest=max(stamps, default=None))
