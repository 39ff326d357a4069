"""A verdict as people are shown it, with its windows: plain data, times in UTC."""

from __future__ import annotations

from datetime import datetime

from watchdog.core.words import Instant, Verdict, WindowReading
from watchdog.engine.shapes import VerdictShape, WindowShape


def verdict_view(verdict: Verdict | None) -> VerdictShape | None:
    if verdict is None:
        return None
    return {
        "status": verdict.status.value,
        "reason": verdict.reason,
        "at": utc(verdict.at),
        "sampled_at": None if verdict.sampled_at is None else utc(Instant(verdict.sampled_at, 0.0)),
        "blind": verdict.blind.value if verdict.blind else None,
        "value": verdict.value,
        "bound": verdict.bound,
        "clear": verdict.clear,
        "windows": [_window(w) for w in verdict.evidence],
    }


def _window(window: WindowReading) -> WindowShape:
    return {
        "seconds": window.seconds,
        "bad": window.bad,
        "total": window.total,
        "filled": window.filled,
        "coverage": window.coverage,
        "ratio": window.ratio,
        "burn": window.burn,
        "factor": window.factor,
    }


def utc(at: Instant) -> str:
    moment: datetime = at.utc
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
