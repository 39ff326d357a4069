"""A daemon rehearsed: the core's own evaluation of given readings, with supposed actions.

Nothing is asked and nothing is changed. Verdicts, episodes, gates, cooldowns and budgets are the
real ones; what a rollback would have led to is supposed, and every entry about it says so. Time
is what the readings and ticks bring; both are taken in the order of their time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.aftermath import intent_ended, verify
from watchdog.core.approvals import ApprovalAsked, ApprovalGiven, Means
from watchdog.core.approving import approve, deny, objection
from watchdog.core.book import Book, Episode, OpenIntent
from watchdog.core.channels import EventReceived
from watchdog.core.draft import Draft
from watchdog.core.evaluation import Evaluation
from watchdog.core.heard import sorted_out
from watchdog.core.inputs import Facts, Scene, next_rung
from watchdog.core.memory import Memory
from watchdog.core.samples import Reading
from watchdog.core.spec import ActionSpec, Policy, Rung, SourceSpec
from watchdog.core.states import Event, State
from watchdog.core.trees import Anchor
from watchdog.core.words import CheckReading, Direction, Instant, Mode, Truth

HOST = "lab"
PERSON = "lab"
SUPPOSED = "supposed: the lab changes nothing"

_OLD_SECONDS = 365 * 86400.0
"""How long before the rehearsal an anchor is supposed to have been written."""

_PERSONS_MOVE = frozenset({State.CONTAINED, State.LATCHED})


@dataclass(frozen=True, slots=True)
class Supposed:
    """What is taken to come of an action that would run."""

    seconds: float = 1.0  # from the intent to the read-back that shows it
    outcome: e.Outcome = e.Outcome.DONE
    contained: Truth = Truth.TRUE  # what its `contained_when` says from then on


@dataclass(frozen=True, slots=True)
class Supposing:
    """`actions` by name; `otherwise` for all others. `ready` is what preflight is taken to say.

    `undo_after_seconds`: a person is taken to undo a rollback, and to close what is latched, once
    every rule that asked for it has been healthy for so long. None: nobody does anything.
    `unchecked_too`: an action without `contained_when` is taken to contain as well; else the rule's
    own recovery alone shows it, as at night.
    """

    otherwise: Supposed = Supposed()
    actions: Mapping[str, Supposed] = field(default_factory=dict)
    ready: Truth = Truth.TRUE
    undo_after_seconds: float | None = None
    unchecked_too: bool = False

    def of(self, action: str) -> Supposed:
        return self.actions.get(action, self.otherwise)


def _at_home(policy: Policy) -> Policy:
    """Every action on its own host, and practised: who executes it, and when a drill of it passed,
    is not what is rehearsed.
    """
    return replace(
        policy,
        actions={
            name: replace(one, host="any", drilled_within_seconds=None)
            for name, one in policy.actions.items()
        },
    )


def _anchor(action: ActionSpec, began: Instant) -> Anchor | None:
    """Supposed to be there, and older than anything that is rehearsed."""
    if action.anchor_margin_seconds is None:
        return None
    return Anchor(hashlib.sha256(action.name.encode()).hexdigest(), began.wall - _OLD_SECONDS)


class Rehearsal:
    """One policy over one stretch of time. `log` holds every entry that was recorded."""

    def __init__(
        self,
        policy: Policy,
        began: Instant,
        supposing: Supposing | None = None,
        max_mode: Mode = Mode.ARMED,
    ) -> None:
        self.policy = policy = _at_home(policy)
        self.book = Book()
        self.memory = Memory()
        self.log: list[e.Recorded] = []
        self._supposing = supposing or Supposing()
        self._max_mode = max_mode
        self._evaluation = Evaluation(self.memory, self._facts)
        self.memory.adopt(policy)
        self._begin(began)

    def feed(self, reading: Reading) -> None:
        """Samples arrived; what was due before is done first."""
        self._catch_up(reading.at)
        if self._evaluation.reads(reading.source):
            self.memory.hear_aside(reading, self.memory.sources[reading.source].aside)
            draft = Draft(self.book, reading.at)
            self._evaluation.on_reading(reading, self.policy, draft)
            self.keep(draft)

    def tell(self, source: SourceSpec, told: EventReceived, now: Instant) -> None:
        """A sender told something by a channel: recorded and judged at once, as by the daemon."""
        self._catch_up(now)
        fresh, _ = sorted_out(self.book.heard, source, [told], now)
        draft = Draft(self.book, now)
        for entry in fresh:
            draft.add(entry)
        self.keep(draft)
        if fresh:
            self.feed(Reading(source.name, now, 0.0))

    def tick(self, now: Instant) -> None:
        """Time passed without samples."""
        self._catch_up(now)
        draft = Draft(self.book, now)
        self._evaluation.on_tick(self.policy, draft)
        self.keep(draft)

    def answer(
        self, people: Iterable[str], now: Instant, *, rule: str | None, denied: bool
    ) -> None:
        """People say yes, or no, to every episode, or that rule's, that waits for them then."""
        for ep in [self.book.episodes[name] for name in list(self.book.requests.open)]:
            for who in people if rule in {None, ep.rule} else ():
                request = self.book.requests.open.get(ep.id)
                if request is None:
                    break
                draft = Draft(self.book, now)
                if denied:
                    deny(ep, who, SUPPOSED, draft)
                else:
                    memory = self.memory.of(ep.rule)
                    scene = Scene(self.policy, self._facts(), draft)
                    given = _yes(who, request.asked)
                    if not objection(given, scene):
                        approve(given, memory.sight if memory is not None else None, scene)
                self.keep(draft)

    @property
    def failures(self) -> Mapping[str, str]:
        """What a rule's evaluation raised, by rule: a bug of ours."""
        return self._evaluation.failures

    def _begin(self, began: Instant) -> None:
        policy, draft = self.policy, Draft(self.book, began)
        word = self._max_mode.word
        draft.add(e.Started("", HOST, "", policy.environment, word, down_seconds=0.0))
        draft.add(e.PolicyApplied(policy.sha256, (), "lab"))
        for action in policy.actions.values():
            ready = self._supposing.ready
            draft.add(e.ReadinessChanged(action.name, ready, SUPPOSED, _anchor(action, began)))
        self.keep(draft)

    def _facts(self) -> Facts:
        statuses = self.memory.statuses()
        return Facts(self.policy.environment, HOST, self._max_mode, None, statuses)

    def _catch_up(self, now: Instant) -> None:
        """End the intents whose time has come, each at its own time, and see whether they help."""
        if self.book.intents:
            for intent in sorted(self.book.intents.values(), key=self._ends):
                if self._ends(intent) <= now.steady:
                    self._end(intent)
        if not self.book.current:
            return
        person_at_work = self._supposing.undo_after_seconds is not None
        for ep in [self.book.episodes[name] for name in self.book.current.values()]:
            if person_at_work and ep.state in _PERSONS_MOVE:
                self._person(ep, now)
            if ep.state is not State.VERIFYING:
                continue
            draft = Draft(self.book, now)
            rule = self.policy.rule(ep.rule)
            rung = next_rung(rule, ep, self.policy) if rule is not None else None
            if rung is None:
                rung = Rung(ep.action, Mode.ARMED, 0.0)
            recovered = self.memory.recovered_since(ep.rule, ep.effect_at or ep.moved, now)
            verify(ep, rung, self._contained(ep.action, now), recovered, self.policy, draft)
            self.keep(draft)

    def _contained(self, name: str, now: Instant) -> tuple[CheckReading, ...]:
        """What the action's `contained_when` says; nothing where it has none."""
        action = self.policy.actions.get(name)
        if not self._supposing.unchecked_too and (action is None or not action.contained_when):
            return ()
        return (CheckReading(self._supposing.of(name).contained, SUPPOSED, now),)

    def _person(self, ep: Episode, now: Instant) -> None:
        """Undo or close what has been over for long enough."""
        claims = self.book.claims_of(ep.id)
        asking = {ep.rule}
        for claim in claims:
            held_by = self.book.claimants(claim.target)
            asking |= {self.book.episodes[other.episode].rule for other in held_by}
        if not all(self._over(rule) for rule in asking):
            return
        draft = Draft(self.book, now)
        undo = next((claim for claim in claims if not claim.found), None)
        if undo is None and ep.state is State.LATCHED:
            draft.move(ep, Event.CLOSED, f"{SUPPOSED}; healthy again", actor=PERSON)
        elif undo is not None and not self.book.intents:
            draft.add(
                e.IntentOpened(
                    intent=self.book.next_id("I"),
                    episode=ep.id,
                    action=undo.action,
                    target=undo.target,
                    direction=Direction.UNDO,
                    deadline=now.plus(self._supposing.of(undo.action).seconds),
                    actor=PERSON,
                    reason="healthy again",
                )
            )
        self.keep(draft)

    def _over(self, rule: str) -> bool:
        memory = self.memory.of(rule)
        if memory is None or memory.sight is None:
            return memory is None
        quiet = memory.sight.quiet_seconds
        return memory.sight.verdict.clear and quiet >= (self._supposing.undo_after_seconds or 0.0)

    def _ends(self, intent: OpenIntent) -> float:
        return intent.at.steady + self._supposing.of(intent.entry.action).seconds

    def _end(self, intent: OpenIntent) -> None:
        entry, supposed = intent.entry, self._supposing.of(intent.entry.action)
        at = intent.at.plus(supposed.seconds)
        draft = Draft(self.book, at)
        outcome = supposed.outcome
        if entry.direction is Direction.UNDO:
            outcome = e.Outcome.DONE
        elif outcome is e.Outcome.DONE and self.book.claimants(entry.target):
            outcome = e.Outcome.FOUND  # another episode has brought it there already
        ended = e.IntentEnded(
            intent=entry.intent,
            episode=entry.episode,
            action=entry.action,
            target=entry.target,
            direction=entry.direction,
            outcome=outcome,
            reason=SUPPOSED,
            read_back=SUPPOSED,
            seconds=supposed.seconds,
            effect_at=at if outcome in {e.Outcome.DONE, e.Outcome.FOUND} else None,
        )
        intent_ended(ended, self.policy, draft)
        self.keep(draft)

    def keep(self, draft: Draft) -> None:
        """Record what was found, or what somebody did."""
        for entry in draft.entries:
            self.log.append(e.Recorded(len(self.log) + 1, draft.now, entry, ""))
        draft.entries = []


def _yes(who: str, asked: ApprovalAsked) -> ApprovalGiven:
    """By signature, which counts for everything."""
    told = asked.episode, asked.decision, asked.action, asked.plan
    return ApprovalGiven(*told, who, who, SUPPOSED, Means.SSH)
