"""The rollback procedure itself: where it stands, and when people must look at it again."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.hindsight import day_of, ends_at
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True)
class Procedure:
    """As `procedure:` in the platform file says it."""

    document: str
    reviewed: str  # an ISO date
    review_every_seconds: float

    @property
    def due_at(self) -> float:
        """The wall clock after which its review is overdue: so long after the day's end, in UTC."""
        day = day_of(self.reviewed)
        return ends_at(day) + self.review_every_seconds if day is not None else float("-inf")

    def is_overdue(self, now: Instant) -> bool:
        return now.wall >= self.due_at
