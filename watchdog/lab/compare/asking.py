"""What is asked of one Prometheus: the alerts that it knows, when they fired, and its own pulse.

Everything is asked for in slices, at the interval of the alert's own group where the API tells it,
so that no evaluation is passed over. Where a span would be more steps than is sensible, the step
grows to whole multiples of it, and what is told of edges is uncertain by that much.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from watchdog.core.samples import Failure, Labels
from watchdog.core.spec import Endpoint
from watchdog.core.words import Blind
from watchdog.lab.compare.alerts import Alerts, Pulse, alerts_of, pulse_of
from watchdog.lab.history import Bad, Cache, PrometheusHistory, Span
from watchdog.lab.history.tracks import Track, Wanted
from watchdog.sources.prometheus_lookup import AlertingRule, PrometheusLookup, alerting_rules
from watchdog.wire.http import Wire
from watchdog.wire.redact import shown_url
from watchdog.wire.secrets import FileSecrets

USUAL_SECONDS = 15.0
"""The interval of evaluation that is taken where nobody tells it."""

LONGEST_SECONDS = 240.0
"""Between two looks: a sample is shown for five minutes, so that none is passed over."""

MOST_STEPS = 400_000
_MOST_SERIES = 10_000
QUESTION_SECONDS = 20.0
_RULES_BYTES = 64 << 20
_RAREST_SECONDS = 86_400.0
_PAUSES_SECONDS = (1.0,)
_MERELY_UNTOLD = frozenset({Blind.QUERY_ERROR, Blind.ODD_ANSWER, Blind.PARTIAL})
"""It answers, and has no rules to tell of: a VictoriaMetrics without vmalert behind it."""

_ONE = "prometheus"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z", re.ASCII)


@dataclass(slots=True)
class Asked:
    """What one Prometheus told. `known` is None where it does not tell its alerts (`untold`)."""

    known: tuple[AlertingRule, ...] | None
    untold: str = ""
    until: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)  # that its alerts had to carry
    tracks: dict[str, list[Track]] = field(default_factory=dict)  # by alert
    steps: dict[str, float] = field(default_factory=dict)  # by alert: seconds between samples
    pulse: Pulse = field(default_factory=lambda: Pulse(known=False))

    def named(self, alert: str) -> tuple[AlertingRule, ...] | None:
        if self.known is None:
            return None
        return tuple(one for one in self.known if one.name == alert)

    def knows(self, alert: str) -> bool:
        """Whether it has, or ever had within the span, an alert of this name."""
        return bool(self.tracks[alert] or self.named(alert))

    def alerts(self, alert: str, values: Labels = ()) -> Alerts:
        """Of those series that carry these labels."""
        tracks = [one for one in self.tracks[alert] if set(values) <= set(one.labels)]
        return alerts_of(tracks, self.steps[alert], self.until)

    def values(self, alert: str, each: Sequence[str]) -> set[Labels]:
        """The sets of these labels that its series carry."""
        found = (dict(one.labels) for one in self.tracks[alert])
        whole = (labels for labels in found if all(label in labels for label in each))
        return {tuple((label, labels[label]) for label in each) for labels in whole}


@dataclass(frozen=True, slots=True)
class How:
    """How to ask: with which labels of the alerts, how finely, how long, and with what."""

    secrets: FileSecrets
    cache: Cache | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    step_seconds: float | None = None  # else the alerts' own interval
    deadline_seconds: float = QUESTION_SECONDS  # of one question


def ask(endpoint: Endpoint, alerts: Sequence[str], span: Span, how: How) -> Asked:
    """All of it. Raises Bad with what could not be read."""
    selectors = {alert: _selector(alert, how.labels) for alert in dict.fromkeys(alerts)}
    known = asyncio.run(_known(endpoint, how))
    if isinstance(known, Failure) and known.blind not in _MERELY_UNTOLD:
        where = "" if "://" in known.reason else f"{shown_url(endpoint.url)}: "
        raise Bad(f"{where}{known.reason}")
    asked = Asked(None, known.reason) if isinstance(known, Failure) else Asked(known)
    asked.until, asked.labels = span.end, how.labels
    with PrometheusHistory(
        {_ONE: endpoint},
        [_ONE],
        how.cache,
        how.secrets,
        deadline_seconds=how.deadline_seconds,
        pauses_seconds=_PAUSES_SECONDS,
    ) as history:
        for alert, selector in selectors.items():
            told = max((one.every_seconds for one in asked.named(alert) or ()), default=0.0)
            every = how.step_seconds or told or USUAL_SECONDS
            step = honest_step(min(every, LONGEST_SECONDS), span)
            asked.steps[alert] = max(step, min(told, _RAREST_SECONDS))
            text = f"timestamp({selector})"
            asked.tracks[alert] = _tracks(history, text, span, step)
        step = min([*asked.steps.values(), LONGEST_SECONDS])
        pulse = _tracks(history, "max(timestamp(up))", span, step)
        asked.pulse = pulse_of(pulse, step, span)
    return asked


def honest_step(every_seconds: float, span: Span) -> float:
    """The interval itself, or as many whole ones as it takes to bound the number of steps."""
    return every_seconds * max(1, math.ceil(span.seconds / every_seconds / MOST_STEPS))


async def _known(endpoint: Endpoint, how: How) -> tuple[AlertingRule, ...] | Failure:
    wire = Wire(how.secrets)
    try:
        lookup = PrometheusLookup(
            endpoint, wire, deadline_seconds=how.deadline_seconds, max_bytes=_RULES_BYTES
        )
        return await alerting_rules(lookup)
    finally:
        await wire.aclose()


def _tracks(history: PrometheusHistory, text: str, span: Span, step: float) -> list[Track]:
    return history.tracks(Wanted(_ONE, step, (text,), _MOST_SERIES), text, span)


def _selector(alert: str, labels: Mapping[str, str]) -> str:
    for name in labels:
        if not _LABEL.match(name):
            raise Bad(f"--match {name}=...: {name!r} is no label's name")
    wanted = {**labels, "alertname": alert}
    return "ALERTS{" + ",".join(f"{name}={_quoted(value)}" for name, value in wanted.items()) + "}"


def _quoted(text: str) -> str:
    """PromQL's quotes are Go's, which know JSON's escapes but for halves of characters."""
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False)
