"""The book: the present, folded from the journal's entries in order.

`apply` is the only thing that changes it, so what is believed after a restart is what was believed
before it. It decides nothing: what follows from it is in `turn.py`, `gates.py` and `aftermath.py`.
New episodes, decisions, intents and holds are numbered here: a replay gives the same names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import singledispatchmethod

from watchdog.core import entries as e
from watchdog.core.anchors import Anchors
from watchdog.core.changes import Deploys
from watchdog.core.drills import Drills
from watchdog.core.heard import Heard
from watchdog.core.late import Late
from watchdog.core.lessons import Lessons
from watchdog.core.measures import Measures
from watchdog.core.members import Members
from watchdog.core.merits import Merits
from watchdog.core.numbering import count_in
from watchdog.core.opened import opened
from watchdog.core.outside import Outside
from watchdog.core.promotions import RulePromoted
from watchdog.core.requests import Requests
from watchdog.core.standing import MANUAL, Blindness, Claim, Episode, Hold, OpenIntent, forgettable
from watchdog.core.starts import Acted, after_ending, supposed_already
from watchdog.core.states import Event, State
from watchdog.core.telling.pages_told import PagesTold
from watchdog.core.telling.untold import Notes
from watchdog.core.verified import Verifications
from watchdog.core.words import Direction, Instant, Truth, World

__all__ = ["MANUAL", "Acted", "Blindness", "Book", "Claim", "Episode", "Hold", "OpenIntent"]

CONTINUES_WITHIN_SECONDS = 60.0
"""A daemon that was away for longer than this starts anew: a breach that it finds is already
burning, since it cannot know that it began while somebody watched."""

KEPT_CLOSED = 200
"""Ended episodes kept at hand for people; the journal keeps them all."""


@dataclass(slots=True)
class Book:
    """See the module's docstring. Read freely; change through `apply` only."""

    episodes: dict[str, Episode] = field(default_factory=dict)
    current: dict[str, str] = field(default_factory=dict)  # rule -> its open episode
    claims: dict[str, dict[str, Claim]] = field(default_factory=dict)  # target -> episode -> it
    holds: dict[str, Hold] = field(default_factory=dict)
    outside: Outside = field(default_factory=Outside)
    intents: dict[str, OpenIntent] = field(default_factory=dict)
    acted: list[Acted] = field(default_factory=list)
    cleared: set[str] = field(default_factory=set)
    blind: dict[str, Blindness] = field(default_factory=dict)
    members: Members = field(default_factory=Members)
    readiness: dict[str, tuple[Truth, str, Instant]] = field(default_factory=dict)
    anchors: Anchors = field(default_factory=Anchors)
    requests: Requests = field(default_factory=Requests)
    deploys: Deploys = field(default_factory=Deploys)
    policy: e.PolicyApplied | None = None
    started: e.Started | None = None
    merits: Merits = field(default_factory=Merits)
    measures: Measures = field(default_factory=Measures)
    heard: Heard = field(default_factory=Heard)
    notes: Notes = field(default_factory=Notes)
    pages: PagesTold = field(default_factory=PagesTold)
    lessons: Lessons = field(default_factory=Lessons)
    drills: Drills = field(default_factory=Drills)
    verifications: Verifications = field(default_factory=Verifications)
    late: Late = field(default_factory=Late)
    last: Instant | None = None
    counts: dict[str, int] = field(default_factory=dict)

    # -- reading -----------------------------------------------------------------------------------

    def open_episode(self, rule: str) -> Episode | None:
        found = self.current.get(rule)
        return self.episodes[found] if found else None

    def open_of(self, rule: str) -> list[Episode]:
        """The open episodes of a rule; of a family, those of all its members."""
        found = (self.open_episode(name) for name in (rule, *self.members.of(rule)))
        return [ep for ep in found if ep is not None]

    def open_episodes(self) -> Iterator[Episode]:
        return (ep for ep in self.episodes.values() if ep.is_open)

    def next_id(self, letter: str) -> str:
        """The name that the next entry of its kind will have: E1, E2, ..."""
        return f"{letter}{self.counts.get(letter, 0) + 1}"

    def claimants(self, target: str) -> tuple[Claim, ...]:
        return tuple(self.claims.get(target, {}).values())

    def every_claim(self) -> tuple[Claim, ...]:
        return tuple(claim for held in self.claims.values() for claim in held.values())

    def claims_of(self, episode: str) -> tuple[Claim, ...]:
        return tuple(held[episode] for held in self.claims.values() if episode in held)

    def standing_holds(self, now: Instant) -> tuple[Hold, ...]:
        return tuple(h for h in self.holds.values() if h.stands(now))

    # -- changing ----------------------------------------------------------------------------------

    def become(self, other: Book) -> None:
        """Believe what another book does, for all who hold this one."""
        for part in fields(self):
            setattr(self, part.name, getattr(other, part.name))

    def apply(self, entry: e.Entry, at: Instant) -> None:
        """Take one entry in, in the journal's order."""
        self.last = at
        count_in(self.counts, entry)
        folded = (self.merits, self.members, self.requests, self.outside, self.deploys, self.notes)
        for part in (*folded, self.pages, self.lessons, self.drills, self.verifications):
            part.take(entry, at)
        self._take(entry, at)
        for after in (self.heard, self.late):
            after.take(entry, at)
        self.measures.take(entry, at, self.claims)

    @singledispatchmethod
    def _take(self, entry: e.Entry, at: Instant) -> None:
        """Entries that change nothing here: Stopped, those of merits alone."""

    @_take.register
    def _started(self, entry: e.Started, at: Instant) -> None:
        widened = self.started is not None and self.started.max_mode != entry.max_mode
        if entry.down_seconds > CONTINUES_WITHIN_SECONDS or widened:
            self.cleared.clear()
        if widened:
            for ep in self.open_episodes():
                ep.barred = ep.barred or "already burning: the process's max_mode was changed"
        self.started = entry

    @_take.register
    def _slept(self, entry: e.Slept, at: Instant) -> None:
        self.cleared.clear()  # what is breached now began unseen

    @_take.register
    def _policy(self, entry: e.PolicyApplied, at: Instant) -> None:
        self.policy = entry
        for rule in entry.rearmed:
            self._unclear(rule, "already burning: the rule was armed in mid-breach")
        for rule in entry.hear_anew:
            self.heard.hear_anew(rule)

    @_take.register
    def _cleared(self, entry: e.RuleCleared, at: Instant) -> None:
        self.cleared.add(entry.rule)

    @_take.register
    def _filled(self, entry: e.WindowsFilled, at: Instant) -> None:
        self.cleared.discard(entry.rule)

    @_take.register
    def _blind_began(self, entry: e.BlindBegan, at: Instant) -> None:
        was = self.blind.get(entry.rule, Blindness(at, (), ""))
        self.blind[entry.rule] = replace(was, kinds=(*was.kinds, entry.blind), reason=entry.reason)

    @_take.register
    def _blind_ended(self, entry: e.BlindEnded, at: Instant) -> None:
        self.blind.pop(entry.rule, None)

    @_take.register
    def _paged(self, entry: e.Paged, at: Instant) -> None:
        rule = entry.key.removeprefix("rule:").removesuffix(":blind")
        if rule in self.blind:
            self.blind[rule] = self.blind[rule].told(entry)

    @_take.register
    def _opened(self, entry: e.EpisodeOpened, at: Instant) -> None:
        self.episodes[entry.episode] = opened(entry, at)
        for name in forgettable(self.episodes, KEPT_CLOSED):
            del self.episodes[name]

    @_take.register
    def _moved(self, entry: e.EpisodeMoved, at: Instant) -> None:
        ep = self.episodes[entry.episode]
        if entry.after in {State.OK, State.WATCHED} and entry.event is not Event.FRESH_BREACH:
            self.heard.settle(ep.rule)
        ep.take_move(entry, at)
        if entry.after is State.OK:
            if self.current.get(ep.rule) == ep.id:
                del self.current[ep.rule]
            self._give_up(ep.id)
            if entry.event is Event.CLOSED:
                self.cleared.discard(ep.rule)  # still breached: already burning
        elif ep.rule != MANUAL:
            self.current[ep.rule] = ep.id

    @_take.register
    def _barred(self, entry: e.EpisodeBarred, at: Instant) -> None:
        ep = self.episodes[entry.episode]
        ep.barred = entry.reason
        self.cleared.discard(ep.rule)  # its next breach must not act before it was once clear

    @_take.register
    def _unbarred(self, entry: e.EpisodeUnbarred, at: Instant) -> None:
        ep = self.episodes[entry.episode]
        ep.barred, ep.unbarred_by, ep.through_hold = "", entry.actor, entry.through_hold
        ep.unbarred_at = at

    @_take.register
    def _decided(self, entry: e.Decided, at: Instant) -> None:
        ep = self.episodes[entry.episode]
        ep.action, ep.target = entry.action, str(entry.inputs.get("target", ""))
        if entry.ruling is e.Ruling.REFUSED:
            ep.refusals = (*ep.refusals, entry.reason)
        if entry.ruling is e.Ruling.WOULD_ACT:
            found = supposed_already(ep, self.open_episodes())
            self.acted.append(Acted(World.SHADOW, ep.rule, entry.action, "", at, found))
            if ep.mark:
                self.merits.mark(ep.rule, ep.id, ep.mark)

    @_take.register
    def _intent(self, entry: e.IntentOpened, at: Instant) -> None:
        self.intents[entry.intent] = OpenIntent(entry, at)
        ep = self.episodes[entry.episode]
        ep.intent = entry.intent
        if entry.direction is Direction.UNDO:
            return
        ep.action, ep.target = entry.action, entry.target
        if not entry.actor or (entry.approved_by and ep.rule != MANUAL):
            self.acted.append(Acted(World.LIVE, ep.rule, entry.action, entry.intent, at))
            self.cleared.discard(ep.rule)  # re-armed only after it was clear again

    @_take.register
    def _step(self, entry: e.StepTaken, at: Instant) -> None:
        found = self.intents.get(entry.intent)
        if found is not None:
            self.intents[entry.intent] = replace(found, steps=(*found.steps, entry))
            self.anchors.learn(found.entry, entry, at)

    @_take.register
    def _step_began(self, entry: e.StepBegan, at: Instant) -> None:
        found = self.intents.get(entry.intent)
        if found is not None:
            self.intents[entry.intent] = replace(found, began=(*found.began, entry.step))

    @_take.register
    def _intent_ended(self, entry: e.IntentEnded, at: Instant) -> None:
        ended = self.intents.pop(entry.intent, None)
        ep = self.episodes[entry.episode]
        ep.take_end(entry)
        done = entry.outcome in {e.Outcome.DONE, e.Outcome.FOUND}
        if entry.direction is Direction.UNDO:
            if done:
                self.claims.pop(entry.target, None)
            if done and ended is not None:
                self.anchors.undone(ended.entry)
            return
        ep.outcome = entry.outcome
        self.acted = list(after_ending(self.acted, entry.intent, entry.outcome))
        if entry.outcome is e.Outcome.ABANDONED:
            ep.differed += ended is not None and ended.differed
            return
        ep.effected = (*ep.effected, entry.action)
        if done:
            ep.effect_at = entry.effect_at or at
            if ep.breached_at is not None:
                ep.seconds_to_effect = ep.effect_at.steady - ep.breached_at.steady
            found = entry.outcome is e.Outcome.FOUND and not self.late.may_show(entry.target, at)
            found = found and all(claim.found for claim in self.claimants(entry.target))
            facts = ended.facts if ended is not None else ()
            claim = Claim(entry.episode, entry.action, entry.target, found, at, facts)
            self._claimed(ep, claim)

    def _claimed(self, ep: Episode, claim: Claim) -> None:
        self.claims.setdefault(claim.target, {})[ep.id] = claim
        ep.changed, ep.undone = ep.changed or not claim.found, False

    @_take.register
    def _came_late(self, entry: e.CameLate, at: Instant) -> None:
        if (ep := self.episodes.get(entry.episode)) is not None:
            self.acted += self.late.start_of(entry, ep, self.acted, at)
            for claim in self.late.claim_of(entry, ep, at):
                self._claimed(ep, claim)
        self._shows(entry.episode, entry.target, entry.seen)

    @_take.register
    def _drifted(self, entry: e.Drifted, at: Instant) -> None:
        for name in entry.episodes:
            self._shows(name, entry.target, entry.seen)

    def _shows(self, episode: str, target: str, seen: str) -> None:
        """What was read of a target since its intent ended; people are told of the newest look."""
        ep = self.episodes.get(episode)
        if ep is not None and ep.target == target:
            ep.read_back = seen

    @_take.register
    def _released(self, entry: e.ClaimReleased, at: Instant) -> None:
        self._give_up(entry.episode, entry.target)

    @_take.register
    def _hold(self, entry: e.HoldPlaced, at: Instant) -> None:
        self.holds[entry.hold] = Hold(
            entry.hold, entry.scope, entry.reason, entry.actor, at, entry.expires, entry.silence
        )

    @_take.register
    def _hold_ended(self, entry: e.HoldEnded, at: Instant) -> None:
        self.holds.pop(entry.hold, None)

    @_take.register
    def _acked(self, entry: e.Acked, at: Instant) -> None:
        self.episodes[entry.episode].acked_by = entry.actor

    @_take.register
    def _marked(self, entry: e.Marked, at: Instant) -> None:
        if (ep := self.episodes.get(entry.episode)) is not None:
            ep.mark = entry.mark
            self.merits.mark(ep.rule, ep.id, entry.mark, entry.actor, entry.reason)

    @_take.register
    def _promoted(self, entry: RulePromoted, at: Instant) -> None:
        """What is breached while it rises began while it might not act."""
        self._unclear(entry.rule, "already burning: the rule was promoted in mid-breach")

    @_take.register
    def _member_retired(self, entry: e.MemberRetired, at: Instant) -> None:
        self.blind.pop(entry.member, None)
        self.cleared.discard(entry.member)

    @_take.register
    def _readiness(self, entry: e.ReadinessChanged, at: Instant) -> None:
        self.readiness[entry.action] = (entry.ready, entry.reason, at)
        self.anchors.ready(entry, at)

    def _unclear(self, rule: str, why: str) -> None:
        """It must be clear once more before it may act; so must all members of a family."""
        self.cleared.difference_update([rule, *self.members.of(rule)])
        for ep in self.open_of(rule):
            ep.barred = ep.barred or why

    def _give_up(self, episode: str, target: str | None = None) -> None:
        for name in [target] if target is not None else list(self.claims):
            self.claims.get(name, {}).pop(episode, None)
            if not self.claims.get(name):
                self.claims.pop(name, None)
