"""An episode as people are shown it: plain data. What waits for people is in `awaiting.py`."""

from __future__ import annotations

from watchdog.core.book import Episode
from watchdog.engine.awaiting import awaiting_view
from watchdog.engine.engine import Engine
from watchdog.engine.measures_view import measure_view
from watchdog.engine.refusing import Reasons
from watchdog.engine.shapes import EpisodeShape
from watchdog.engine.verdict_view import utc, verdict_view
from watchdog.engine.verification_view import episode_verification


def episode_view(engine: Engine, ep: Episode, reasons: Reasons) -> EpisodeShape:
    book = engine.book
    return {
        "id": ep.id,
        "rule": ep.rule,
        "owner": ep.owner,
        "severity": ep.severity.value,
        "world": ep.world.value,
        "state": ep.state.value,
        "reason": reasons.of(ep),
        "opened": utc(ep.opened),
        "since": utc(ep.moved),
        "rung": ep.rung,
        "action": ep.action,
        "outcome": ep.outcome.value if ep.outcome else None,
        "read_back": ep.read_back,
        "seconds_breach_to_effect": ep.seconds_to_effect,
        "measures": measure_view(engine, ep.id),
        "barred": ep.barred,
        "reopens": ep.reopens,
        "chain": ep.chain,
        "actor": ep.actor,
        "why": ep.why,
        "acked_by": ep.acked_by,
        "mark": ep.mark,
        "awaiting": awaiting_view(engine, ep),
        "claims": [
            {"target": c.target, "found": c.found, "action": c.action}
            for c in book.claims_of(ep.id)
        ],
        "verification": episode_verification(engine, ep.id),
        "verdict": verdict_view(ep.verdict),
    }
