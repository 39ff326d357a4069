"""One instant query to a Prometheus-compatible API, asked strictly and answered as a value.

Three ways to end: a vector; a `Failure` of this query, said by the API itself; or `Silence`,
when what came back (or did not) is not the API speaking at all. Only the caller, who knows of
the other queries, can say what a silence means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import httpx

from watchdog.core.samples import Failure, Fault, Labels, labels_of
from watchdog.core.spec import Endpoint
from watchdog.core.words import Blind
from watchdog.sources.faults import failure_of, odd, too_many
from watchdog.sources.json_text import NotJsonError, json_of
from watchdog.wire.http import HttpAnswer, HttpProblem, Trouble, Wire

_LONGEST_GET = 4000  # proxies commonly refuse more than 8000
_SAME_TIME_SECONDS = 1.0
_NO_TIME = 1e308  # a whole number of JSON may be larger than any float


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    at: float  # seconds since the epoch
    rows_per_series: int = 1


@dataclass(frozen=True, slots=True)
class Vector:
    points: tuple[tuple[Labels, float], ...]


@dataclass(frozen=True, slots=True)
class Silence:
    failure: Failure


Outcome = Vector | Failure | Silence


class _OddError(Exception):
    """The answer has another form than the API's documentation says."""


async def ask_api(
    wire: Wire,
    endpoint: Endpoint,
    asked: Mapping[str, str],
    deadline_seconds: float,
    max_bytes: int,
) -> HttpAnswer | HttpProblem:
    """One question: by GET, or, where it is too long for an address, as a form by POST."""
    headers = {"accept": "application/json"}
    if len(asked["query"]) > _LONGEST_GET:
        headers["content-type"] = "application/x-www-form-urlencoded"
        method, body = "POST", urlencode(asked)
    else:
        url = httpx.URL(endpoint.url).copy_merge_params(asked)
        endpoint = replace(endpoint, url=str(url))
        method, body = "GET", None
    return await wire.ask(
        endpoint,
        method=method,
        body=body,
        headers=headers,
        deadline_seconds=deadline_seconds,
        max_bytes=max_bytes,
    )


class PrometheusQueries:
    def __init__(self, endpoint: Endpoint, wire: Wire, *, max_bytes: int, max_series: int) -> None:
        url = httpx.URL(endpoint.url)
        path = url.path.rstrip("/") + "/api/v1/query"
        self._endpoint = replace(endpoint, url=str(url.copy_with(path=path)))
        self._wire = wire
        self._max_bytes = max_bytes
        self._max_series = max_series

    async def ask(self, query: Query, deadline_seconds: float) -> Outcome:
        # `nocache` is for VictoriaMetrics, which else moves a time near the present 30 s back.
        asked = {"query": query.text, "time": f"{query.at:.3f}", "nocache": "1"}
        outcome = await ask_api(
            self._wire, self._endpoint, asked, deadline_seconds, self._max_bytes
        )
        try:
            return self._judge(outcome, query)
        except _OddError as error:
            return odd(str(error))

    def _judge(self, outcome: HttpAnswer | HttpProblem, query: Query) -> Outcome:
        failure = failure_of(outcome, asked=Fault.PROVIDER)
        if isinstance(outcome, HttpProblem):
            assert failure is not None  # noqa: S101  # a problem is never a success
            return failure if outcome.kind is Trouble.TOO_LARGE else Silence(failure)
        try:
            document = json_of(outcome)
        except NotJsonError as error:
            return Silence(failure or odd(str(error)))
        status = document.get("status") if isinstance(document, dict) else None
        if status == "error":
            text = f"{document.get('errorType')}: {document.get('error')}"
            return Failure(Fault.PROVIDER, Blind.QUERY_ERROR, text[:300])
        if status != "success" or failure is not None:
            return Silence(failure or odd("JSON without the API's status"))
        return partial(document) or self._vector(document.get("data"), query)

    def _vector(self, data: Any, query: Query) -> Outcome:
        if not isinstance(data, dict):
            raise _OddError("an answer without data")
        kind, result = data.get("resultType"), data.get("result")
        if kind == "scalar":
            return Vector((((), _value(result, query)),))
        if kind != "vector":
            raise _OddError(f"a {str(kind)[:20]} instead of a vector")
        if not isinstance(result, list):
            raise _OddError("a vector that is no list")
        series = len(result) // query.rows_per_series
        if series > self._max_series:
            return too_many(series, self._max_series)
        return Vector(tuple(_point(row, query) for row in result))


def partial(document: dict[str, Any]) -> Failure | None:
    """`infos` are no warnings: they speak of style, not of missing data."""
    warnings = document.get("warnings")
    if warnings:
        first = warnings[0] if isinstance(warnings, list) else warnings
        return Failure(Fault.PROVIDER, Blind.PARTIAL, f"warning: {str(first)[:200]}")
    # Anything but a clear no; VictoriaMetrics always says false here.
    if document.get("isPartial") not in {None, False}:
        return Failure(Fault.PROVIDER, Blind.PARTIAL, "the provider says: isPartial")
    return None


def _point(row: Any, query: Query) -> tuple[Labels, float]:
    if not isinstance(row, dict) or not isinstance(row.get("metric"), dict):
        raise _OddError("an element without labels")
    labels = row["metric"]
    if not all(isinstance(value, str) for value in labels.values()):
        raise _OddError("a label that is not text")
    if "value" not in row:
        raise _OddError("a histogram instead of a number" if "histogram" in row else "no value")
    return labels_of(labels), _value(row["value"], query)


def _value(pair: Any, query: Query) -> float:
    match pair:
        case [int() | float() as at, str() as text] if abs(at) < _NO_TIME:
            if abs(at - query.at) > _SAME_TIME_SECONDS:
                raise _OddError(f"answered for the time {at}, asked for {query.at:.3f}")
        case _:
            raise _OddError("a value that is not a time with a number as text")
    try:
        # Python would read 1_000 as a number.
        return float(text.replace("_", "?"))
    except ValueError:
        raise _OddError(f"{text[:40]!r} is not a number") from None
