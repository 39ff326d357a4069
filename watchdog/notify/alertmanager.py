"""Tells an Alertmanager of alerts, by its `/api/v2/alerts`.

Every replica is told, since replicas do not pass alerts on to one another. An alert is its labels:
told again it is the same one, so that whoever is not sure simply tells again.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from watchdog.core.alerting import Alert
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.asking import Endpoint
from watchdog.core.words import Instant
from watchdog.wire.http import HttpAnswer, HttpProblem, Wire

PATH = "/api/v2/alerts"
AT_ONCE = 200
"""Alerts in one request."""

_LARGEST_ANSWER_BYTES = 65_536
_LONGEST_REASON = 200


class AlertmanagerAlerts:
    """Implements `ports.AlertSink`."""

    def __init__(self, spec: AlertmanagerSpec, wire: Wire) -> None:
        self._deadline_seconds = spec.deadline_seconds
        self._wire = wire
        self._replicas = spec.replicas(PATH)
        self._link = spec.link.rstrip("/")

    async def tell(self, alerts: Sequence[Alert], at: Instant) -> Mapping[str, str]:
        """Also of none: that shows whether it can be told."""
        bodies = [
            json.dumps([self._written(alert) for alert in alerts[first : first + AT_ONCE]])
            for first in range(0, max(1, len(alerts)), AT_ONCE)
        ]
        lasts = max((one.ends_at for one in alerts if one.ends_at > at.wall), default=math.inf)
        told = await asyncio.gather(
            *(self._post(one, bodies, lasts) for one in self._replicas.values())
        )
        return dict(zip(self._replicas, told, strict=True))

    async def _post(self, endpoint: Endpoint, bodies: Sequence[str], lasts: float) -> str:
        """All of it, or why not, within one total deadline.

        `lasts` is when the last one that fires would expire: to a clock beyond it, all are over.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._deadline_seconds
        for body in bodies:
            outcome = await self._wire.ask(
                endpoint,
                method="POST",
                body=body,
                headers={"accept": "application/json"},
                deadline_seconds=max(0.01, ends - loop.time()),
                max_bytes=_LARGEST_ANSWER_BYTES,
            )
            if isinstance(outcome, HttpProblem):
                return outcome.reason
            if outcome.status != httpx.codes.OK:
                return f"HTTP {outcome.status}: {_line(outcome.body)}"
            there = _clock(outcome)
            if there is not None and there >= lasts:
                return f"its clock says {_time(there)}: to it every alert of ours is over"
        return ""

    def _written(self, alert: Alert) -> dict[str, Any]:
        written = {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": _time(alert.starts_at),
            "endsAt": _time(alert.ends_at),
        }
        if self._link:
            page = f"/rules/{quote(alert.rule, safe='')}" if alert.rule else "/"
            written["generatorURL"] = self._link + page
        return written


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def _clock(answer: HttpAnswer) -> float | None:
    try:
        return parsedate_to_datetime(str(answer.headers.get("date", ""))).timestamp()
    except (ValueError, OverflowError):
        return None


def _line(body: bytes) -> str:
    text = "".join(c if c.isprintable() else " " for c in body.decode("utf-8", "replace"))
    return " ".join(text.split())[:_LONGEST_REASON]
