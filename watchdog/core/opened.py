"""An episode as it is when the record opens it: what nobody has decided on yet is left out."""

from __future__ import annotations

from watchdog.core import entries as e
from watchdog.core.standing import Episode
from watchdog.core.words import Instant


def opened(entry: e.EpisodeOpened, at: Instant) -> Episode:
    return Episode(
        id=entry.episode,
        rule=entry.rule,
        owner=entry.owner,
        severity=entry.severity,
        world=entry.world,
        opened=at,
        moved=at,
        rule_sha256=entry.rule_sha256,
        reopens=entry.reopens,
        chain=entry.chain,
        barred=entry.barred,
        actor=entry.actor,
        why=entry.why,
        verdict=entry.verdict,
        breached_at=entry.breached or at,
        labels=entry.labels,
    )
