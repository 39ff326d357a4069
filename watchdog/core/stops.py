"""People's stops, silences of an Alertmanager and maintenance windows: what covers a rule now.

A stop stops automatic starts only. Asked at every pass, and holds once more right before an
effect.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.alerting import about, alert_labels
from watchdog.core.book import Book, Episode
from watchdog.core.calendar import covering
from watchdog.core.deploying import began_after
from watchdog.core.samples import Labels
from watchdog.core.silences import Standing
from watchdog.core.spec import Policy, RuleSpec, Scope
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stop may cover."""

    owner: str
    rule: str
    target: str
    labels: Labels = ()  # of its alert: what an Alertmanager's silence may cover

    @classmethod
    def of(cls, rule: RuleSpec, ep: Episode, target: str, policy: Policy) -> Subject:
        """An episode's rule, known by the labels with which the episode opened."""
        labels = ep.labels or alert_labels(rule, policy.environment, ep.world)
        return cls(rule.owner, rule.name, target, labels)

    def under(self, scope: Scope) -> bool:
        return scope.covers(owner=self.owner, rule=self.rule, target=self.target)


def standing_holds(subject: Subject, book: Book, now: Instant) -> tuple[str, ...]:
    """Every hold and silence that covers the subject now, in words."""
    return tuple(
        f"{'silence' if h.silence else 'hold'} {h.id} on {h.scope.text} by {h.actor}: {h.reason}"
        for h in book.standing_holds(now)
        if subject.under(h.scope)
    )


def standing_silences(subject: Subject, book: Book, now: Instant) -> tuple[str, ...]:
    """Every silence in Alertmanager that covers the subject now, in words."""
    return tuple(s.silence.text for s in _silences(subject, book, now))


def _silences(subject: Subject, book: Book, now: Instant) -> tuple[Standing, ...]:
    standing = book.outside.standing_silences(now)
    labels = about(subject.labels, "breach") if standing else {}
    return tuple(s for s in standing if subject.labels and s.silence.covers(labels))


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
    return ep.unbarred_by if none_since(said, subject, policy, book, now) else ""


def none_since(said: Instant, subject: Subject, policy: Policy, book: Book, now: Instant) -> bool:
    """Whether every stop that covers the subject now, and every deploy of its target, stood already
    when that was said.
    """
    later_hold = any(
        h.placed.steady > said.steady and subject.under(h.scope) for h in book.standing_holds(now)
    )
    later_window = any(
        subject.under(w.scope) and covering(w, now.utc) and not covering(w, said.utc)
        for w in policy.windows
    )
    later_silence = any(
        max(s.seen, s.silence.starts, key=lambda at: at.steady).steady > said.steady
        for s in _silences(subject, book, now)
    )
    later_deploy = began_after(said, subject.target, policy, book, now)
    return not (later_hold or later_window or later_silence or later_deploy)


@dataclass(frozen=True, slots=True)
class Consent:
    """What people have said to a request: who, of how many, and who of them through the stops."""

    by: tuple[str, ...] = ()
    needed: int = 0
    through: str = ""
    said: Instant | None = None  # when they said it: of the stops that stood then

    def goes_through(self, subject: Subject, policy: Policy, book: Book, now: Instant) -> str:
        said = self.said
        goes = said is not None and none_since(said, subject, policy, book, now)
        return self.through if goes else ""


NOBODY = Consent()


def standing_stops(subject: Subject, policy: Policy, book: Book, now: Instant) -> tuple[str, ...]:
    """All of them, holds first."""
    return (
        standing_holds(subject, book, now)
        + standing_silences(subject, book, now)
        + standing_windows(subject, policy, now)
    )
