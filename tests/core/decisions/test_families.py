"""A rule with `each`: one question, and for each label set a verdict and an episode of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.decisions.watch import a_policy, a_rule, an_action
from watchdog.core import entries as e
from watchdog.core.replay import replayed
from watchdog.core.samples import Answer, Failure, Fault, Point, Reading
from watchdog.core.spec import (
    Bound,
    Check,
    Endpoint,
    Policy,
    PrometheusApi,
    RuleSpec,
    Scope,
    SourceSpec,
    ValueThreshold,
)
from watchdog.core.states import State
from watchdog.core.words import Blind, Instant, Mode, Status
from watchdog.lab.rehearsal import Rehearsal
from watchdog.store.codec import decode, encode

NOON = Instant(1_790_000_000.0, 1000.0)
PROM = SourceSpec("prom", 1.0, 1.0, 1 << 20, 100, PrometheusApi(Endpoint("http://prom"), 1.0))
USED = "max by (db) (used)"
HIGH, LOW = 0.95, 0.2


def saturated(**different: object) -> RuleSpec:
    return replace(
        a_rule("saturated"),
        source="prom",
        signal=ValueThreshold(USED, Bound(">", 0.9, "> 90%")),
        each=("db",),
        limit=3,
        page_after_seconds=10.0,
        **different,  # type: ignore[arg-type]  # fields by name
    )


def policy(*rules: RuleSpec) -> Policy:
    pause = an_action(contained_when=(Check(Endpoint("http://app"), "paused"),))
    return replace(a_policy(*(rules or (saturated(),)), actions=(pause,)), sources={"prom": PROM})


def name(db: str) -> str:
    return f'saturated{{db="{db}"}}'


class Night:
    """A poll a second."""

    def __init__(self, rules: Policy | None = None) -> None:
        self.policy = rules or policy()
        self.rehearsal = Rehearsal(self.policy, NOON)
        self.second = 0.0

    def goes_on(self, seconds: int, **used: float) -> None:
        """For so long these databases show these shares, and no others are there."""
        points = tuple(Point((("db", db),), value) for db, value in used.items())
        for _ in range(seconds):
            self._feed(points)

    def shows(self, *points: Point) -> None:
        self._feed(points)

    def fails(self, seconds: int) -> None:
        for _ in range(seconds):
            at = self._now()
            failure = Failure(Fault.PROVIDER, Blind.UNREACHABLE, "connection refused")
            self.rehearsal.feed(Reading("prom", at, 0.0, failure=failure))

    def _feed(self, points: tuple[Point, ...]) -> None:
        at = self._now()
        missing = () if points else ("used",)
        answer = Answer(points, at.wall if points else None, missing)
        self.rehearsal.feed(Reading("prom", at, 0.0, answers={USED: answer}))

    def _now(self) -> Instant:
        self.second += 1.0
        return NOON.plus(self.second)

    def status(self, rule: str) -> Status:
        verdict = self.rehearsal.memory.verdict(rule)
        assert verdict is not None, rule
        return verdict.status

    def reason(self, rule: str) -> str:
        verdict = self.rehearsal.memory.verdict(rule)
        return verdict.reason if verdict is not None else ""

    def state(self, rule: str) -> State:
        ep = self.rehearsal.book.open_episode(rule)
        return ep.state if ep is not None else State.OK

    def pages(self) -> list[str]:
        return [r.entry.title for r in self.rehearsal.log if isinstance(r.entry, e.Paged)]

    def entries(self, kind: type[e.Entry]) -> list[e.Entry]:
        return [r.entry for r in self.rehearsal.log if isinstance(r.entry, kind)]


def test_each_database_has_its_own_verdict_and_its_own_episode() -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW, stock=LOW)
    night.goes_on(6, orders=HIGH, users=HIGH, stock=LOW)
    assert night.status(name("stock")) is Status.HEALTHY
    assert night.status("saturated") is Status.BREACHED
    assert 'db="orders"; db="users"' in night.reason("saturated")
    opened = night.entries(e.EpisodeOpened)
    assert [one.rule for one in opened] == [name("orders"), name("users")]  # type: ignore[union-attr]  # of that kind
    assert night.state(name("orders")) is State.CONTAINED
    assert night.state("saturated") is State.OK, "the family has no episode"


def test_one_recovers_while_another_goes_on() -> None:
    night = Night(policy(saturated(mode=Mode.OBSERVE, playbook=None)))
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(5, orders=HIGH, users=HIGH)
    night.goes_on(2, orders=LOW, users=HIGH)
    assert night.state(name("orders")) is State.OK
    assert night.state(name("users")) is State.HELD
    assert night.status("saturated") is Status.BREACHED
    night.goes_on(2, orders=LOW, users=LOW)
    assert night.status("saturated") is Status.HEALTHY


def test_one_first_seen_breached_must_be_once_clear_before_it_acts() -> None:
    night = Night()
    night.goes_on(5, orders=LOW)
    night.goes_on(6, orders=LOW, users=HIGH)
    assert night.state(name("users")) is State.HELD
    assert "already burning" in night.rehearsal.book.open_of("saturated")[0].barred
    night.goes_on(2, orders=LOW, users=LOW)
    night.goes_on(6, orders=LOW, users=HIGH)
    assert night.state(name("users")) is State.CONTAINED


def test_one_that_vanishes_is_blind_by_name_and_people_are_told_once() -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(11, orders=LOW)
    assert night.status(name("users")) is Status.BLIND
    assert night.reason(name("users")) == f'db="users" is not there: {USED} gives others'
    assert night.status("saturated") is Status.BLIND
    (page,) = night.pages()
    assert page.startswith(f"{name('users')} is blind")


def test_blindness_ends_no_episode_of_one_that_vanished() -> None:
    night = Night(policy(saturated(mode=Mode.OBSERVE, playbook=None)))
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(5, orders=LOW, users=HIGH)
    night.goes_on(60, orders=LOW)
    assert night.state(name("users")) is State.HELD, "kept for as long as its episode is open"
    night.goes_on(2, orders=LOW, users=LOW)
    assert night.state(name("users")) is State.OK


def test_one_that_is_gone_for_long_is_retired_and_new_when_it_returns() -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(15, orders=LOW)
    (retired,) = night.entries(e.MemberRetired)
    assert isinstance(retired, e.MemberRetired)
    assert (retired.member, retired.reason) == (name("users"), "gone for 11s")
    assert night.status("saturated") is Status.HEALTHY
    night.goes_on(6, orders=LOW, users=HIGH)
    assert night.state(name("users")) is State.HELD, "nobody saw it clear"


def test_where_they_come_and_go_nobody_is_told_of_one_that_is_gone() -> None:
    night = Night(policy(saturated(forget_gone=True)))
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(15, orders=LOW)
    assert night.pages() == []
    assert night.status("saturated") is Status.HEALTHY
    night.goes_on(12)
    assert [page.split(":")[0] for page in night.pages()] == ["saturated is blind"], "all are gone"


def test_those_that_are_gone_and_still_take_up_room_are_told_of() -> None:
    night = Night(policy(saturated(mode=Mode.OBSERVE, playbook=None)))
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(5, orders=HIGH, users=HIGH)
    night.goes_on(1, stock=LOW, carts=LOW)
    told = "gives 2 sets of db, 2 more are kept, which are gone, and `limit` is 3: 2 are not"
    assert told in night.reason("saturated")


def test_more_than_the_limit_blinds_the_family_and_not_those_that_are_known() -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(6, orders=HIGH, users=LOW, stock=HIGH, carts=HIGH)
    assert night.status("saturated") is Status.BLIND
    assert "gives 4 sets of db, and `limit` is 3: 2 are not watched" in night.reason("saturated")
    assert night.state(name("orders")) is State.CONTAINED
    assert set(night.rehearsal.memory.families["saturated"].members) == {
        name("orders"),
        name("users"),
    }
    night.goes_on(6, orders=LOW, users=LOW, stock=LOW, carts=LOW)
    assert any(page.startswith("saturated is blind") for page in night.pages())


def test_who_is_gone_makes_room_where_they_come_and_go() -> None:
    night = Night(policy(saturated(forget_gone=True)))
    night.goes_on(3, a=LOW, b=LOW, c=LOW)
    night.goes_on(3, c=LOW, d=LOW, f=LOW)
    assert night.status("saturated") is Status.HEALTHY
    assert set(night.rehearsal.memory.families["saturated"].members) == {
        name("c"),
        name("d"),
        name("f"),
    }


def test_a_series_without_the_label_blinds_the_family_and_names_the_remedy() -> None:
    night = Night()
    night.goes_on(3, orders=LOW)
    night.shows(Point((("db", "orders"),), LOW), Point((("pod", "x"),), HIGH))
    assert night.status("saturated") is Status.BLIND
    assert 'without db: {pod="x"}. Keep the label, as in max by (db) (...)' in night.reason(
        "saturated"
    )
    assert night.status(name("orders")) is Status.HEALTHY


@pytest.mark.parametrize("value", ["x" * 201, "line\nbreak", "\ud800"])
def test_a_value_that_is_no_name_is_nobody(value: str) -> None:
    night = Night()
    night.shows(Point((("db", value),), HIGH))
    assert night.status("saturated") is Status.BLIND
    assert not night.rehearsal.memory.families["saturated"].members


def test_when_the_source_fails_people_are_told_once_for_all() -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW, stock=LOW)
    night.fails(15)
    assert night.status(name("orders")) is Status.BLIND
    (page,) = night.pages()
    assert page == "saturated is blind: prom: connection refused"
    night.goes_on(2, orders=LOW, users=LOW, stock=LOW)
    assert night.status("saturated") is Status.HEALTHY
    assert not night.entries(e.MemberRetired), "nobody saw that they were gone"


def test_one_that_a_pause_made_blind_is_no_news() -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(6, orders=HIGH, users=LOW)
    assert night.state(name("orders")) is State.CONTAINED
    night.goes_on(30, users=LOW)
    assert night.status(name("orders")) is Status.BLIND
    assert not [page for page in night.pages() if "blind" in page]
    night.fails(15)
    assert [page.split(":")[0] for page in night.pages() if "blind" in page] == [
        "saturated is blind"
    ]


def test_one_in_mid_breach_is_told_of_at_once_when_the_source_fails() -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(2, orders=LOW, users=HIGH)
    night.fails(2)
    assert night.pages() == [f"{name('users')} is blind in mid-breach: prom: connection refused"]


def test_a_hold_on_the_family_covers_its_members_and_one_on_a_member_it_alone() -> None:
    for scope, held in (("saturated", True), (name("orders"), True), (name("users"), False)):
        night = Night()
        night.goes_on(3, orders=LOW)
        draft = e.HoldPlaced("H1", Scope("rule", scope), "a test", "alice", None)
        night.rehearsal.book.apply(draft, NOON.plus(night.second))
        night.goes_on(6, orders=HIGH)
        state = night.state(name("orders"))
        assert state is (State.HELD if held else State.CONTAINED), scope


def test_a_family_corroborates_by_how_all_of_it_stands() -> None:
    other = replace(saturated(corroborate=("saturated",)), name="other", sha256="x")
    night = Night(policy(saturated(mode=Mode.OBSERVE, playbook=None), other))
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(6, orders=LOW, users=HIGH)
    assert night.state('other{db="users"}') is State.CONTAINED


def test_what_was_decided_for_a_member_is_decided_so_again() -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW)
    night.goes_on(6, orders=HIGH, users=HIGH)
    decided = [one for one in night.entries(e.Decided) if isinstance(one, e.Decided)]
    assert len(decided) > 1
    for one in decided:
        kept = decode(encode(one))
        assert isinstance(kept, e.Decided)
        assert replayed(kept) == ()


def test_members_count_as_breaching_targets_and_not_their_family() -> None:
    night = Night()
    night.goes_on(3, orders=LOW)
    night.goes_on(6, orders=HIGH)
    (decided,) = [
        d for d in night.entries(e.Decided) if isinstance(d, e.Decided) and d.action == "pause"
    ]
    assert decided.inputs["breaching_targets"] == ("flag:redemption",)
