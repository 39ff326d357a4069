"""What a Prometheus-compatible API tells besides samples: names, labels, values, its alerts.

Only reading, only by GET, each question with its own deadline and size. An answer is the `data` of
the API's envelope, or a `Failure`; whatever is in `data` is the provider's and not yet trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from watchdog.core.samples import Failure, Fault
from watchdog.core.spec import Endpoint
from watchdog.core.words import Blind
from watchdog.sources.faults import failure_of, odd
from watchdog.sources.json_text import NotJsonError, json_of
from watchdog.sources.prometheus_api import partial
from watchdog.wire.http import HttpProblem, Wire

Params = Sequence[tuple[str, str]]


class PrometheusLookup:
    """Questions to one API; `max_bytes` and `deadline_seconds` are of one question."""

    def __init__(
        self, endpoint: Endpoint, wire: Wire, *, deadline_seconds: float, max_bytes: int
    ) -> None:
        self._endpoint = endpoint
        self._wire = wire
        self._deadline_seconds = deadline_seconds
        self._max_bytes = max_bytes

    async def get(self, path: str, params: Params = ()) -> Any | Failure:
        """`path` below `/api/v1/`. The answer's `data`, of whatever form, or why there is none."""
        url = httpx.URL(self._endpoint.url)
        url = url.copy_with(path=f"{url.path.rstrip('/')}/api/v1/{path}")
        for name, value in params:
            url = url.copy_add_param(name, value)
        outcome = await self._wire.ask(
            replace(self._endpoint, url=str(url)),
            headers={"accept": "application/json"},
            deadline_seconds=self._deadline_seconds,
            max_bytes=self._max_bytes,
        )
        failure = failure_of(outcome, asked=Fault.PROVIDER)
        if isinstance(outcome, HttpProblem):
            return failure
        try:
            document = json_of(outcome)
        except NotJsonError as error:
            return failure or odd(str(error))
        status = document.get("status") if isinstance(document, dict) else None
        if status == "error":
            text = f"{document.get('errorType')}: {document.get('error')}"
            return Failure(Fault.PROVIDER, Blind.QUERY_ERROR, text[:300])
        if status != "success" or failure is not None:
            return failure or odd("JSON without the API's status")
        return partial(document) or document.get("data")


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """An alert as the API has it now; what it was at another time, it does not tell."""

    name: str
    expr: str
    for_seconds: float
    keep_firing_seconds: float
    every_seconds: float  # how often its group is evaluated; 0 where that is not told
    group: str
    problem: str  # why its last evaluation failed


async def alerting_rules(lookup: PrometheusLookup) -> tuple[AlertingRule, ...] | Failure:
    """Every alerting rule that the API knows."""
    data = await lookup.get("rules", [("type", "alert")])
    if isinstance(data, Failure):
        return data
    groups = data.get("groups") if isinstance(data, dict) else None
    if not isinstance(groups, list):
        return odd("no groups of rules")
    found: list[AlertingRule] = []
    for group in groups:
        rules = group.get("rules") if isinstance(group, dict) else None
        found += [
            _alerting(rule, group)
            for rule in (rules if isinstance(rules, list) else [])
            if isinstance(rule, dict) and rule.get("type") == "alerting"
        ]
    return tuple(found)


def _alerting(rule: dict[str, Any], group: dict[str, Any]) -> AlertingRule:
    return AlertingRule(
        name=str(rule.get("name")),
        expr=str(rule.get("query")),
        for_seconds=_seconds(rule.get("duration")),
        keep_firing_seconds=_seconds(rule.get("keepFiringFor")),
        every_seconds=_seconds(group.get("interval")),
        group=str(group.get("name")),
        problem=str(rule.get("lastError") or "")[:300],
    )


def _seconds(value: Any) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
    return float(value) if fits else 0.0
