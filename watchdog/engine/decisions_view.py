"""Decisions as people are shown them: plain data, as they stand in the journal."""

from __future__ import annotations

from collections.abc import Iterable

from watchdog.core import entries as e
from watchdog.engine.shapes import DecisionShape
from watchdog.engine.verdict_view import utc, verdict_view


def rule_of_entry(entry: e.Entry) -> str:
    """The rule that a decision is about; "" of anything else."""
    return entry.rule if isinstance(entry, e.Decided) else ""


def decisions_of(entries: Iterable[e.Recorded]) -> Iterable[DecisionShape]:
    """Decisions with their numbers, gates and inputs, as they stand in the journal."""
    for one in entries:
        d = one.entry
        if isinstance(d, e.Decided):
            yield {
                "seq": one.seq,
                "at": utc(one.at),
                "hash": one.hash,
                "decision": d.decision,
                "episode": d.episode,
                "rule": d.rule,
                "action": d.action,
                "rung": d.rung,
                "world": d.world.value,
                "ruling": d.ruling.value,
                "reason": d.reason,
                "gates": [
                    {"gate": g.gate, "passed": g.passed, "reason": g.reason} for g in d.gates
                ],
                "policy": d.policy_sha256,
                "rule_sha256": d.rule_sha256,
                "verdict": verdict_view(d.verdict),
            }
