"""People's stops and maintenance windows: what covers a rule and its target now.

A stop stops automatic starts only. Asked at every pass, and holds once more right before an
effect.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.book import Book, Episode
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


def acts_through(ep: Episode, subject: Subject, policy: Policy, book: Book, now: Instant) -> str:
    """The person who lets the episode act through every stop that covers it now, if one does.

    Their word is about the stops of that moment. One that began later is somebody's new word, and
    counts until they are asked again.
    """
    said = ep.unbarred_at
    if not ep.through_hold or said is None:
        return ""
    later_hold = any(
        h.placed.steady > said.steady and subject.under(h.scope) for h in book.standing_holds(now)
    )
    later_window = any(
        subject.under(w.scope) and covering(w, now.utc) and not covering(w, said.utc)
        for w in policy.windows
    )
    return "" if later_hold or later_window else ep.unbarred_by


def standing_stops(subject: Subject, policy: Policy, book: Book, now: Instant) -> tuple[str, ...]:
    """Both, holds first."""
    return standing_holds(subject, book, now) + standing_windows(subject, policy, now)
