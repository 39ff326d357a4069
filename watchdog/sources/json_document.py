"""A JSON document over HTTP, turned into samples by JMESPath.

The document names its own time; without a valid one nothing of it is used, since a cached page
would look fresh for ever. A sample is a JSON number. Anything else leaves the sample out, so
that the rule which reads it sees no data: a missing path, null, text (also text that looks like
a number: whoever writes "0" for 0 may write "n/a" tomorrow).

true and false are 1 and 0, but only where the path leads to them. An expression that computes a
truth (==, !, &&, ||, a function) gives one for a document without the field as well, and that
would be a reading where there is none: it is left out.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from watchdog.core.samples import Failure, Fault, Reading, Sample
from watchdog.core.spec import JsonDocument, SourceSpec
from watchdog.core.words import Instant
from watchdog.sources.faults import bug, failure_of, instance_of, odd
from watchdog.sources.json_text import NotJsonError, json_of
from watchdog.sources.selectors import names_in
from watchdog.wire.http import HttpAnswer, Wire

_COMPUTES = frozenset(
    {"comparator", "not_expression", "and_expression", "or_expression", "function_expression"}
)
_FIRST_PLAUSIBLE_MS = 1e11  # March 1973 in milliseconds; in seconds the year 5138


class _OddError(Exception):
    """The document cannot be used; the message says why."""


class JsonSource:
    """Implements `ports.MetricSource`. Raises JMESPathError for a path that cannot be compiled."""

    def __init__(self, spec: SourceSpec, wire: Wire) -> None:
        if not isinstance(spec.how, JsonDocument):
            raise TypeError(f"source {spec.name} is not a JSON document")
        self.name = spec.name
        self._spec = spec
        self._endpoint = spec.how.endpoint
        self._instance = instance_of(self._endpoint.url)
        self._wire = wire
        self._timestamp = spec.how.timestamp
        self._time_of = jmespath.compile(spec.how.timestamp)
        self._paths = [(name, jmespath.compile(path)) for name, path in spec.how.samples]

    async def aclose(self) -> None:
        """Nothing to close: connections belong to the wire."""

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        loop = asyncio.get_running_loop()
        began = loop.time()
        samples: tuple[Sample, ...] = ()
        failure: Failure | None
        try:
            outcome = await self._wire.ask(
                self._endpoint,
                headers={"accept": "application/json"},
                deadline_seconds=self._spec.deadline_seconds,
                max_bytes=self._spec.max_bytes,
            )
            failure = failure_of(outcome, asked=Fault.SERVICE)
            if isinstance(outcome, HttpAnswer) and failure is None:
                document = json_of(outcome)
                samples = self._samples(document, names_in(wanted))
        except (_OddError, NotJsonError) as error:
            failure = odd(str(error))
        except Exception as error:  # noqa: BLE001  # a failure is in the Reading, never raised
            failure = bug(error)
        up = {}
        if failure is None or failure.fault is Fault.SERVICE:
            up[self._instance] = failure is None
        took = loop.time() - began
        reading = Reading(self.name, at, took, samples=samples, up=up, failure=failure)
        if failure is not None:
            return reading

        async def aside(wanted: Sequence[str]) -> Reading:
            """What nobody judges, of the same document."""
            return replace(reading, samples=self._samples(document, names_in(wanted)))

        return replace(reading, aside=aside)

    def _samples(self, document: Any, names: frozenset[str] | None) -> tuple[Sample, ...]:
        at = self._time(document)
        found = (
            (name, _value(path, document))
            for name, path in self._paths
            if names is None or name in names
        )
        return tuple(Sample(name, (), value, at) for name, value in found if value is not None)

    def _time(self, document: Any) -> float:
        """The document's own time, in seconds since the epoch."""
        written = _found(self._time_of, document)
        path = f"timestamp path {self._timestamp!r}"
        if written is None:
            raise _OddError(f"{path} leads to nothing")
        if isinstance(written, str):
            try:
                time = datetime.fromisoformat(written)
            except ValueError:
                raise _OddError(f"{path}: {written[:40]!r} is not ISO 8601") from None
            if time.tzinfo is None:
                raise _OddError(f"{path}: {written[:40]!r} has no offset from UTC")
            return time.timestamp()
        if isinstance(written, bool) or not isinstance(written, int | float):
            raise _OddError(f"{path} leads to neither a number nor text")
        if not written >= _FIRST_PLAUSIBLE_MS:
            raise _OddError(f"{path}: {written!r:.40} is not a time in milliseconds")
        return _finite(written) / 1000


def _finite(number: float) -> float:
    value = float(number) if abs(number) < 1e308 else math.inf
    if not math.isfinite(value):
        raise _OddError("a number is beyond what can be counted")
    return value


def _found(path: Any, document: Any) -> Any:
    try:
        return path.search(document)
    except JMESPathError:
        return None  # a function was given another type than it takes: there is no such value


def _value(path: Any, document: Any) -> float | None:
    found = _found(path, document)
    if isinstance(found, bool):
        return None if _computes(path.parsed) else float(found)
    if not isinstance(found, int | float):
        return None
    return float(found) if abs(found) < 1e308 else math.copysign(math.inf, found)


def _computes(node: dict[str, Any]) -> bool:
    """Does the value come from an operator, rather than out of the document?"""
    children = node["children"]
    if node["type"] == "filter_projection":
        children = children[:2]  # the third is the condition, which only chooses
    return node["type"] in _COMPUTES or any(_computes(c) for c in children if isinstance(c, dict))
