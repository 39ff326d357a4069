"""One Alertmanager beside us: where it is asked, and by which mark our own alerts are known.

Its silences are a gate (`silences.py`), and it may be told of our episodes (`alerting.py`). Only
what it says of silences ever reaches a decision; telling it decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from watchdog.core.asking import Endpoint
from watchdog.core.words import Instant

MARKER = ("watchdog", "slo-watchdog")
"""The label that every alert of ours carries. An alert with it that comes back to us, through a
webhook, is our own word: it must never breach a rule, or an episode would feed itself."""

Matter = Literal["silences", "alerts"]
"""What an Alertmanager is asked for."""


@dataclass(frozen=True, slots=True)
class AlertmanagerSpec:
    """`endpoints` are base addresses of the replicas of one cluster."""

    endpoints: tuple[Endpoint, ...]
    every_seconds: float
    deadline_seconds: float  # total, from before the connection to the last byte
    silences: bool
    alerts: bool
    again_seconds: float  # how often an open episode is told again
    page_after_seconds: float  # how long it may fail before people are told
    max_bytes: int
    link: str = ""  # where people find our own pages, if they do

    def replicas(self, path: str) -> dict[str, Endpoint]:
        """Base address -> where that replica answers for `path` of its API."""
        return {one.url: replace(one, url=one.url.rstrip("/") + path) for one in self.endpoints}

    @property
    def alert_lives_seconds(self) -> float:
        """For how long it believes an alert that nobody tells again: ours end with us."""
        return 3 * self.again_seconds


@dataclass(frozen=True, slots=True)
class AlertmanagerTurned:
    """It began, or ceased, to do what it is asked."""

    matter: Matter
    answers: bool
    reason: str
    kind: Literal["alertmanager.turned"] = "alertmanager.turned"


@dataclass(frozen=True, slots=True)
class Reached:
    """How it last turned, in one matter."""

    answers: bool
    reason: str
    since: Instant
    paged: bool = False
