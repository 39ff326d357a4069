"""An incident record as plain data: what `--format json` prints. Times are ISO 8601 in UTC."""

from __future__ import annotations

from typing import Any

from watchdog.core.verified import Run
from watchdog.lab.incident.impact import measured, newest
from watchdog.lab.incident.times import times_of
from watchdog.lab.incident.values import Change, Gathered, Ruled, Task
from watchdog.lab.papers import plain

View = dict[str, Any]


def document(found: Gathered) -> View:
    one, opened = found.measure, found.opened[1] if found.opened is not None else None
    return {
        "episode": found.episode,
        "rule": found.rule,
        "severity": plain(opened.severity) if opened is not None else None,
        "owner": opened.owner if opened is not None else None,
        "world": plain(opened.world) if opened is not None else None,
        "environment": found.started.environment if found.started is not None else None,
        "state": found.state.value,
        "reason": found.reason,
        "mark": found.mark,
        "acked_by": found.acked_by,
        "first_bad": plain(one.first_bad) if one is not None else None,
        "opened": plain(found.opened[0]) if found.opened is not None else None,
        "contained": plain(one.contained) if one is not None else None,
        "recovered": plain(one.recovered) if one is not None else None,
        "ended": plain(found.ended),
        "seconds": plain(times_of(one)) if one is not None else None,
        "record_ends": plain(found.last),
        "retired_up_to": found.retired,
        "timeline": plain(found.moments),
        "verdicts": plain(found.verdicts),
        "impact": {
            "measured": dict(measured(found)),
            "found_out": plain(newest(found.impacts)),
            "said": [{"at": plain(at), **plain(told)} for at, told in found.impacts],
        },
        "decisions": [_ruled(one) for one in found.rulings],
        "changes": [_change(one) for one in found.changes],
        "verifications": [_verification(one) for one in found.verifications],
        "stays_rolled_back": [claim.target for claim in found.claims],
        "messages": plain(found.messages),
        "follow_ups": [_task(one) for one in found.tasks],
    }


def _ruled(one: Ruled) -> View:
    entry = one.entry
    return {
        "at": plain(one.at),
        "decision": entry.decision,
        "action": entry.action,
        "ruling": entry.ruling.value,
        "reason": entry.reason,
        "gates": plain(entry.gates),
        "verdict": plain(entry.verdict),
        "policy": entry.policy_sha256,
        "rule_sha256": entry.rule_sha256,
    }


def _change(one: Change) -> View:
    entry, ended = one.entry, one.ended
    return {
        "at": plain(one.at),
        "intent": entry.intent,
        "direction": entry.direction.value,
        "action": entry.action,
        "target": entry.target,
        "actor": entry.actor,
        "approved_by": list(entry.approved_by),
        "reason": entry.reason,
        "sla_seconds": entry.sla_seconds,
        "written": one.written,
        "steps": [
            {
                "at": plain(at),
                "step": step.step,
                "result": step.result,
                "reason": step.reason,
                "seconds": step.seconds,
                "output": step.output,
            }
            for at, step in one.steps
        ],
        "ended": plain(one.ended_at),
        "outcome": ended.outcome.value if ended is not None else None,
        "read_back": ended.read_back if ended is not None else None,
        "effect_at": plain(ended.effect_at) if ended is not None else None,
        "seconds": ended.seconds if ended is not None else None,
    }


def _verification(one: Run) -> View:
    began = {k: v for k, v in plain(one.began).items() if k not in {"kind", "checks"}}
    known = [
        {"at": plain(check.at), **{k: v for k, v in plain(check.entry).items() if k != "kind"}}
        for check in one.known.values()
    ]
    return {
        **began,
        "at": plain(one.at),
        "told": one.line,
        "checks": known,
        "under_way": list(one.missing),
    }


def _task(one: Task) -> View:
    closed = one.closed
    return {
        **{k: v for k, v in plain(one.entry).items() if k != "kind"},
        "closed": plain(one.closed_at),
        "closed_by": closed.actor if closed is not None else None,
        "closed_reason": closed.reason if closed is not None else None,
    }
