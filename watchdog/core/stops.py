"""People's stops and maintenance windows: what covers a rule and its target now.

A stop stops automatic starts only. Asked at every pass, and holds once more right before an
effect.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.book import Book
from watchdog.core.calendar import covering
from watchdog.core.spec import Policy, Scope
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stop may cover."""

    owner: str
    rule: str
    target: str

    def under(self, scope: Scope) -> bool:
        return scope.covers(owner=self.owner, rule=self.rule, target=self.target)


def standing_holds(subject: Subject, book: Book, now: Instant) -> tuple[str, ...]:
    """Every hold and silence that covers the subject now, in words."""
    return tuple(
        f"{'silence' if h.silence else 'hold'} {h.id} on {h.scope.text} by {h.actor}: {h.reason}"
        for h in book.standing_holds(now)
        if subject.under(h.scope)
    )


def standing_windows(subject: Subject, policy: Policy, now: Instant) -> tuple[str, ...]:
    """Every maintenance window that covers the subject now, in words."""
    return tuple(
        f"{w.name} on {w.scope.text}: {w.reason}"
        for w in policy.windows
        if subject.under(w.scope) and covering(w, now.utc)
    )


def standing_stops(subject: Subject, policy: Policy, book: Book, now: Instant) -> tuple[str, ...]:
    """Both, holds first."""
    return standing_holds(subject, book, now) + standing_windows(subject, policy, now)
