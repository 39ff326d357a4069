"""An action as people are shown it: ready, claimed, when it was last proven, how it went."""

from __future__ import annotations

from collections import Counter

from watchdog.core.measures import Ended, Proof
from watchdog.core.naming import family_of
from watchdog.core.periods import PERIODS, in_time_ratio, rollbacks_within
from watchdog.core.spec import ActionSpec
from watchdog.core.words import Instant
from watchdog.engine.drills_view import drill_view, unpractised
from watchdog.engine.engine import Engine
from watchdog.engine.shapes import ActionRowShape, ActionShape, AnchorShape, EndsShape, ProofShape
from watchdog.engine.verdict_view import utc
from watchdog.engine.verification_view import action_verification


def action_view(engine: Engine, action: ActionSpec) -> ActionShape:
    """With how it went, by period."""
    now = engine.ports.clock.now()
    return {
        **action_row(engine, action),
        "rollbacks": {
            period: _rollbacks(engine, action.name, seconds, now)
            for period, seconds in PERIODS.items()
        },
    }


def action_row(engine: Engine, action: ActionSpec) -> ActionRowShape:
    """What an overview tells of it."""
    book, now = engine.book, engine.ports.clock.now()
    found = book.readiness.get(action.name)
    return {
        "name": action.name,
        "target": action.target,
        "host": action.host,
        "deadline_seconds": action.deadline_seconds,
        "sla_seconds": action.sla_seconds,
        "ready": found[0].value if found else "unknown",
        "ready_reason": found[1] if found else "no preflight has run yet",
        "ready_since": utc(found[2]) if found else None,
        "claimed_by": [c.episode for c in book.claimants(action.target)],
        "last_proof": _proof(book.measures.proofs.get(action.name), action, now),
        "anchor": _anchor(engine, action.name),
        "last_drill": drill_view(book.drills.of_action.get(family_of(action.name)), now),
        "last_good_drill": drill_view(book.drills.good_of_action.get(family_of(action.name)), now),
        "unpractised": unpractised(engine, action),
        "verification": action_verification(engine, action),
    }


def _anchor(engine: Engine, action: str) -> AnchorShape | None:
    """What it would restore, as the last preflight proved it; None where it restores nothing."""
    anchors = engine.book.anchors
    found = anchors.now.get(action)
    if found is None:
        return None
    return {
        "digest": found.digest,
        "written_at": utc(Instant(found.written_at, 0.0)),
        "known_by": utc(Instant(anchors.known_by(found), 0.0)),
        "facts": dict(found.facts),
    }


def _proof(proof: Proof | None, action: ActionSpec, now: Instant) -> ProofShape | None:
    """The last one, also where the action has another text by now: that is said."""
    if proof is None:
        return None
    return {
        "at": utc(proof.at),
        "seconds_ago": now.steady - proof.at.steady,
        "by": proof.by,
        "ref": proof.ref,
        "seconds": proof.seconds,
        "of_this_text": proof.action_sha256 in {"", action.sha256},
    }


def _rollbacks(engine: Engine, action: str, seconds: float, now: Instant) -> EndsShape:
    ends: Counter[Ended] = Counter()
    for (name, _, ended), count in rollbacks_within(engine.book.measures, now, seconds).items():
        if name == action:
            ends[ended] += count
    return {
        "in_time": ends[Ended.IN_TIME],
        "late": ends[Ended.LATE],
        "untimed": ends[Ended.UNTIMED],
        "failed": ends[Ended.FAILED],
        "unknown": ends[Ended.UNKNOWN],
        "in_time_ratio": in_time_ratio(ends),
    }
