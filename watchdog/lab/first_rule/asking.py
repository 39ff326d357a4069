"""Asks one Prometheus, within limits: names, kinds, rows of numbers. Nothing that comes is trusted.

A question that fails is None to whoever asked it; only the list of names must come, and without it
NotSeen says what came in its place.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from watchdog.core.samples import Failure
from watchdog.core.spec import Endpoint
from watchdog.lab.first_rule.promql import is_metric
from watchdog.sources.prometheus_api import PrometheusQueries, Query, Vector
from watchdog.sources.prometheus_lookup import PrometheusLookup
from watchdog.wire.http import Wire

QUESTION_SECONDS = 10.0
MOST_BYTES = 32 << 20
MOST_ROWS = 5_000
_AT_ONCE = 4

Rows = list[tuple[dict[str, str], float]]
"""Labels and finite values."""

_T = TypeVar("_T")


class NotSeen(Exception):
    """It does not answer as a Prometheus does; the message says what came."""


class Asking:
    """Questions to one API, all about one moment `at`."""

    def __init__(self, endpoint: Endpoint, wire: Wire, at: float) -> None:
        self.url, self._at = endpoint.url, at
        self._lookup = PrometheusLookup(
            endpoint, wire, deadline_seconds=QUESTION_SECONDS, max_bytes=MOST_BYTES
        )
        self._queries = PrometheusQueries(
            endpoint, wire, max_bytes=MOST_BYTES, max_series=MOST_ROWS
        )
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def names(self) -> frozenset[str]:
        """Every name that PromQL reads without quotes. Raises NotSeen."""
        data = await self._lookup.get("label/__name__/values")
        if isinstance(data, Failure):
            told = data.reason if self.url in data.reason else f"{self.url}: {data.reason}"
            raise NotSeen(told)
        if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
            raise NotSeen(f"{self.url}: what it gives as names of metrics is no list of names")
        return frozenset(filter(is_metric, data))

    async def targets(self) -> list[Any]:
        """What it scrapes now, as it tells it; nothing where it does not."""
        data = await self._lookup.get("targets", [("state", "active")])
        active = data.get("activeTargets") if isinstance(data, dict) else None
        return active if isinstance(active, list) else []

    async def kind(self, metric: str) -> str:
        """As the exporter says; empty where nobody does."""
        name = re.sub(r"_(bucket|count|sum)\Z", "", metric)
        for asked in dict.fromkeys((metric, name)):
            data = await self._lookup.get("metadata", [("metric", asked)])
            told = data.get(asked) if isinstance(data, dict) else None
            if isinstance(told, list) and told and isinstance(told[0], dict):
                return str(told[0].get("type", ""))
        return ""

    async def each(self, questions: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
        """All answers. Where it is cut off, those that had no turn yet are not asked."""
        waiting = list(questions)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._in_turn(one)) for one in waiting]
        finally:
            for one in waiting:
                one.close()
        return [task.result() for task in tasks]

    async def _in_turn(self, question: Coroutine[Any, Any, _T]) -> _T:
        async with self._free:
            return await question

    async def rows(self, query: str) -> Rows | None:
        """Labels and finite values; None where the question failed."""
        outcome = await self._queries.ask(Query(query, self._at), QUESTION_SECONDS)
        if not isinstance(outcome, Vector):
            return None
        return [(dict(labels), value) for labels, value in outcome.points if math.isfinite(value)]
