"""What is recorded of an episode for its numbers alone: how the service is, and what it cost.

Nothing is decided by these entries; `measures.py` folds them, `measuring.py` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from watchdog.core.words import Instant


class Service(StrEnum):
    """How a rule's service stands for those who use it, within one episode."""

    FAILING = "failing"  # it fails them, or did when it was last seen
    CONTAINED = "contained"  # proven to be held off; whether it would work is not known
    RECOVERED = "recovered"  # proven to work, by events after the effect alone


@dataclass(frozen=True, slots=True)
class ServiceTurned:
    """Events say otherwise than the moves of the episode alone would."""

    episode: str
    service: Service
    reason: str
    since: Instant | None = None  # it is so since then, where that is earlier than the entry
    kind: Literal["episode.service"] = "episode.service"


@dataclass(frozen=True, slots=True)
class ImpactMeasured:
    """What the episode has cost up to now, since its first bad sample."""

    episode: str
    failed_events: float | None  # by the rule's own counters; None: it counts none
    affected: float | None = None  # by the rule's `impact`; None: it has none, or no answer yet
    of: str = ""  # what that counts: "users"
    reason: str = ""  # why `impact` gives no answer
    kind: Literal["episode.impact"] = "episode.impact"
