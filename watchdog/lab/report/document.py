"""A backtest as plain data: what `--json` prints and the report shows. Times are ISO 8601, UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from watchdog.core.naming import is_of
from watchdog.core.words import Status
from watchdog.lab.backtest.firing import Firing
from watchdog.lab.backtest.run import Run
from watchdog.lab.backtest.score import Score


def iso(at: float | None) -> str | None:
    return (
        None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    )


def document(run: Run, score: Score | None = None) -> dict[str, Any]:
    """The whole; `score` where incidents were given."""
    return {
        "from": iso(run.span.start),
        "to": iso(run.span.end),
        "policy_sha256": run.stage.policy.sha256,
        "notes": list(run.stage.notes),
        "left_out": dict(run.stage.left_out),
        "failures": dict(run.failures),
        "rules": {name: _rule(run, name) for name in run.stage.policy.rules},
        "episodes": [_firing(each) for each in run.firings],
        "score": None if score is None else score.document(iso),
    }


def _rule(run: Run, name: str) -> dict[str, Any]:
    trace = run.traces[name]
    own = [each for each in run.firings if is_of(each.rule, name)]
    return {
        "episodes": len(own),
        "fired": sum(each.fired_at is not None for each in own),
        "acted": sum(each.acted_at is not None for each in own),
        "healthy_seconds": trace.seconds(Status.HEALTHY),
        "breached_seconds": trace.seconds(Status.BREACHED),
        "blind_seconds": trace.seconds(Status.BLIND),
        "blind_reasons": trace.blind_reasons(),
    }


def _firing(each: Firing) -> dict[str, Any]:
    return {
        "episode": each.episode,
        "rule": each.rule,
        "severity": each.severity.value,
        "opened": iso(each.opened_at),
        "fired": iso(each.fired_at),
        "acted": iso(each.acted_at),
        "action": each.action,
        "recovered": iso(each.recovered_at),
        "ended": iso(each.ended_at),
        "state": each.state,
        "reason": each.reason,
        "refusal": each.refusal,
        "already_burning": each.barred,
        "reopens": each.reopens,
        "decisions": [
            {"at": iso(d.at), "ruling": d.ruling, "action": d.action, "reason": d.reason}
            for d in each.decisions
        ],
        "bad_events_at_fire": each.bad,
        "budget_at_fire": each.budget,
    }
