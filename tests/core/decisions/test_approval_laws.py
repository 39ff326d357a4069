"""Whoever says what in whatever order: nothing that asks is done without enough yeses to just that.

Breaches, people, texts, anchors, holds, clocks and restarts are drawn at random. What may be done
is accounted for by hand from what people said, and not by the book under test.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.core.decisions.watch import BLIND, BREACHED, HEALTHY, Watch, a_policy, a_rule, an_action
from watchdog.core import entries as e
from watchdog.core.approvals import ApprovalAsked, ApprovalGiven, Means
from watchdog.core.replay import replayed
from watchdog.core.spec import Limits, Policy, Rung, Step
from watchdog.core.states import State
from watchdog.core.trees import Anchor, RestoreSystem
from watchdog.core.words import Instant, Mode, Status, Truth

WITHIN = 15.0
PEOPLE = ("alice", "bob", "carol")
ASKING = {"config": 1, "system": 2}  # action -> how many must say yes
RESTORE = RestoreSystem("/backups/*.tar.gz", "/", ("mycelia-*",), 86400.0)


def policy(text: int, needed: int) -> Policy:
    actions = (
        an_action("config", "config:mainnet", sha256=f"config {text}"),
        an_action("system", "system:/", sha256=f"system {text}", do=Step(RESTORE, "ok")),
    )
    rungs = (
        Rung("config", Mode.APPROVE, 5.0, needed, WITHIN),
        Rung("system", Mode.APPROVE, 5.0, 2, WITHIN),
    )
    rules = (a_rule("errors", cooldown_seconds=0.0), a_rule("latency", cooldown_seconds=0.0))
    limits = Limits(1000, 86400.0, 5)
    return a_policy(*rules, actions=actions, playbooks={"ladder": rungs}, limits=limits)


@dataclass(slots=True)
class Asked:
    """One request by our own account."""

    entry: ApprovalAsked
    at: Instant
    meant: tuple[str, str, int]  # the action's text, the anchor, how many: as they stood then
    said: dict[str, float | None] = field(default_factory=dict)  # who -> when through holds
    used: bool = False


class Approving(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.text, self.needed, self.anchor = 1, 1, "a" * 64
        self.watch = Watch(policy(1, 1))
        self.asked: dict[str, Asked] = {}  # by decision
        self.newest: dict[str, Asked] = {}  # by episode
        self.read = 0
        self.learn_anchor("a" * 64)
        self.watch.run(2, HEALTHY)
        self.watch.run(4, BREACHED)
        self.account()

    # -- what happens ------------------------------------------------------------------------------

    @rule(status=st.sampled_from([HEALTHY, BLIND]))
    def metrics_show(self, status: Status) -> None:
        for seen in self.watch.seen.values():
            seen.status = status

    @rule(other=st.booleans())
    def people_come_to_be_asked(self, other: bool) -> None:  # noqa: FBT001  # drawn
        """Whatever was before is closed, let act, or climbed, until something waits for people."""
        rules = ("latency",) if other else ("errors", "latency")
        self.somebody_closes_what_is_latched()
        self.run(2, HEALTHY, *rules)
        self.run(5, BREACHED, *rules)
        for intent in list(self.watch.book.intents):
            self.watch.end(e.Outcome.FAILED, intent)
        self.somebody_lets_it_act()
        self.run(2, BREACHED, *rules)

    @rule(means=st.sampled_from(list(Means)))
    def the_first_step_fails_and_the_second_asks(self, means: Means) -> None:
        self.people_come_to_be_asked(other=False)
        self.everybody_asked_says_yes("carol", Means.SSH)
        self.people_come_to_be_asked(other=False)
        self.everybody_asked_says_yes("alice", means)

    def run(self, seconds: int, status: Status, *rules: str) -> None:
        for _ in range(seconds):
            self.watch.run(1, status, *rules)
            self.account()

    @rule(seconds=st.sampled_from([1, 3, 6, 16]))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.watch.run(1)
            self.account()

    @rule(
        who=st.sampled_from(PEOPLE),
        means=st.sampled_from(list(Means)),
        through=st.booleans(),
        number=st.integers(0, 1),
    )
    def somebody_says_yes(self, who: str, means: Means, through: bool, number: int) -> None:  # noqa: FBT001  # drawn
        waiting = [ep for ep in self.watch.book.open_episodes() if ep.state is State.AWAITING]
        for ep in waiting[number : number + 1]:
            self.watch.approve(who, ep, means=means, through_hold=through)
            self.account()

    @rule(who=st.sampled_from(PEOPLE), means=st.sampled_from(list(Means)))
    def everybody_asked_says_yes(self, who: str, means: Means) -> None:
        for number in (0, 1):
            for other in (who, *PEOPLE):
                self.somebody_says_yes(other, means, False, number)  # noqa: FBT003  # as drawn

    @rule(who=st.sampled_from(PEOPLE))
    def a_hold_comes_between_two_yeses(self, who: str) -> None:
        self.somebody_says_yes(who, Means.SSH, True, 0)  # noqa: FBT003  # as drawn
        self.time_passes(1)
        self.watch.hold(for_seconds=4.0)
        self.time_passes(1)
        self.everybody_asked_says_yes(who, Means.SSH)

    @rule(who=st.sampled_from(PEOPLE))
    def somebody_says_no(self, who: str) -> None:
        for ep in list(self.watch.book.open_episodes()):
            if ep.state is State.AWAITING:
                self.watch.deny(who, ep)
                return

    @rule()
    def somebody_lets_it_act(self) -> None:
        for ep in list(self.watch.book.open_episodes()):
            if ep.barred and ep.state in {State.PENDING, State.HELD}:
                self.watch.act(ep)

    @rule(text=st.integers(1, 2), needed=st.integers(1, 2))
    def another_text_is_applied(self, text: int, needed: int) -> None:
        self.text, self.needed = text, needed
        self.watch.policy = policy(text, needed)

    @rule(digest=st.sampled_from(["a" * 64, "b" * 64, ""]))
    def learn_anchor(self, digest: str) -> None:
        with self.watch.draft() as draft:
            for action in ASKING:
                anchor = Anchor(digest, 0.0) if digest else None
                ready = Truth.TRUE if digest else Truth.UNKNOWN
                draft.add(e.ReadinessChanged(action, ready, "looked", anchor))
        self.anchor = digest

    @rule()
    def somebody_holds(self) -> None:
        self.watch.hold(for_seconds=4.0)

    @rule()
    @precondition(lambda self: self.watch.book.holds)
    def somebody_releases(self) -> None:
        self.watch.release(next(iter(self.watch.book.holds)))

    @rule(outcome=st.sampled_from([e.Outcome.DONE, e.Outcome.FAILED, e.Outcome.ABANDONED]))
    @precondition(lambda self: self.watch.book.intents)
    def the_runner_tells(self, outcome: e.Outcome) -> None:
        self.watch.end(outcome)

    @rule(helped=st.sampled_from([Truth.FALSE, Truth.FALSE, Truth.TRUE]))
    def custody_looks(self, helped: Truth) -> None:
        self.watch.run(6)
        self.account()
        self.watch.look(helped, helped)

    @rule()
    def somebody_closes_what_is_latched(self) -> None:
        for ep in list(self.watch.book.open_episodes()):
            if ep.state is State.LATCHED:
                self.watch.close(ep)

    @rule(hours=st.sampled_from([-25.0, 25.0]))
    def the_wall_clock_steps(self, hours: float) -> None:
        now = self.watch.now
        self.watch.now = Instant(now.wall + hours * 3600.0, now.steady)

    @rule()
    def the_process_dies_and_comes_back(self) -> None:
        self.watch.book = self.watch.refolded()

    # -- an account that trusts nobody -------------------------------------------------------------

    def account(self) -> None:
        new = self.watch.journal[self.read :]
        self.read = len(self.watch.journal)
        for at, entry in new:
            match entry:
                case ApprovalAsked():
                    found = Asked(entry, at, self.meaning(entry.action))
                    assert entry.decision not in self.asked, "each request is of its own decision"
                    self.asked[entry.decision] = self.newest[entry.episode] = found
                case ApprovalGiven():
                    self.said(at, entry)
                case e.IntentOpened():
                    self.a_start_was_approved(at, entry)
                case _:
                    pass

    def meaning(self, action: str) -> tuple[str, str, int]:
        needed = self.needed if action == "config" else ASKING["system"]
        return f"{action} {self.text}", self.anchor, needed

    def said(self, at: Instant, given: ApprovalGiven) -> None:
        """What counts: by signature for a system, and not from who asked. Who has given it says by
        any means that it shall be done through a hold.
        """
        request = self.asked[given.decision]
        signed = given.action != "system" or given.means is Means.SSH
        counts = signed or given.who in request.said
        if counts and given.who != request.entry.requester:
            before = request.said.get(given.who)
            request.said[given.who] = at.steady if given.through_hold else before

    def a_start_was_approved(self, at: Instant, intent: e.IntentOpened) -> None:
        request = self.newest[intent.episode]
        text, anchor, needed = request.meant
        assert intent.approved_by, "no step here is automatic"
        assert set(intent.approved_by) == set(request.said)
        assert len(request.said) >= needed
        assert not request.used, "once"
        request.used = True
        assert at.steady - request.at.steady < WITHIN
        assert (text, anchor, needed) == self.meaning(intent.action), "it is what they approved"
        assert anchor, "nothing is restored that is not known"
        assert self.watch.seen[self.watch.book.episodes[intent.episode].rule].status is BREACHED
        newest = max((h.placed.steady for h in self.watch.book.standing_holds(at)), default=None)
        through = [said for said in request.said.values() if said is not None]
        ep = self.watch.book.episodes[intent.episode]
        through += [ep.unbarred_at.steady] if ep.through_hold and ep.unbarred_at else []
        assert newest is None or any(said >= newest for said in through)

    @invariant()
    def the_journal_alone_gives_the_same_book(self) -> None:
        if hasattr(self, "watch"):
            assert self.watch.refolded() == self.watch.book

    @invariant()
    def only_who_waits_is_asked_for(self) -> None:
        if hasattr(self, "watch"):
            book = self.watch.book
            states = {name: book.episodes[name].state for name in book.requests.open}
            assert set(states.values()) <= {State.AWAITING}

    def teardown(self) -> None:
        if hasattr(self, "watch"):
            assert {d.decision: replayed(d) for d in self.watch.decisions if replayed(d)} == {}


TestApproving = Approving.TestCase
TestApproving.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_machine_reaches_approved_starts_of_both_steps() -> None:
    """Else the laws above would hold of nothing."""
    machine = Approving()
    machine.begin()
    machine.everybody_asked_says_yes("bob", Means.SSH)
    machine.the_first_step_fails_and_the_second_asks(Means.SSH)
    assert {one.entry.action for one in machine.asked.values() if one.used} == set(ASKING)
