"""What is still to be done after episodes, and when the procedure must be looked at: plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from watchdog.core.hindsight import Task
from watchdog.core.lessons import FollowUp
from watchdog.core.words import Instant
from watchdog.engine.engine import Engine
from watchdog.engine.shapes import FollowUpShape
from watchdog.engine.shapes_around import LessonsShape
from watchdog.engine.verdict_view import utc


@dataclass(frozen=True, slots=True)
class LessonsNow:
    """For metrics; what is None is not asked of the policy."""

    open: Mapping[Task, int] = field(default_factory=dict)
    overdue: Mapping[Task, int] = field(default_factory=dict)
    review_overdue: bool | None = None
    review_due_seconds: float | None = None


def lessons_now(engine: Engine) -> LessonsNow:
    lessons, now = engine.book.lessons, engine.ports.clock.now()
    procedure = engine.in_force().procedure
    return LessonsNow(
        open=Counter(one.entry.task for one in lessons.open()),
        overdue=Counter(one.entry.task for one in lessons.overdue(now)),
        review_overdue=None if procedure is None else procedure.is_overdue(now),
        review_due_seconds=None if procedure is None else procedure.due_at - now.wall,
    )


def lessons_view(engine: Engine) -> LessonsShape:
    """What is open of them, the earliest day first."""
    now, procedure = engine.ports.clock.now(), engine.in_force().procedure
    opened = sorted(engine.book.lessons.open(), key=lambda one: one.due_at)
    return {
        "follow_ups": [follow_up_view(one, now) for one in opened],
        "procedure": None
        if procedure is None
        else {
            "document": procedure.document,
            "reviewed": procedure.reviewed,
            "due": datetime.fromtimestamp(procedure.due_at, UTC).isoformat(),
            "overdue": procedure.is_overdue(now),
        },
    }


def follow_ups_view(engine: Engine) -> list[FollowUpShape]:
    """All that are at hand, the newest last."""
    now = engine.ports.clock.now()
    return [follow_up_view(one, now) for one in engine.book.lessons.follow_ups.values()]


def follow_up_view(one: FollowUp, now: Instant) -> FollowUpShape:
    entry, closed = one.entry, one.closed
    return {
        "follow_up": entry.follow_up,
        "episode": entry.episode,
        "task": entry.task.value,
        "owner": entry.owner,
        "due": entry.due,
        "text": entry.text,
        "by": entry.actor,
        "added": utc(one.at),
        "open": closed is None,
        "overdue": one.is_overdue(now),
        "closed": utc(one.closed_at) if one.closed_at is not None else None,
        "closed_by": closed.actor if closed is not None else None,
        "closed_reason": closed.reason if closed is not None else None,
    }
