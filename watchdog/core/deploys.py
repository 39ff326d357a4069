"""Deploys of others, as entries: that one began, that it is over, and that a freeze was lifted.

Whoever deploys says so beforehand and afterwards. Between the two a half-copied target is no
corruption, and nothing of ours runs into it; what was deployed when is what a breach is attributed
to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from watchdog.core.words import Instant

ALL = "all"
"""The target of a deploy that may touch everything."""

DEPLOY_MAX_SECONDS = 1800.0
"""How long a deploy keeps actions back where the policy does not say how long."""

DEPLOY_ID = r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}"
"""A pipeline's own name for a run of it."""

MOST_FOR_SECONDS = 86_400.0


class DeployOutcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    EXPIRED = "expired"  # nobody said that it was over


@dataclass(frozen=True, slots=True)
class DeployBegan:
    deploy: str  # "P3"
    target: str  # an action's, or ALL
    actor: str  # "alice (uid 1000)", "pipeline ci"
    expires: Instant
    change: str = ""  # what is deployed: a commit, a version, a ticket
    reason: str = ""
    id: str = ""  # the pipeline's own name of it; "" where a person ordered it
    kind: Literal["deploy.began"] = "deploy.began"


@dataclass(frozen=True, slots=True)
class DeployEnded:
    deploy: str
    target: str
    outcome: DeployOutcome
    actor: str  # "expiry" when its time was over
    reason: str = ""
    kind: Literal["deploy.ended"] = "deploy.ended"


@dataclass(frozen=True, slots=True)
class FreezeLifted:
    """A person lets a target be deployed again that these episodes rolled back."""

    target: str
    episodes: tuple[str, ...]
    actor: str
    reason: str
    kind: Literal["freeze.lifted"] = "freeze.lifted"
