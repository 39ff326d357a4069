"""The entries of one change of a target: opened before anything is done, its steps, its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from watchdog.core.trees import Facts
from watchdog.core.words import Direction, Instant


@dataclass(frozen=True, slots=True)
class IntentOpened:
    """About to change a target. Durable before the first effect."""

    intent: str  # "I9"
    episode: str
    action: str
    target: str
    direction: Direction
    deadline: Instant
    actor: str = ""
    reason: str = ""
    decision: str = ""
    through_hold: bool = False  # a person acts through a hold, and said why
    facts: Facts = ()  # of the anchor as decided; of an undo, what the rollback had learned
    approved_by: tuple[str, ...] = ()  # the people whose yes it is; asked for by a rule or a person
    plan: str = ""  # what they approved: plan_sha256 in approvals.py
    sla_seconds: float | None = None  # of the action as it was then; None: recorded before that was
    action_sha256: str = ""  # of the action's text
    kind: Literal["intent.opened"] = "intent.opened"


@dataclass(frozen=True, slots=True)
class StepBegan:
    """About to take a step that may leave a trace. Without its StepTaken it was cut off."""

    intent: str
    step: str
    epoch: int = 1  # in which whoever takes it leads
    kind: Literal["intent.step_began"] = "intent.step_began"


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One thing done or seen on the way, like change, verify, publish; and what it learned."""

    intent: str
    step: str
    result: str
    reason: str
    seconds: float = 0.0
    output: str = ""
    facts: Facts = ()
    kind: Literal["intent.step"] = "intent.step"


class Outcome(StrEnum):
    DONE = "done"  # the read-back shows the desired state, and we set it
    FOUND = "found"  # the desired state stood already; nothing was changed
    FAILED = "failed"  # the read-back shows another state
    UNKNOWN = "unknown"  # it cannot be read; a person decides
    ABANDONED = "abandoned"  # stopped before any effect


@dataclass(frozen=True, slots=True)
class IntentEnded:
    intent: str
    episode: str
    action: str
    target: str
    direction: Direction
    outcome: Outcome
    reason: str
    read_back: str  # what the serving endpoint said, shortened
    seconds: float  # from the intent to this
    effect_at: Instant | None = None  # when the read-back first showed the desired state
    kind: Literal["intent.ended"] = "intent.ended"


@dataclass(frozen=True, slots=True)
class CameLate:
    """Its intent had ended otherwise, and by now the target shows what it was to change."""

    intent: str
    episode: str
    action: str
    target: str
    seen: str
    kind: Literal["intent.came_late"] = "intent.came_late"
