"""What people found out afterwards, folded from the entries: who was affected, by their own count,
the follow-ups that are open, and those that were closed lately.

Laws: numbered by the book, so that a replay gives the same names; an open one is never forgotten;
overdue is what is open after the end of its day; of what people counted the newest counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from watchdog.core.hindsight import FollowUpAdded, FollowUpClosed, ImpactTold, day_of, ends_at
from watchdog.core.words import Instant

KEPT_CLOSED = 200
KEPT_COUNTS = 200
"""At hand for people; the journal has them all."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    entry: FollowUpAdded
    at: Instant
    closed: FollowUpClosed | None = None
    closed_at: Instant | None = None

    @property
    def due_at(self) -> float:
        """The wall clock after which it is overdue."""
        day = day_of(self.entry.due)
        return ends_at(day) if day is not None else float("inf")

    def is_overdue(self, now: Instant) -> bool:
        return self.closed is None and now.wall >= self.due_at


@dataclass(slots=True)
class Lessons:
    """Read freely; changed by the book alone."""

    follow_ups: dict[str, FollowUp] = field(default_factory=dict)
    affected: dict[str, tuple[float, str]] = field(default_factory=dict)
    """How many were affected by an episode, and of what, as people have counted."""

    def open(self) -> tuple[FollowUp, ...]:
        return tuple(one for one in self.follow_ups.values() if one.closed is None)

    def overdue(self, now: Instant) -> tuple[FollowUp, ...]:
        return tuple(one for one in self.open() if one.is_overdue(now))

    def take(self, entry: object, at: Instant) -> None:
        """Take one entry in. Most are of no concern here."""
        match entry:
            case FollowUpAdded():
                self.follow_ups[entry.follow_up] = FollowUp(entry, at)
            case FollowUpClosed() if entry.follow_up in self.follow_ups:
                one = self.follow_ups[entry.follow_up]
                self.follow_ups[entry.follow_up] = replace(one, closed=entry, closed_at=at)
                self._forget_oldest()
            case ImpactTold(episode=episode, affected=counted) if counted is not None:
                self.affected[episode] = counted, entry.of or "users"
                for name in list(self.affected)[: max(0, len(self.affected) - KEPT_COUNTS)]:
                    del self.affected[name]
            case _:
                pass

    def _forget_oldest(self) -> None:
        closed = [name for name, one in self.follow_ups.items() if one.closed is not None]
        for name in closed[: max(0, len(closed) - KEPT_CLOSED)]:
            del self.follow_ups[name]
