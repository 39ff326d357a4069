"""Picks out of the journal all that belongs to one episode, and what happened around it.

The book is folded on the way, from what stands for retired entries on: so the numbers are those
that the daemon had. What happened around it counts while the episode is open: blindness of its
rule, holds and deploys that cover it, the watchdog's own stops.
"""

from __future__ import annotations

from collections.abc import Iterable

from watchdog.core import entries as e
from watchdog.core.book import Book
from watchdog.core.deploys import ALL
from watchdog.core.standing import Episode
from watchdog.core.states import State
from watchdog.core.verification import VerificationBegan
from watchdog.core.words import Instant
from watchdog.lab.incident import messages
from watchdog.lab.incident.telling import told
from watchdog.lab.incident.values import Change, Gathered, Moment, Ruled, Task
from watchdog.lab.incident.written import action_text
from watchdog.lab.papers.zone import zone_of

NOBODY = frozenset({"", "expiry"})


def gather(
    entries: Iterable[e.Recorded], episode: str, base: tuple[int, Book] | None = None
) -> Gathered | None:
    """All of it; None where the record has nothing of the episode. Takes the base's book over."""
    retired, book = base if base is not None else (0, Book())
    gatherer = _Gatherer(episode, book, retired)
    for one in entries:
        gatherer.take(one)
    return gatherer.done()


class _Gatherer:
    def __init__(self, episode: str, book: Book, retired: int) -> None:
        self._book = book
        self._found = Gathered(episode, retired=retired)
        self._intents: dict[str, Change] = {}
        self._holds: set[str] = set()
        self._targets: set[str] = set()
        self._actions: set[str] = set()
        known = book.episodes.get(episode)
        self._any = known is not None
        self._open = known is not None and known.is_open
        if known is not None:
            self._found.rule, self._found.started = known.rule, book.started
            self._found.measure = book.measures.episodes.get(episode)
            self._found.opened = known.opened, _as_opened(known)
            self._found.verifications += book.verifications.of(episode)

    def take(self, one: e.Recorded) -> None:
        policy = self._book.policy
        self._book.apply(one.entry, one.at)
        self._found.last = one.at
        found = self._found
        if messages.is_about(
            one.entry, found.episode, found.rule, found.messages, is_open=self._open
        ):
            messages.take(found.messages, one.entry, one.at)
        if self._concerns(one.entry):
            self._any = True
            self._note(one, policy)

    def done(self) -> Gathered | None:
        found, ep = self._found, self._book.episodes.get(self._found.episode)
        if not self._any:
            return None
        found.claims = self._book.claims_of(found.episode)
        found.zone = zone_of(self._book)
        if ep is not None:
            found.state, found.reason = ep.state, ep.reason
            found.mark, found.acked_by = ep.mark, ep.acked_by
        return found

    # -- what belongs to it ------------------------------------------------------------------------

    def _concerns(self, entry: e.Entry) -> bool:
        if getattr(entry, "episode", "") == self._found.episode:
            return True
        match entry:
            case e.StepTaken() | e.StepBegan():
                return entry.intent in self._intents
            case e.Drifted() | e.FreezeLifted():
                return self._found.episode in entry.episodes
            case e.FollowUpClosed():
                return any(one.entry.follow_up == entry.follow_up for one in self._found.tasks)
            case e.HoldEnded():
                return entry.hold in self._holds
            case _:
                return self._open and self._is_around(entry)

    def _is_around(self, entry: e.Entry) -> bool:
        match entry:
            case e.BlindBegan() | e.BlindEnded():
                return entry.rule == self._found.rule
            case e.HoldPlaced():
                owner = self._found.opened[1].owner if self._found.opened else ""
                targets = self._targets or {""}
                return any(
                    entry.scope.covers(owner=owner, rule=self._found.rule, target=target)
                    for target in targets
                )
            case e.DeployBegan() | e.DeployEnded():
                return entry.target in {*self._targets, ALL}
            case e.ReadinessChanged():
                return entry.action in self._actions
            case e.Started() | e.Stopped() | e.Slept() | e.PolicyApplied():
                return True
            case _:
                return False

    # -- what is kept of it ------------------------------------------------------------------------

    def _note(self, one: e.Recorded, policy: e.PolicyApplied | None) -> None:
        entry, at, found = one.entry, one.at, self._found
        sentence = told(entry)
        if sentence is not None:
            actor = str(getattr(entry, "actor", ""))
            actor = "" if actor in NOBODY else actor
            found.moments.append(Moment(at, *sentence, actor, one.seq))
        verdict = getattr(entry, "verdict", None)
        if verdict is not None:
            found.verdicts.append(verdict)
        self._note_episode(entry, at)
        self._note_change(entry, at, policy)
        self._note_around(entry, at)

    def _note_episode(self, entry: e.Entry, at: Instant) -> None:
        found = self._found
        match entry:
            case e.EpisodeOpened():
                found.opened, found.rule, self._open = (at, entry), entry.rule, True
                found.started = self._book.started
                found.measure = self._book.measures.episodes.get(found.episode)
            case e.EpisodeMoved():
                found.moves.append((at, entry.after))
                found.state, found.reason = entry.after, entry.reason
                if entry.after is State.OK:
                    self._open, found.ended = False, at
            case e.Decided():
                found.rulings.append(Ruled(at, entry))
                self._actions.update({entry.action} - {""})
                self._targets.update({str(entry.inputs.get("target", ""))} - {""})
            case e.Marked():
                found.mark = entry.mark
            case e.Acked():
                found.acked_by = entry.actor
            case _:
                pass

    def _note_change(self, entry: e.Entry, at: Instant, policy: e.PolicyApplied | None) -> None:
        match entry:
            case e.IntentOpened():
                change = Change(at, entry, action_text(policy, entry.action))
                self._intents[entry.intent] = change
                self._found.changes.append(change)
                self._targets.add(entry.target)
                self._actions.add(entry.action)
            case e.StepTaken():
                self._intents[entry.intent].steps.append((at, entry))
            case e.IntentEnded() if entry.intent in self._intents:
                change = self._intents[entry.intent]
                change.ended, change.ended_at = entry, at
            case _:
                pass

    def _note_around(self, entry: e.Entry, at: Instant) -> None:
        found = self._found
        match entry:
            case e.ImpactMeasured() if entry.failed_events is not None:
                found.costs.append((at, entry.failed_events))
            case e.ImpactTold():
                found.impacts.append((at, entry))
            case e.FollowUpAdded():
                found.tasks.append(Task(entry))
            case e.FollowUpClosed():
                task = next(t for t in found.tasks if t.entry.follow_up == entry.follow_up)
                task.closed, task.closed_at = entry, at
            case VerificationBegan():
                found.verifications.append(self._book.verifications.runs[entry.verification])
            case e.HoldPlaced():
                self._holds.add(entry.hold)
            case e.BlindBegan() | e.BlindEnded():
                self._note_blind(entry, at)
            case _:
                pass

    def _note_blind(self, entry: e.BlindBegan | e.BlindEnded, at: Instant) -> None:
        blind = self._found.blind
        if isinstance(entry, e.BlindEnded):
            if blind:
                blind[-1] = (blind[-1][0], at)
        elif not blind or blind[-1][1] is not None:
            blind.append((at, None))


def _as_opened(ep: Episode) -> e.EpisodeOpened:
    """How it began, as far as it is known when the entry itself is retired."""
    return e.EpisodeOpened(
        ep.id, ep.rule, ep.owner, ep.severity, ep.world, None, ep.rule_sha256, ep.reopens, ep.chain,
        ep.barred, ep.actor, ep.why, ep.labels,
    )  # fmt: skip
