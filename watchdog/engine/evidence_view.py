"""What a rule has earned, as people are shown it: plain data."""

from __future__ import annotations

from typing import Any

from watchdog.core.book import Book
from watchdog.core.evidence import Evidence, Fall, WouldAct
from watchdog.core.inputs import Facts, earned_limit
from watchdog.core.promotion import lacks, ready_to_act
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Instant, Mode
from watchdog.engine.engine import Engine
from watchdog.engine.shapes_around import (
    EvidenceShape,
    FallShape,
    KeptShape,
    TestedShape,
    WouldActShape,
)

View = dict[str, Any]


def evidence_view(engine: Engine, rule: RuleSpec) -> EvidenceShape:
    """Days of shadow, would-acts and their marks, the unit test, readiness, what is missing."""
    book, policy, now = engine.book, engine.in_force(), engine.ports.clock.now()
    kept, fall = book.merits.evidence.get(rule.proof), book.merits.falls.get(rule.family)
    needed = engine.process.shadow_seconds
    facts = Facts("", "", Mode.ARMED, shadow_seconds=needed)
    return {
        "sha256": rule.proof,
        "asked": needed is not None,
        "overridden": rule.armed_because if rule.mode is Mode.ARMED and fall is None else "",
        "limits": earned_limit(rule, book, facts) is not None,
        "shadow_seconds_needed": needed,
        **_kept(kept, now),
        "actions": [
            {"action": one.action, "ready": one.ready.value, "reason": one.reason}
            for one in ready_to_act(rule, policy, book)
        ],
        "fall": _fall(fall) if fall else None,
        "missing": [] if needed is None else list(lacks(rule, policy, book, needed, now)),
    }


def recorded_evidence(book: Book, rule: str) -> View | None:
    """What the record alone says of a rule, as of its last entry; None where it says nothing.

    Of its texts the one in shadow, else the newest. What is in force, what it asks for and which
    actions are ready now cannot be told from a record.
    """
    merits, now = book.merits, book.last
    texts = [kept for kept in merits.evidence.values() if kept.rule == rule]
    fall = merits.falls.get(rule)
    if now is None or not (texts or fall):
        return None
    newest = max(texts, key=lambda one: one.touched.steady, default=None)
    shown = merits.evidence.get(merits.shadowing.get(rule, ""), newest)
    return {
        "name": rule,
        "at": _utc(now),
        "sha256": shown.sha256 if shown else None,
        **_kept(shown, now),
        "fall": _fall(fall) if fall else None,
    }


def _kept(kept: Evidence | None, now: Instant) -> KeptShape:
    return {
        "promoted": _utc(kept.promoted) if kept and kept.promoted else None,
        "shadow_seconds_watched": kept.watched_seconds(now) if kept else 0.0,
        "shadow_seconds_counted": kept.clean_seconds(now) if kept else 0.0,
        "counting": kept is not None and kept.since is not None,
        "would_acts": [_would_act(one) for one in kept.would_acts] if kept else [],
        "unit_test": _tested(kept),
    }


def _would_act(one: WouldAct) -> WouldActShape:
    return {
        "episode": one.episode,
        "decision": one.decision,
        "action": one.action,
        "at": _utc(one.at),
        "mark": one.mark,
        "explained": one.explained,
        "marked_by": one.actor,
        "mark_reason": one.reason,
    }


def _tested(kept: Evidence | None) -> TestedShape | None:
    if kept is None or kept.tested is None:
        return None
    one = kept.tested
    return {"passed": one.passed, "reason": one.reason, "by": one.actor, "at": _utc(one.at)}


def _fall(fall: Fall) -> FallShape:
    return {
        "episode": fall.episode,
        "by": fall.actor,
        "at": _utc(fall.at),
        "reason": fall.reason,
        "armed_because": fall.armed_because,
    }


def _utc(at: Instant) -> str:
    return at.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
