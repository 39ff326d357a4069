"""What people find out of an episode afterwards, and what is to be done so that it stays away.

The procedure's user impact assessment (feedback, tickets, community channels, metrics) and the
follow-ups of its root cause analysis. All of it is for people: see `aside.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from watchdog.core.text import number

NO_LOSS = "none"
"""As `data_loss`: it was looked for, and there is none."""

LEAST_CONTENT, MOST_CONTENT = 1.0, 5.0
"""The scale of `satisfaction`."""


class Task(StrEnum):
    """What a follow-up is for, by the procedure's own headings."""

    FIX = "fix"  # Implement fixes
    TEST = "test"  # Test solutions
    PROCEDURE = "procedure"  # Update procedures
    TRAINING = "training"  # Train team members


@dataclass(frozen=True, slots=True)
class ImpactTold:
    """What somebody found out of what it cost. What is not said here stays as it was."""

    episode: str
    actor: str
    tickets: int | None = None
    affected: float | None = None
    of: str = ""  # what `affected` counts
    satisfaction: float | None = None
    feedback: str = ""
    community: str = ""
    metrics: str = ""
    data_loss: str = ""  # NO_LOSS, or what is lost; "" is not said
    kind: Literal["aside.impact_told"] = "aside.impact_told"


@dataclass(frozen=True, slots=True)
class FollowUpAdded:
    """Somebody is to do something by the end of a day."""

    follow_up: str  # "F3"
    episode: str
    task: Task
    owner: str
    due: str  # an ISO date; its end in UTC counts
    text: str
    actor: str
    kind: Literal["aside.follow_up_added"] = "aside.follow_up_added"


@dataclass(frozen=True, slots=True)
class FollowUpClosed:
    follow_up: str
    actor: str
    reason: str
    kind: Literal["aside.follow_up_closed"] = "aside.follow_up_closed"


def day_of(text: str) -> date | None:
    """The date of a text like 2026-12-01; None where it is none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def ends_at(day: date) -> float:
    """The wall clock at the end of a day in UTC."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC).timestamp()


def in_words(told: ImpactTold) -> tuple[str, ...]:
    """What is said in it, each thing by itself."""
    of = told.of or "users"
    loss = "none" if told.data_loss == NO_LOSS else told.data_loss
    found = {
        "support tickets": None if told.tickets is None else str(told.tickets),
        f"{of} affected": None if told.affected is None else number(told.affected, 15),
        f"satisfaction (of {MOST_CONTENT:g})": None
        if told.satisfaction is None
        else number(told.satisfaction),
        "user feedback": told.feedback,
        "community channels": told.community,
        "system metrics": told.metrics,
        "data loss": loss,
    }
    return tuple(f"{what}: {said}" for what, said in found.items() if said)
