"""What one pass has found so far: the book as it will be once these entries are recorded.

Every rule of a pass sees what the rules before it did (a taken budget slot, a claimed target);
all of it is appended in one transaction at the pass's end, and nothing is done before that.
"""

from __future__ import annotations

from watchdog.core.alerting import Problem, about, alert_labels
from watchdog.core.book import Book, Episode
from watchdog.core.entries import Entry, EpisodeMoved, Paged
from watchdog.core.episode import move
from watchdog.core.paging import TEAM, Whom, topic_of, urgency_of
from watchdog.core.samples import Labels
from watchdog.core.spec import ActionSpec, RuleSpec
from watchdog.core.states import Event, State
from watchdog.core.telling.topics import Topic
from watchdog.core.words import Instant, Severity, Verdict, World


class Draft:
    """Adds entries to a book and remembers them for the journal."""

    decides = True

    def __init__(self, book: Book, now: Instant) -> None:
        self.book = book
        self.now = now
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self.book.apply(entry, self.now)
        self.entries.append(entry)

    def move(
        self,
        ep: Episode,
        event: Event,
        reason: str,
        *,
        actor: str = "",
        rung: int | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        """Move an episode along the table. Raises NoSuchMove for a pair that it does not have."""
        after = move(ep.state, event)
        rung = ep.rung if rung is None else rung
        told = after is State.OK and ep.id in self.book.notes.last
        self.add(EpisodeMoved(ep.id, ep.state, event, after, rung, reason, actor, verdict))
        if told:  # whoever heard of it hears that it is over
            by = f", by {actor}" if actor else ""
            self.page(ep, f"{ep.rule}: over: {reason}{by}", "")

    def page(
        self,
        ep: Episode,
        title: str,
        body: str,
        *,
        target: str = "",
        whom: Whom = TEAM,
    ) -> None:
        """Tell people about a live episode. Shadow never pages; silence is remembered with it.

        `target` is what the page is about where that is not what the episode last decided on.
        """
        if ep.world is World.LIVE:
            silenced = self.silenced(ep, target)
            self.tell(f"episode:{ep.id}", ep.severity, title, body, silenced=silenced, whom=whom)

    def silenced(self, ep: Episode, target: str = "") -> bool:
        """Whether people asked not to be told of it now."""
        ours = self._silenced(ep.owner, ep.rule, target or ep.target)
        return ours or self._silenced_outside(ep.labels, "breach")

    def page_about_rule(
        self, rule: RuleSpec, key: str, title: str, body: str, *, whom: Whom = TEAM
    ) -> None:
        """Tell people about a rule, whether or not it has an episode."""
        silenced = self.silences_rule(rule, "blind" if key == "blind" else "breach")
        of = f"rule:{rule.name}:{key}"
        self.tell(of, rule.severity, title, body, silenced=silenced, whom=whom)

    def silences_rule(self, rule: RuleSpec, problem: Problem) -> bool:
        """Whether people asked not to be told of that of it now."""
        started = self.book.started
        labels = alert_labels(rule, started.environment if started else "", World.LIVE)
        ours = self._silenced(rule.owner, rule.name, "")
        return ours or self._silenced_outside(labels, problem)

    def page_about_action(
        self,
        action: ActionSpec,
        key: str,
        severity: Severity,
        title: str,
        body: str,
        *,
        whom: Whom = TEAM,
    ) -> None:
        """Tell people about an action, and so about its target."""
        silenced = self._silenced("", "", action.target)
        of = f"action:{action.name}:{key}"
        self.tell(of, severity, title, body, silenced=silenced, whom=whom)

    def tell(
        self,
        key: str,
        severity: Severity,
        title: str,
        body: str,
        *,
        silenced: bool = False,
        whom: Whom = TEAM,
    ) -> None:
        """One page, about what led to it and as urgent as that makes it."""
        before = (entry for entry in reversed(self.entries) if not isinstance(entry, Paged))
        cause = next(before, None)
        urgency = whom.urgency or urgency_of(key, severity, cause, silenced=silenced)
        topic = whom.topic or topic_of(key, cause)
        # Whoever heard of something hears its end, also in a silence that came meanwhile.
        quiet = silenced and topic is not Topic.RESOLVED
        tells = self.book.policy is not None and self.book.policy.tells and not quiet
        self.add(
            Paged(
                key,
                severity,
                title,
                body,
                silenced,
                urgency,
                note=self.book.next_id("N") if tells else "",
                topic=topic,
                to=whom.to,
                by=whom.by,
            )
        )

    def _silenced(self, owner: str, rule: str, target: str) -> bool:
        return any(
            h.silence and h.scope.covers(owner=owner, rule=rule, target=target)
            for h in self.book.standing_holds(self.now)
        )

    def _silenced_outside(self, labels: Labels, problem: Problem) -> bool:
        """Whether a silence in Alertmanager covers what an alert about this would carry."""
        standing = self.book.outside.standing_silences(self.now) if labels else ()
        told = about(labels, problem) if standing else {}
        return any(s.silence.covers(told) for s in standing)


class Onlooker(Draft):
    """Of who looks on while another decides: nothing that is added becomes true."""

    decides = False

    def add(self, entry: Entry) -> None:
        """What happens is what the other records."""
