"""Whatever happens in whatever order: what must never happen does not.

Verdicts, outcomes, readings, holds, people, clocks that step and processes that die are drawn at
random. The target is simulated and counts for itself; it does not believe the journal. Checked
after every step are the properties at the end of FAULTS that concern deciding.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.core.decisions.watch import (
    BLIND,
    BREACHED,
    FOR_SECONDS,
    HEALTHY,
    Watch,
    a_policy,
    a_rule,
    an_action,
)
from watchdog.core import entries as e
from watchdog.core.episode import TABLE
from watchdog.core.replay import replayed
from watchdog.core.spec import Limits, Rung, Scope
from watchdog.core.states import Event, State
from watchdog.core.words import Instant, Mode, Status, Truth, World

COOLDOWN, BUDGET, BUDGET_SECONDS, BLAST = 40.0, 3, 300.0, 2
FLAG, CONFIG, MINT = "flag:redemption", "config:mainnet", "flag:mint"
RULES = ("errors", "latency", "mint", "shadowy")
LADDERS = {
    "ladder": (Rung("pause", Mode.ARMED, 10.0), Rung("restore", Mode.ARMED, 10.0)),
    "mint": (Rung("pause-mint", Mode.ARMED, 10.0), Rung("restore", Mode.SHADOW, 10.0)),
}
SCOPES = st.sampled_from(
    [Scope("all"), Scope("owner", "team"), Scope("rule", "errors"), Scope("target", FLAG)]
)
STATUSES = st.sampled_from([HEALTHY, BREACHED, BREACHED, BLIND])
TRUTHS = st.sampled_from(list(Truth))


def world() -> Watch:
    rules = (
        a_rule("errors", cooldown_seconds=COOLDOWN),
        a_rule("latency", cooldown_seconds=COOLDOWN, keep_firing_seconds=2.0),
        a_rule("mint", cooldown_seconds=COOLDOWN, playbook="mint"),
        a_rule("shadowy", cooldown_seconds=COOLDOWN, mode=Mode.SHADOW),
    )
    actions = (
        an_action("pause", FLAG),
        an_action("restore", CONFIG),
        an_action("pause-mint", MINT),
    )
    limits = Limits(BUDGET, BUDGET_SECONDS, BLAST)
    return Watch(a_policy(*rules, actions=actions, playbooks=LADDERS, limits=limits))


class Safety(RuleBasedStateMachine):
    """One watch, its metrics, its target, and the people around it."""

    @initialize()
    def begin(self) -> None:
        self.watch = world()
        self.true_seconds = dict.fromkeys(RULES, 0.0)  # an account of its own of valid breach
        self.last_seen: dict[str, tuple[Status, float]] = {}
        self.changes: Counter[tuple[str, int, str]] = Counter()
        self.starts: list[tuple[float, str, str, bool]] = []  # steady, rule, action, reopened
        self.read = 0
        self.held_from_open: set[str] = set()
        self.watch.run(2, HEALTHY)
        self.look_at_journal()

    # -- what happens ------------------------------------------------------------------------------

    @rule(status=STATUSES, names=st.sets(st.sampled_from(RULES), min_size=1), clear=st.booleans())
    def metrics_change(self, status: Status, names: set[str], clear: bool) -> None:  # noqa: FBT001  # drawn
        for name in names:
            self.watch.seen[name].status = status
            self.watch.seen[name].clear = clear

    @rule(seconds=st.sampled_from([1, 1, 2, 4, 6]))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            before = {n: self.watch.book.open_episode(n) for n in RULES}
            states = {n: ep.state for n, ep in before.items() if ep}
            self.watch.run(1)
            self.account()
            self.blind_moved_nothing(states)
            self.look_at_journal()

    @rule(name=st.sampled_from(RULES[:3]), seconds=st.sampled_from([5, 8]))
    def a_breach_lasts(self, name: str, seconds: int) -> None:
        self.metrics_change(BREACHED, {name}, clear=True)
        self.time_passes(seconds)

    @rule(seconds=st.sampled_from([2, 6, 22]), status=st.sampled_from([HEALTHY, HEALTHY, BLIND]))
    def nothing_breaches_for_a_while(self, seconds: int, status: Status) -> None:
        self.metrics_change(status, set(RULES), clear=True)
        self.time_passes(seconds)

    @rule(helps=st.booleans())
    @precondition(lambda self: self.watch.book.intents)
    def an_action_takes_effect(self, helps: bool) -> None:  # noqa: FBT001  # drawn
        self.the_runner_tells(e.Outcome.DONE, applied=True)
        self.time_passes(1 if helps else 10)
        self.custody_looks(Truth.of(helps), Truth.of(helps))

    @rule(outcome=st.sampled_from(list(e.Outcome)), applied=st.booleans())
    @precondition(lambda self: self.watch.book.intents)
    def the_runner_tells(self, outcome: e.Outcome, applied: bool) -> None:  # noqa: FBT001  # drawn
        intent = next(iter(self.watch.book.intents.values())).entry
        may_have = outcome in {e.Outcome.FAILED, e.Outcome.UNKNOWN} and applied
        if outcome is e.Outcome.DONE or may_have:
            ep = self.watch.book.episodes[intent.episode]
            if intent.direction.value == "do":
                self.changes[intent.episode, ep.rung, intent.target] += 1
        self.watch.end(outcome, intent.intent)

    @rule(contained=TRUTHS, recovered=TRUTHS)
    def custody_looks(self, contained: Truth, recovered: Truth) -> None:
        self.watch.look(contained, recovered)

    @rule(name=st.sampled_from(RULES), since=TRUTHS)
    def events_after_the_undo_say(self, name: str, since: Truth) -> None:
        self.watch.seen[name].since_undo = since

    @rule(scope=SCOPES, seconds=st.sampled_from([None, 3.0, 30.0]), silence=st.booleans())
    def somebody_holds(self, scope: Scope, seconds: float | None, silence: bool) -> None:  # noqa: FBT001  # drawn
        self.watch.hold(scope, for_seconds=seconds, silence=silence)

    @rule()
    @precondition(lambda self: self.watch.book.holds)
    def somebody_releases(self) -> None:
        self.watch.release(next(iter(self.watch.book.holds)))

    @rule(through=st.booleans())
    @precondition(lambda self: any(ep.barred for ep in self.watch.book.open_episodes()))
    def somebody_says_act(self, through: bool) -> None:  # noqa: FBT001  # drawn
        ep = next(ep for ep in self.watch.book.open_episodes() if ep.barred)
        if ep.state in {State.PENDING, State.HELD}:
            self.watch.act(ep, through_hold=through)

    @rule()
    def somebody_closes_what_is_latched(self) -> None:
        for ep in list(self.watch.book.open_episodes()):
            if ep.state is State.LATCHED:
                self.watch.close(ep)

    @rule(outcome=st.sampled_from(list(e.Outcome)))
    def somebody_undoes(self, outcome: e.Outcome) -> None:
        for ep in list(self.watch.book.open_episodes()):
            claims = self.watch.book.claims_of(ep.id)
            free = not self.watch.book.intents
            if claims and free and ep.state is not State.ACTING:
                self.watch.undo(ep, outcome=outcome)
                return

    @rule(name=st.sampled_from([FLAG, CONFIG, MINT]))
    def somebody_else_changes_it(self, name: str) -> None:
        if self.watch.book.claims.get(name) and not self.watch.book.intents:
            self.watch.drift(name, self.watch.book.claimants(name)[0].action)

    @rule(hours=st.sampled_from([-25.0, -1.0, 1.0, 25.0]))
    def the_wall_clock_steps(self, hours: float) -> None:
        now = self.watch.now
        self.watch.now = Instant(now.wall + hours * 3600.0, now.steady)

    @rule(down=st.sampled_from([2.0, 3600.0]), settled=st.sampled_from(["", "done", "abandoned"]))
    def the_process_dies_and_comes_back(self, down: float, settled: str) -> None:
        """Book from the journal alone; clocks from the checkpoint; open intents settled or not."""
        watch = self.watch
        watch.book = watch.refolded()
        watch.now = watch.now.plus(down)
        with watch.draft() as draft:
            draft.add(e.Started("0", "here", "boot", "sandbox", "armed", down))
        for intent in list(watch.book.intents) if settled else []:
            opened = watch.book.intents[intent].entry
            if settled == "done" and opened.direction.value == "do":
                ep = watch.book.episodes[opened.episode]
                self.changes[opened.episode, ep.rung, opened.target] += 1
            watch.end(e.Outcome(settled), intent)

    # -- accounts that trust nobody ----------------------------------------------------------------

    def account(self) -> None:
        """Seconds of valid breach, counted without the clock under test, and never too few."""
        now = self.watch.now.steady
        for name in RULES:
            status = self.watch.seen[name].status
            was, at = self.last_seen.get(name, (HEALTHY, now))
            if status is HEALTHY:
                self.true_seconds[name] = 0.0
            elif status is BREACHED and was is BREACHED and now - at <= 2.1:
                self.true_seconds[name] += now - at
            self.last_seen[name] = (status, now)

    def blind_moved_nothing(self, states: dict[str, State]) -> None:
        for name, state in states.items():
            ep = self.watch.book.open_episode(name)
            if self.watch.seen[name].status is BLIND:
                assert ep is not None
                assert ep.state is state

    def look_at_journal(self) -> None:
        """Each new automatic start, against what the world was like when it was decided."""
        new = self.watch.journal[self.read :]
        self.read = len(self.watch.journal)
        for at, entry in new:
            if isinstance(entry, e.IntentOpened) and not entry.actor:
                self.a_start_was_right(at, entry)

    def a_start_was_right(self, at: Instant, intent: e.IntentOpened) -> None:
        watch = self.watch
        ep = watch.book.episodes[intent.episode]
        decided = next(d for d in watch.decisions if d.decision == intent.decision)
        assert decided.ruling is e.Ruling.ALLOWED
        assert ep.world is World.LIVE
        assert watch.seen[ep.rule].status is BREACHED
        assert self.true_seconds[ep.rule] >= FOR_SECONDS - 1e-6
        covered = any(
            hold.scope.covers(owner="team", rule=ep.rule, target=intent.target)
            for hold in watch.book.standing_holds(at)
        )
        assert not covered or ep.through_hold
        others = [i for i in watch.book.intents.values() if i.entry.target == intent.target]
        assert len(others) == 1
        earlier = [s for s in self.starts if (s[1], s[2]) == (ep.rule, intent.action)]
        if earlier and not ep.reopens:
            assert at.steady - earlier[-1][0] >= COOLDOWN or not self.counted(earlier[-1])
        self.starts.append((at.steady, ep.rule, intent.action, bool(ep.reopens)))

    def counted(self, start: tuple[float, str, str, bool]) -> bool:
        """An abandoned start is none; the book forgets it, and so do cooldown and budget."""
        return any((a.at.steady, a.rule, a.action) == start[:3] for a in self.watch.book.acted)

    # -- what always holds -------------------------------------------------------------------------

    @invariant()
    def at_most_one_effect_of_an_episode_rung_and_target(self) -> None:
        assert all(count == 1 for count in self.changes.values()), self.changes

    @invariant()
    def the_budget_holds(self) -> None:
        counted = [a for a in self.watch.book.acted if a.world is World.LIVE and not a.found]
        live = [a.at.steady for a in counted]
        for first, fourth in zip(live, live[BUDGET:], strict=False):
            assert fourth - first >= BUDGET_SECONDS

    @invariant()
    def only_edges_of_the_table(self) -> None:
        at: dict[str, State] = {}
        for move in self.watch.moves():
            assert at.get(move.episode, State.OK) is move.before
            assert TABLE[move.before, move.event] is move.after
            at[move.episode] = move.after
            if move.before is State.LATCHED and move.after is State.OK:
                assert move.event is Event.CLOSED
                assert move.actor

    @invariant()
    def between_two_actions_stands_a_proven_failure(self) -> None:
        trail: dict[str, list[Event]] = {}
        for move in self.watch.moves():
            trail.setdefault(move.episode, []).append(move.event)
        for events in trail.values():
            allowed = [n for n, event in enumerate(events) if event is Event.ALLOWED]
            for one, other in pairwise(allowed):
                between = set(events[one:other])
                assert Event.CLIMB in between or Event.ABANDONED in between

    @invariant()
    def the_journal_alone_gives_the_same_book(self) -> None:
        assert self.watch.refolded() == self.watch.book

    @invariant()
    def shadow_has_no_effects(self) -> None:
        for intent in self.watch.started:
            assert self.watch.book.episodes[intent.episode].world is World.LIVE
        for held in self.watch.book.claims.values():
            for episode in held:
                assert self.watch.book.episodes[episode].world is World.LIVE

    @invariant()
    def a_refusal_is_recorded_once_per_episode_and_reason(self) -> None:
        """Once on each way into HELD by a failed rung or an abandoned start, that is."""
        afresh = Counter(
            move.episode
            for move in self.watch.moves()
            if move.event in {Event.CLIMB, Event.ABANDONED}
        )
        told = Counter(
            (d.episode, d.reason) for d in self.watch.decisions if d.ruling is e.Ruling.REFUSED
        )
        assert all(count <= 1 + afresh[episode] for (episode, _), count in told.items())

    @invariant()
    def one_open_episode_of_a_rule(self) -> None:
        open_now = Counter(ep.rule for ep in self.watch.book.open_episodes())
        assert all(count == 1 for count in open_now.values())

    @invariant()
    def chains_end(self) -> None:
        assert all(ep.chain <= 2 for ep in self.watch.book.episodes.values())

    def teardown(self) -> None:
        if hasattr(self, "watch"):
            assert {d.decision: replayed(d) for d in self.watch.decisions if replayed(d)} == {}


TestSafety = Safety.TestCase
TestSafety.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
