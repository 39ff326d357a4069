"""A stretch of the past from a Prometheus-compatible API, slice by slice, asked strictly.

A range query gives at most 11,000 points a series (Prometheus' own limit), so a longer stretch is
asked for in slices that begin at whole multiples of their length: two readers of one past ask for
the same slices. What may pass by itself (no answer, 5xx, 429, late) is asked for again a few times;
what the API says of the query itself is final. No hole is filled.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from watchdog.core.samples import Failure, Fault, Labels, labels_of
from watchdog.core.spec import Endpoint
from watchdog.core.words import Blind
from watchdog.sources.faults import failure_of, odd
from watchdog.sources.json_text import NotJsonError, json_of
from watchdog.sources.prometheus_api import ask_api, partial
from watchdog.wire.http import HttpAnswer, HttpProblem, Trouble, Wire

MOST_POINTS = 11_000
"""Of one series in one answer."""

_LENGTHS = (86_400.0, 43_200.0, 21_600.0, 7_200.0, 3_600.0, 1_800.0, 600.0, 60.0)
PAUSES_SECONDS = (0.5, 1.0, 2.0)
"""Between tries."""

_PASSING = frozenset({408, 425, 429, 502, 503, 504})
_OFF_GRID_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """`text` at `start` and every `step_seconds` after it, up to and with `end`."""

    text: str
    start: float  # seconds since the epoch
    end: float
    step_seconds: float


@dataclass(frozen=True, slots=True)
class RangeSeries:
    name: str  # empty where the expression has taken it off
    labels: Labels
    times: array[float] = field(repr=False)  # seconds since the epoch
    values: array[float] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Passing:
    """A failure that may pass by itself."""

    failure: Failure


class _OddError(Exception):
    """The answer has another form than the API's documentation says."""


def slice_seconds(step_seconds: float) -> float:
    """The longest slice of whole steps that one answer can hold."""
    for length in _LENGTHS:
        if length / step_seconds <= MOST_POINTS - 1:
            return length
    return step_seconds * 1000


def slices(start: float, end: float, step_seconds: float) -> Iterator[tuple[float, float]]:
    """(first, last) step of each slice that has a step in the stretch; whole slices."""
    length = slice_seconds(step_seconds)
    for number in range(math.floor(start / length), math.floor(end / length) + 1):
        first = math.ceil(number * length / step_seconds - 1e-9) * step_seconds
        after = math.ceil((number + 1) * length / step_seconds - 1e-9) * step_seconds
        if first < after:
            yield first, after - step_seconds


class PrometheusRanges:
    """Range queries to one API. Deadlines are of one request; retries have their own."""

    def __init__(
        self,
        endpoint: Endpoint,
        wire: Wire,
        *,
        max_bytes: int = 256 << 20,
        max_series: int = 10_000,
        deadline_seconds: float = 60.0,
        pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    ) -> None:
        url = httpx.URL(endpoint.url)
        path = url.path.rstrip("/") + "/api/v1/query_range"
        self._endpoint = replace(endpoint, url=str(url.copy_with(path=path)))
        self._wire = wire
        self._max_bytes = max_bytes
        self._max_series = max_series
        self._deadline_seconds = deadline_seconds
        self._pauses_seconds = pauses_seconds

    async def ask(self, query: RangeQuery) -> tuple[RangeSeries, ...] | Failure:
        """Every series with its values, or why not, after the tries that it is worth."""
        for pause_seconds in self._pauses_seconds:
            outcome = await self._once(query)
            if not isinstance(outcome, _Passing):
                return outcome
            await asyncio.sleep(pause_seconds)
        outcome = await self._once(query)
        if not isinstance(outcome, _Passing):
            return outcome
        reason = f"{outcome.failure.reason} (asked {len(self._pauses_seconds) + 1} times)"
        return replace(outcome.failure, reason=reason)

    async def _once(self, query: RangeQuery) -> tuple[RangeSeries, ...] | Failure | _Passing:
        asked = {
            "query": query.text,
            "start": f"{query.start:.3f}",
            "end": f"{query.end:.3f}",
            "step": f"{query.step_seconds:.3f}",
            "nocache": "1",
        }
        outcome = await ask_api(
            self._wire, self._endpoint, asked, self._deadline_seconds, self._max_bytes
        )
        try:
            # A day of thousands of series takes a while to parse: not on the loop's time.
            return await asyncio.to_thread(self._judge, outcome, query)
        except _OddError as error:
            return odd(str(error))

    def _judge(
        self, outcome: HttpAnswer | HttpProblem, query: RangeQuery
    ) -> tuple[RangeSeries, ...] | Failure | _Passing:
        failure = failure_of(outcome, asked=Fault.PROVIDER)
        if isinstance(outcome, HttpProblem):
            assert failure is not None  # noqa: S101  # a problem is never a success
            final = outcome.kind in {Trouble.TOO_LARGE, Trouble.OURS, Trouble.SECRET_MISSING}
            return failure if final else _Passing(failure)
        try:
            document = json_of(outcome)
        except NotJsonError as error:
            wrong = failure or odd(str(error))
            return _Passing(wrong) if outcome.status in _PASSING else wrong
        status = document.get("status") if isinstance(document, dict) else None
        if status == "error":
            text = f"{document.get('errorType')}: {document.get('error')}"
            said = Failure(Fault.PROVIDER, Blind.QUERY_ERROR, text[:300])
            return _Passing(said) if outcome.status in _PASSING else said
        if status != "success" or failure is not None:
            return failure or odd("JSON without the API's status")
        return partial(document) or self._matrix(document.get("data"), query)

    def _matrix(self, data: Any, query: RangeQuery) -> tuple[RangeSeries, ...] | Failure:
        if not isinstance(data, dict):
            raise _OddError("an answer without data")
        kind, result = data.get("resultType"), data.get("result")
        if kind != "matrix":
            raise _OddError(f"a {str(kind)[:20]} instead of a matrix")
        if not isinstance(result, list):
            raise _OddError("a matrix that is no list")
        if len(result) > self._max_series:
            reason = f"{len(result)} series, more than {self._max_series}"
            return Failure(Fault.OURS, Blind.TOO_MANY_SERIES, reason)
        return tuple(_series(row, query) for row in result)


def _series(row: Any, query: RangeQuery) -> RangeSeries:
    if not isinstance(row, dict) or not isinstance(row.get("metric"), dict):
        raise _OddError("an element without labels")
    metric, pairs = row["metric"], row.get("values")
    if not all(isinstance(value, str) for value in metric.values()):
        raise _OddError("a label that is not text")
    if not isinstance(pairs, list):
        raise _OddError("a histogram instead of numbers" if "histograms" in row else "no values")
    try:
        times = array("d", [at for at, _ in pairs])
        # Python would read 1_000 as a number.
        values = array("d", [float(text.replace("_", "?")) for _, text in pairs])
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise _OddError("a value that is not a time with a number as text") from None
    if times:
        early = times[0] < query.start - _OFF_GRID_SECONDS
        if early or times[-1] > query.end + _OFF_GRID_SECONDS:
            raise _OddError("answered for another time than was asked for")
        if any(map(float.__ge__, times, times[1:])):
            raise _OddError("values that are not in the order of time")
    return RangeSeries(metric.get("__name__", ""), labels_of(metric), times, values)
