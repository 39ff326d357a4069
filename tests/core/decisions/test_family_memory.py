"""What a family remembers: over a restart, over a change of the rules, and what it has earned."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from tests.core.decisions.test_families import HIGH, LOW, NOON, PROM, USED, Night, name, saturated
from tests.core.decisions.watch import a_policy
from watchdog.core import entries as e
from watchdog.core import promotion
from watchdog.core.book import Book
from watchdog.core.draft import Draft
from watchdog.core.evaluation import Evaluation
from watchdog.core.inputs import Facts, earned_limit
from watchdog.core.memory import Memory
from watchdog.core.promotions import RuleTested
from watchdog.core.samples import Answer, Point, Reading
from watchdog.core.spec import (
    PRESENT,
    Bound,
    BurnPair,
    Counters,
    Liveness,
    Policy,
    RatioThreshold,
    RuleSpec,
    Slo,
    ValueThreshold,
)
from watchdog.core.states import State
from watchdog.core.words import Instant, Mode, Status, Truth
from watchdog.engine.retention import snapshot


class Watch:
    """A memory and a book that can be taken up again; a reading a second."""

    def __init__(
        self, policy: Policy, book: Book | None = None, memory: Memory | None = None
    ) -> None:
        self.policy = policy
        self.book = book or Book()
        self.memory = memory or Memory()
        self.memory.adopt(policy)
        self.evaluation = Evaluation(self.memory, self.facts)
        self.log: list[e.Entry] = []
        self.shadow_seconds: float | None = None

    def facts(self) -> Facts:
        return Facts(
            "sandbox", "here", Mode.ARMED, None, self.memory.statuses(), self.shadow_seconds
        )

    def at(self, second: float, answers: dict[str, Answer]) -> None:
        now = NOON.plus(second)
        draft = Draft(self.book, now)
        self.evaluation.on_reading(Reading("prom", now, 0.0, answers=answers), self.policy, draft)
        self.log += draft.entries

    def add(self, *entries: e.Entry, second: float = 0.0) -> None:
        for entry in entries:
            self.book.apply(entry, NOON.plus(second))
            self.log.append(entry)

    def used(self, second: float, **used: float) -> None:
        points = tuple(Point((("db", db),), value) for db, value in used.items())
        self.at(second, {USED: Answer(points, NOON.plus(second).wall)})

    def status(self, rule: str) -> Status | None:
        verdict = self.memory.verdict(rule)
        return verdict.status if verdict is not None else None

    def restarted(self, *, checkpoint: bool = True, policy: Policy | None = None) -> Watch:
        """The next process: the book folded from the snapshot, the windows from the checkpoint."""
        again = Watch(policy or self.policy, TypeAdapter(Book).validate_json(snapshot(self.book)))
        if checkpoint:
            assert again.memory.restore(self.memory.checkpoint()) == ()
        return again


def policy(rule: RuleSpec) -> Policy:
    return replace(a_policy(rule), sources={"prom": PROM})


def started() -> Watch:
    watch = Watch(policy(saturated()))
    watch.add(
        e.Started("0", "here", "boot", "sandbox", "armed", 0.0),
        e.ReadinessChanged("pause", Truth.TRUE, "ready"),
    )
    return watch


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_restart_makes_nobody_new_and_forgets_nobody(*, checkpoint: bool) -> None:
    watch = started()
    for second in range(1, 4):
        watch.used(second, orders=LOW, users=LOW)
    watch.used(4, orders=HIGH, users=LOW)
    again = watch.restarted(checkpoint=checkpoint)
    again.add(e.Started("0", "here", "boot", "sandbox", "armed", 2.0), second=6)
    for second in range(6, 11):
        again.used(second, orders=HIGH)
    assert not [one for one in again.log if isinstance(one, e.MemberTaken)]
    assert again.book.open_episode(name("orders")).state is State.ACTING  # type: ignore[union-attr]  # it is open
    assert again.status(name("users")) is Status.BLIND
    (opened,) = [one for one in watch.log if isinstance(one, e.EpisodeOpened)]
    assert again.book.open_episode(name("orders")).id == opened.episode  # type: ignore[union-attr]  # as above


def test_a_for_clock_goes_on_over_a_restart() -> None:
    watch = started()
    watch.used(1, orders=LOW)
    for second in range(2, 5):
        watch.used(second, orders=HIGH)
    again = watch.restarted()
    assert again.memory.of(name("orders")).breach == watch.memory.of(name("orders")).breach  # type: ignore[union-attr]  # both are there


def test_other_labels_make_other_members_and_what_is_open_is_closed_by_a_person() -> None:
    watch = started()
    watch.used(1, orders=LOW)
    watch.used(2, orders=HIGH)
    changed = policy(replace(saturated(), each=("db", "host"), sha256="another"))
    assert changed.rule(name("orders")) is None, "so that `close` takes its episode for an orphan's"
    again = watch.restarted(policy=changed)
    point = Point((("db", "orders"), ("host", "a")), HIGH)
    again.at(3, {USED: Answer((point,), NOON.plus(3).wall)})
    assert list(again.memory.families["saturated"].members) == ['saturated{db="orders", host="a"}']
    assert again.book.open_episode(name("orders")) is not None
    assert [one.reason for one in again.log if isinstance(one, e.MemberRetired)] == [
        "the rule has other labels now"
    ]


def test_a_rule_that_is_removed_takes_its_members_along() -> None:
    watch = started()
    watch.used(1, orders=LOW)
    watch.add(e.PolicyApplied("x", (), "alice", removed=("saturated",)))
    assert watch.book.members.of("saturated") == {}


def test_arming_a_family_makes_every_member_wait_until_it_was_clear() -> None:
    watch = started()
    for second in range(1, 4):
        watch.used(second, orders=LOW, users=LOW)
    watch.used(4, orders=HIGH, users=LOW)
    watch.add(e.PolicyApplied("x", (), "alice", rearmed=("saturated",)))
    assert name("users") not in watch.book.cleared
    assert watch.book.open_episode(name("orders")).barred.startswith("already burning")  # type: ignore[union-attr]  # it is open


# -- kinds -----------------------------------------------------------------------------------------


def test_where_presence_is_asked_a_newcomer_was_clear_and_gone_is_health() -> None:
    asked = ValueThreshold("full > 5", Bound(PRESENT, 0.0, PRESENT))
    watch = Watch(policy(replace(saturated(), signal=asked)))
    watch.add(
        e.Started("0", "here", "boot", "sandbox", "armed", 0.0),
        e.ReadinessChanged("pause", Truth.TRUE, "ready"),
    )

    def shows(second: float, *disks: str) -> None:
        points = tuple(Point((("db", disk),), 9.0) for disk in disks)
        watch.at(second, {"full > 5": Answer(points, NOON.plus(second).wall)})

    shows(1)
    assert watch.status("saturated") is Status.HEALTHY
    for second in range(2, 7):
        shows(second, "a")
    assert watch.book.open_episode(name("a")).state is State.ACTING  # type: ignore[union-attr]  # it is open
    shows(7, "b")
    assert watch.status(name("a")) is Status.HEALTHY
    assert watch.status("saturated") is Status.BREACHED


def test_a_newcomer_of_presence_that_the_first_look_shows_is_already_burning() -> None:
    asked = ValueThreshold("full > 5", Bound(PRESENT, 0.0, PRESENT))
    watch = Watch(policy(replace(saturated(), signal=asked)))
    for second in range(1, 7):
        answer = Answer((Point((("db", "a"),), 9.0),), NOON.plus(second).wall)
        watch.at(second, {"full > 5": answer})
    assert watch.book.open_episode(name("a")).barred.startswith("already burning")  # type: ignore[union-attr]  # it is open


COUNTED = Counters("bad_total", "all_total")
RATIO = RatioThreshold(COUNTED, 5.0, Bound(">", 0.1, "> 10%"))
OBJECTIVE = Slo(COUNTED, 0.9, 600.0, (BurnPair(0.05, 10.0, 5.0, 3.0),))


@pytest.mark.parametrize("signal", [RATIO, OBJECTIVE])
def test_counters_are_counted_for_each_label_set(signal: RatioThreshold | Slo) -> None:
    watch = Watch(policy(replace(saturated(), signal=signal, kind="slo")))

    def counts(second: float, **failing: float) -> None:
        now = NOON.plus(second).wall
        bad = tuple(Point((("db", db),), share * second, now) for db, share in failing.items())
        whole = tuple(
            Point((("db", db), ("code", code)), 50.0 * second, now)
            for db in failing
            for code in ("200", "500")
        )
        watch.at(second, {"bad_total": Answer(bad, now), "all_total": Answer(whole, now)})

    for second in range(1, 15):
        counts(second, orders=0.0, users=50.0)
    assert watch.status(name("orders")) is Status.HEALTHY
    assert watch.status(name("users")) is Status.BREACHED
    before = watch.memory.of(name("users"))
    again = watch.restarted()
    after = again.memory.of(name("users"))
    assert before is not None
    assert after is not None
    assert after.judge.checkpoint() == before.judge.checkpoint()


def test_liveness_tells_instances_apart() -> None:
    watch = Watch(policy(replace(saturated(), signal=Liveness("up"), kind="liveness")))
    points = tuple(
        Point((("db", db), ("instance", one)), up)
        for db, one, up in (("orders", "a", 1.0), ("orders", "b", 0.0), ("users", "c", 1.0))
    )
    watch.at(1, {"up": Answer(points, NOON.plus(1).wall)})
    assert watch.status(name("orders")) is Status.BREACHED
    assert watch.status(name("users")) is Status.HEALTHY


def test_what_breaks_while_an_answer_is_told_apart_blinds_the_family_alone() -> None:
    watch = started()
    watch.used(1, orders=LOW)
    watch.at(2, {USED: Answer(None, NOON.plus(2).wall)})  # type: ignore[arg-type]  # that is the bug
    assert watch.status("saturated") is Status.BLIND
    assert watch.status(name("orders")) is Status.BLIND
    assert "TypeError" in watch.evaluation.failures["saturated"]
    watch.used(3, orders=LOW)
    assert watch.status("saturated") is Status.HEALTHY
    assert not watch.evaluation.failures


# -- what it earns ---------------------------------------------------------------------------------


def test_what_members_would_do_counts_for_the_family() -> None:
    watch = Watch(policy(saturated(mode=Mode.SHADOW)))
    watch.add(
        e.Started("0", "here", "boot", "sandbox", "armed", 0.0),
        e.ReadinessChanged("pause", Truth.TRUE, "ready"),
    )
    for second in range(1, 4):
        watch.used(second, orders=LOW, users=LOW)
    for second in range(4, 10):
        watch.used(second, orders=HIGH, users=LOW)
    (evidence,) = watch.book.merits.evidence.values()
    assert evidence.rule == "saturated"
    assert [act.episode for act in evidence.would_acts] == ["E1"]
    watch.add(e.Marked("E1", "explained", "alice", "a load test"), second=10)
    (evidence,) = watch.book.merits.evidence.values()
    assert evidence.would_acts[0].explained
    assert evidence.clean_seconds(NOON.plus(10)) == pytest.approx(9.0)


def test_a_family_rises_while_it_is_healthy_and_falls_by_one_member() -> None:
    rule = saturated()
    watch = Watch(policy(rule))
    watch.shadow_seconds = 5.0
    watch.add(
        e.Started("0", "here", "boot", "sandbox", "armed", 0.0),
        e.ReadinessChanged("pause", Truth.TRUE, "ready"),
        RuleTested("saturated", rule.proof, True, "3 checks", "alice"),  # noqa: FBT003  # passed
    )
    for second in range(1, 9):
        watch.used(second, orders=LOW, users=LOW)
    evidence = watch.book.merits.evidence[rule.proof]
    assert evidence.promoted is not None
    for second in range(9, 11):
        watch.used(second, orders=LOW, users=LOW)
    for second in range(11, 18):
        watch.used(second, orders=LOW, users=HIGH)
    ep = watch.book.open_episode(name("users"))
    assert ep is not None
    assert ep.state is State.ACTING
    intent = watch.book.intents[ep.intent].entry
    ended = e.IntentEnded(
        intent.intent, ep.id, "pause", intent.target, intent.direction, e.Outcome.DONE, "", "", 1.0
    )
    draft = Draft(watch.book, NOON.plus(18))
    draft.add(ended)
    promotion.marked(ep, "false", watch.policy.rule(ep.rule), "alice", draft)
    assert "saturated" in watch.book.merits.falls
    other = watch.policy.rule(name("orders"))
    assert other is not None
    limit = earned_limit(other, watch.book, watch.facts())
    assert limit is not None
    assert limit.mode is Mode.SHADOW, "all of the family keep to shadow"


def test_time_passes_for_members_too() -> None:
    night = Night()
    night.goes_on(3, orders=LOW)
    for second in range(4, 10):
        night.rehearsal.tick(Instant(NOON.wall + second, NOON.steady + second))
    assert night.status(name("orders")) is Status.BLIND, "its newest sample is stale"
    assert night.status("saturated") is Status.BLIND
