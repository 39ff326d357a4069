"""The entry that says what was decided, and by which answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from watchdog.core.words import Verdict, World


@dataclass(frozen=True, slots=True)
class GateAnswer:
    gate: str
    passed: bool
    reason: str


class Ruling(StrEnum):
    """What the gates say together."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    NEEDS_APPROVAL = "needs_approval"
    WOULD_ACT = "would_act"


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided for an episode and why.

    `inputs` are enough to decide it again; `basis`, with the windows in the verdict, to judge it.
    """

    decision: str  # "D17"
    episode: str
    rule: str
    action: str
    rung: int
    world: World
    ruling: Ruling
    reason: str  # the first refusal, or why it was allowed
    gates: tuple[GateAnswer, ...]
    policy_sha256: str
    rule_sha256: str
    verdict: Verdict | None
    inputs: dict[str, object] = field(default_factory=dict)
    basis: dict[str, object] = field(default_factory=dict)
    kind: Literal["decision.made"] = "decision.made"
