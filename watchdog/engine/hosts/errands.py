"""The words in which one daemon asks something of another, and how they are written.

What is asked names an action and one of its parts, or a status page, never a command.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from watchdog.core.acting import ActionSpec, How
from watchdog.core.asking import Endpoint
from watchdog.core.releases import DeployRelease
from watchdog.core.trees import Facts, SwapTree
from watchdog.core.words import CheckReading
from watchdog.ports import Attempt, Readiness


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that the daemon of another host is asked to do."""

    what: Literal["attempt", "stands", "settle", "preflight", "read", "check", "page"]
    action: str
    sha256: str  # of its text, which must be the same there; of a check, its own; of what is shown
    part: int  # among its ways, or among what it reads
    key: str = ""  # of the intent; the name of a check, or of a status page
    expect: str = ""
    facts: Facts = ()
    seconds: float = math.inf  # for all of it, from when it was asked

    @property
    def begins(self) -> bool:
        """Whether it is what an action does first, which gates were asked for: see `ways_of`."""
        return self.what == "attempt" and self.part == 0


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody ordered of a daemon that does not lead; `kind` tells who understands it."""

    kind: str
    body: str
    seconds: float = math.inf


class NotCarriedOut(Exception):
    """Of who takes an order: nothing of it was done; the message says why."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why there is no answer. Not `sent`: nobody can have done it."""

    reason: str
    sent: bool


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to an order."""

    body: str


Answer = Attempt | CheckReading | Readiness | Told
_CONFIG = ConfigDict(ser_json_inf_nan="constants")
# A field that is not known may be the one that says how it is meant: such an errand is not done.
_ERRAND: TypeAdapter[Call | Order] = TypeAdapter(
    Call | Order, config=ConfigDict(ser_json_inf_nan="constants", extra="forbid")
)
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer, config=_CONFIG)


def written(what: Call | Order) -> str:
    return _ERRAND.dump_json(what).decode()


def errand_in(body: str) -> Call | Order | None:
    """What is asked; None where this version does not know it."""
    try:
        return _ERRAND.validate_json(body, strict=True)
    except ValidationError:
        return None


def answered(answer: Answer) -> str:
    return _ANSWER.dump_json(answer).decode()


def answer_in(body: str, whose: str) -> Answer | Unanswered:
    try:
        return _ANSWER.validate_json(body, strict=True)
    except ValidationError:
        return Unanswered(f"{whose} gave an answer that this version does not know", sent=True)


def ways_of(action: ActionSpec) -> tuple[How, ...]:
    """Everything that may be done for an action, in a fixed order: what it does first."""
    steps = [step.how for step in (action.do, action.undo) if step is not None]
    back = [replace(how, displaced=not how.displaced) for how in steps if isinstance(how, SwapTree)]
    publish = [action.publish.command] if action.publish is not None else []
    parts = [part for how in steps if isinstance(how, DeployRelease) for part in how.parts]
    return (*steps, *back, *action.verify, *publish, *parts)


def reads_of(action: ActionSpec) -> tuple[Endpoint, ...]:
    """Everything that is read of an action, in a fixed order."""
    checks = (*action.contained_when, *action.resume_when, *action.ready_when)
    return (action.read_back, *(check.endpoint for check in checks))
