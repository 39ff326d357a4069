"""A watch by hand: rules are judged once a second, and what the runner and people do is told.

Nothing here is a stand-in for code of ours: passes, outcomes and drift go through the very
functions that the engine calls. Only the metrics and the target are made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.aftermath import drifted, intent_ended, tend_manual, verify
from watchdog.core.approvals import ApprovalGiven, Means
from watchdog.core.approving import approve, deny, objection, tend_requests
from watchdog.core.book import Book, Episode
from watchdog.core.deploying import refusal, tend_deploys
from watchdog.core.deploys import DeployOutcome
from watchdog.core.draft import Draft
from watchdog.core.impact import Cost
from watchdog.core.inputs import Facts, Scene, Sight, next_rung
from watchdog.core.judge.value import judge_value
from watchdog.core.measuring import take_measured_turn
from watchdog.core.persistence import BreachClock, QuietClock
from watchdog.core.samples import Answer, Point
from watchdog.core.spec import (
    ActionSpec,
    Bound,
    Command,
    Endpoint,
    Limits,
    MaintenanceWindow,
    Playbook,
    Policy,
    RuleSpec,
    Rung,
    Scope,
    Step,
    ValueThreshold,
)
from watchdog.core.states import Event, State
from watchdog.core.telling.escalation import tend_people
from watchdog.core.verifying import change_ended
from watchdog.core.words import (
    CheckReading,
    Direction,
    Instant,
    Mode,
    Severity,
    Status,
    Truth,
)

NOON = 1_790_000_000.0
FOR_SECONDS = 3.0
HEALTHY, BREACHED, BLIND = Status.HEALTHY, Status.BREACHED, Status.BLIND
SHOWN = {HEALTHY: 0.0, BREACHED: 0.5}


def a_rule(name: str = "errors", /, **different: object) -> RuleSpec:
    """Armed, `for` of 3 s, quick to forget; the keywords are RuleSpec's fields."""
    spec = RuleSpec(
        name=name,
        owner="team",
        kind="threshold",
        severity=Severity.P0,
        source="app",
        signal=ValueThreshold("errors", Bound(">", 0.05, "> 5%")),
        every_seconds=1.0,
        stale_after_seconds=2.0,
        for_seconds=FOR_SECONDS,
        keep_firing_seconds=0.0,
        minimum_events=0.0,
        page_after_seconds=30.0,
        playbook="ladder",
        up_to=None,
        mode=Mode.ARMED,
        mode_reason="",
        corroborate=(),
        cooldown_seconds=600.0,
        watch_seconds=20.0,
        runbook="",
        labels=(),
        summary="",
        sha256=f"sha of {name}",
        where="rules.yaml:1:1",
    )
    return replace(spec, **different)  # type: ignore[arg-type]  # fields by name


def an_action(
    name: str = "pause", target: str = "flag:redemption", **different: object
) -> ActionSpec:
    step = Step(Command((name,)), "enabled == `false`")
    spec = ActionSpec(
        name,
        target,
        Endpoint("http://flags"),
        step,
        Step(Command((name, "--undo")), "enabled == `true`"),
        (),
        (),
        deadline_seconds=10.0,
        sla_seconds=30.0,
        host="any",
        sha256="",
    )
    return replace(spec, **different)  # type: ignore[arg-type]  # fields by name


def a_policy(
    *rules: RuleSpec,
    actions: tuple[ActionSpec, ...] = (an_action(),),
    playbooks: Mapping[str, tuple[Rung, ...]] | None = None,
    windows: tuple[MaintenanceWindow, ...] = (),
    limits: Limits | None = None,
) -> Policy:
    """By default one rule, one playbook `ladder` with a rung for every action."""
    books = playbooks or {"ladder": tuple(Rung(a.name, Mode.ARMED, 20.0) for a in actions)}
    return Policy(
        environment="sandbox",
        sha256="sha of all",
        parts=(),
        sources={},
        actions={a.name: a for a in actions},
        playbooks={name: Playbook(name, rungs) for name, rungs in books.items()},
        rules={r.name: r for r in rules or (a_rule(),)},
        windows=windows,
        limits=limits or Limits(4, 86400.0, 5),
    )


@dataclass(slots=True)
class Seen:
    """What the metrics say of one rule from now on."""

    status: Status = HEALTHY
    clear: bool = True
    since_undo: Truth = Truth.UNKNOWN
    recovered: Truth = Truth.UNKNOWN  # by events after the effect alone
    cost: Cost = field(default_factory=Cost)  # of the trouble up to now
    began: Instant | None = None  # its first bad sample
    breached: Instant | None = None  # since when that is seen
    breach: BreachClock = field(default_factory=BreachClock)
    quiet: QuietClock = field(default_factory=QuietClock)


class Watch:
    """One process's book, judged second by second."""

    def __init__(self, policy: Policy, **facts: object) -> None:
        self.policy = policy
        self.facts = Facts("sandbox", "here", Mode.ARMED)
        self.facts = replace(self.facts, **facts)  # type: ignore[arg-type]  # fields by name
        self.now = Instant(NOON, 5000.0)
        self.book = Book()
        self.journal: list[tuple[Instant, e.Entry]] = []
        self.seen = {name: Seen() for name in policy.rules}
        with self.draft() as draft:
            draft.add(e.Started("0", "here", "boot", "sandbox", "armed", 0.0))
            for name in policy.actions:
                draft.add(e.ReadinessChanged(name, Truth.TRUE, "works"))

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """What is added is in the journal when the block ends."""
        draft = Draft(self.book, self.now)
        yield draft
        self.journal += [(self.now, entry) for entry in draft.entries]

    # -- time and metrics --------------------------------------------------------------------------

    def run(
        self, seconds: int, status: Status | None = None, *rules: str, clear: bool = True
    ) -> None:
        """So many seconds pass, with a pass at the end of each; some or all rules show `status`."""
        for name in rules or self.seen:
            if status is not None:
                self.seen[name].status = status
                self.seen[name].clear = clear
        for _ in range(seconds):
            self.now = self.now.plus(1.0)
            self.a_pass()

    def a_pass(self) -> None:
        """Every rule is judged by fresh samples of this moment."""
        statuses = {name: seen.status for name, seen in self.seen.items()}
        with self.draft() as draft:
            for hold in list(draft.book.holds.values()):
                if not hold.stands(draft.now):
                    draft.add(e.HoldEnded(hold.id, "expiry", "over"))
            tend_deploys(self.policy, draft)
            tend_requests(self.policy, draft)
            scene = Scene(self.policy, replace(self.facts, statuses=statuses), draft)
            for name, rule in self.policy.rules.items():
                take_measured_turn(rule, self._sight(rule, self.seen[name]), scene, self)
            tend_manual(draft)
            tend_people(self.policy, draft)

    def follow(self, seconds: int, status: Status) -> None:
        """So many seconds pass in which nobody can lead: all is seen, and none of it recorded."""
        for name, seen in self.seen.items():
            seen.status = status
            for second in range(1, seconds + 1):
                at = self.now
                self.now = at.plus(float(second))
                self._sight(self.policy.rules[name], seen)
                self.now = at
        self.now = self.now.plus(float(seconds))

    def _sight(self, rule: RuleSpec, seen: Seen) -> Sight:
        every, now = rule.every_seconds, self.now
        seen.breach = seen.breach.advance(
            seen.status, now, every_seconds=every, for_seconds=rule.for_seconds
        )
        seen.quiet = seen.quiet.advance(seen.status, now, every_seconds=every)
        points = () if seen.status is BLIND else (Point((), SHOWN[seen.status]),)
        assert isinstance(rule.signal, ValueThreshold)
        found = judge_value(rule.signal, Answer(points))
        assert found.status is seen.status
        verdict = replace(found, clear=found.clear and seen.clear).verdict(now, now.wall)
        held, quiet = seen.breach.held_seconds, seen.quiet.quiet_seconds
        if seen.status is not BREACHED:
            seen.breached = seen.breached if seen.status is BLIND else None
        else:
            seen.breached = seen.breached or now
        began = seen.began, seen.breached
        return Sight(verdict, held, quiet, seen.since_undo, points, False, *began)  # noqa: FBT003  # of nobody else

    def recovered_since(self, rule: str, effect: Instant, now: Instant) -> CheckReading:
        """What the rule's memory would say of events after `effect`."""
        assert effect.steady <= now.steady
        return CheckReading(self.seen[rule].recovered, "events", now)

    def cost(self, rule: str, since: float) -> Cost:
        """What the rule's memory would say of the trouble since then."""
        assert since <= self.now.steady
        return self.seen[rule].cost

    def break_it(self, *rules: str, seconds: int = 5) -> None:
        """Clear first, so that nothing is already burning; then breached for long enough."""
        self.run(2, HEALTHY, *rules)
        self.run(seconds, BREACHED, *rules)

    # -- what the runner and custody tell ----------------------------------------------------------

    def end(self, outcome: e.Outcome = e.Outcome.DONE, intent: str = "") -> None:
        """The open intent ends so."""
        opened = self.book.intents[intent or next(iter(self.book.intents))].entry
        ended = e.IntentEnded(
            opened.intent,
            opened.episode,
            opened.action,
            opened.target,
            opened.direction,
            outcome,
            f"it is {outcome.value}",
            "enabled: false",
            0.1,
            self.now,
        )
        with self.draft() as draft:
            intent_ended(ended, self.policy, draft)
            change_ended(ended, self.policy, draft)

    def look(self, contained: Truth | None, recovered: Truth) -> None:
        """Every episode under verification is looked at once."""
        for ep in [x for x in self.book.open_episodes() if x.state is State.VERIFYING]:
            rule = self.policy.rule(ep.rule)
            rung = next_rung(rule, ep, self.policy) if rule is not None else None
            rung = rung or Rung(ep.action, Mode.ARMED, 20.0)
            readings = [] if contained is None else [CheckReading(contained, "status", self.now)]
            with self.draft() as draft:
                verify(
                    ep,
                    rung,
                    tuple(readings),
                    CheckReading(recovered, "events", self.now),
                    self.policy,
                    draft,
                )

    def drift(self, target: str = "flag:redemption", action: str = "pause") -> None:
        with self.draft() as draft:
            drifted(target, action, "enabled: true", draft)

    # -- what people do ----------------------------------------------------------------------------

    def hold(
        self, scope: Scope | None = None, *, for_seconds: float | None = None, silence: bool = False
    ) -> str:
        with self.draft() as draft:
            name = draft.book.next_id("H")
            until = None if for_seconds is None else self.now.plus(for_seconds)
            placed = scope or Scope("all")
            draft.add(e.HoldPlaced(name, placed, "migration", "alice", until, silence))
        return name

    def release(self, hold: str) -> None:
        with self.draft() as draft:
            draft.add(e.HoldEnded(hold, "alice", "done"))

    def deploy(
        self, target: str = "flag:redemption", *, for_seconds: float = 1200.0, change: str = "v2"
    ) -> str:
        """A pipeline says that it begins; why it may not, or ""."""
        with self.draft() as draft:
            refused = refusal(target, draft.book)
            if not refused:
                name, until = draft.book.deploys.next_name(), self.now.plus(for_seconds)
                draft.add(e.DeployBegan(name, target, "pipeline ci", until, change, id=name))
        return refused

    def deployed(
        self, target: str = "flag:redemption", outcome: DeployOutcome = DeployOutcome.OK
    ) -> None:
        with self.draft() as draft:
            name = draft.book.deploys.open[target].name
            draft.add(e.DeployEnded(name, target, outcome, "pipeline ci"))

    def act(self, ep: Episode, *, through_hold: bool = False) -> None:
        with self.draft() as draft:
            draft.add(e.EpisodeUnbarred(ep.id, "alice", "I looked", through_hold))

    def approve(
        self,
        who: str,
        ep: Episode | None = None,
        *,
        means: Means = Means.SOCKET,
        through_hold: bool = False,
    ) -> str:
        """Somebody says yes to what the newest episode asks for; what they are told."""
        ep = ep or self.episode
        request = self.book.requests.open.get(ep.id)
        asked = request.asked if request is not None else None
        given = ApprovalGiven(
            ep.id,
            asked.decision if asked else "",
            asked.action if asked else "",
            asked.plan if asked else "",
            who,
            f"{who} (uid 1000)",
            "I read the plan",
            means,
            through_hold,
        )
        statuses = {name: seen.status for name, seen in self.seen.items()}
        with self.draft() as draft:
            scene = Scene(self.policy, replace(self.facts, statuses=statuses), draft)
            refused = objection(given, scene)
            if refused:
                return f"refused: {refused}"
            rule = self.policy.rule(ep.rule)
            sight = self._sight(rule, self.seen[ep.rule]) if rule else None
            return approve(given, sight, scene).said

    def deny(self, who: str, ep: Episode | None = None) -> None:
        with self.draft() as draft:
            deny(ep or self.episode, f"{who} (uid 1000)", "not tonight", draft)

    def close(self, ep: Episode) -> None:
        with self.draft() as draft:
            draft.move(ep, Event.CLOSED, "settled", actor="alice")

    def undo(self, ep: Episode, *, outcome: e.Outcome = e.Outcome.DONE) -> None:
        """A person's undo of the newest thing that the episode rolled back."""
        self.end(outcome, self.begin_undo(ep))

    def begin_undo(self, ep: Episode) -> str:
        claim = self.book.claims_of(ep.id)[-1]
        with self.draft() as draft:
            name = draft.book.next_id("I")
            draft.add(
                e.IntentOpened(
                    name,
                    ep.id,
                    claim.action,
                    claim.target,
                    Direction.UNDO,
                    self.now.plus(10.0),
                    actor="alice",
                )
            )
        return name

    # -- what is asked of it -----------------------------------------------------------------------

    @property
    def episode(self) -> Episode:
        """The newest."""
        return self.book.episodes[f"E{self.book.counts['E']}"]

    def episode_is(self, state: State) -> bool:
        """As `is_now`, also before there was one."""
        return bool(self.book.episodes) and self.is_now(state)

    def is_now(self, state: State) -> bool:
        """Whether the newest episode is there."""
        return self.episode.state is state

    def of(self, kind: type[e.Entry]) -> list[e.Entry]:
        return [entry for _, entry in self.journal if isinstance(entry, kind)]

    @property
    def decisions(self) -> list[e.Decided]:
        return [x for x in self.of(e.Decided) if isinstance(x, e.Decided)]

    @property
    def started(self) -> list[e.IntentOpened]:
        """Automatic starts."""
        opened = [x for x in self.of(e.IntentOpened) if isinstance(x, e.IntentOpened)]
        return [x for x in opened if not x.actor]

    def moves(self) -> list[e.EpisodeMoved]:
        return [x for x in self.of(e.EpisodeMoved) if isinstance(x, e.EpisodeMoved)]

    @property
    def pages(self) -> list[e.Paged]:
        return [x for x in self.of(e.Paged) if isinstance(x, e.Paged)]

    def refolded(self) -> Book:
        """The book as a start-up would find it in the journal."""
        book = Book()
        for at, entry in self.journal:
            book.apply(entry, at)
        return book
