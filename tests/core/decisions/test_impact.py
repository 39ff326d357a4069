"""When trouble began and whom it hit, by the rule's real windows and its `impact`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.decisions.watch import a_policy, a_rule, an_action
from watchdog.core import entries as e
from watchdog.core.judge.beginning import first_bad
from watchdog.core.measures import Measure
from watchdog.core.memory import Memory
from watchdog.core.samples import Answer, Failure, Fault, Labels, Point, Reading, Sample
from watchdog.core.spec import (
    Bound,
    BurnPair,
    Check,
    Counters,
    Endpoint,
    Impact,
    Policy,
    PrometheusApi,
    RatioThreshold,
    RuleSpec,
    Scrape,
    Slo,
    SourceSpec,
)
from watchdog.core.states import State
from watchdog.core.words import Blind, Instant, Status
from watchdog.lab.rehearsal import Rehearsal

NOON = Instant(1_790_000_000.0, 1000.0)
PROM = SourceSpec("prom", 1.0, 1.0, 1 << 20, 100, PrometheusApi(Endpoint("http://prom"), 1.0))
BAD, TOTAL, USERS = "bad_total", "all_total", "users_hit_total"
HIT = Impact(USERS, grows=True)
FAILED = Answer(failure=Failure(Fault.PROVIDER, Blind.QUERY_ERROR, "bad_data: no such thing"))
WINDOW_SECONDS = 30.0


def failing(impact: Impact | None = HIT, **different: object) -> RuleSpec:
    signal = RatioThreshold(Counters(BAD, TOTAL), WINDOW_SECONDS, Bound(">", 0.2, "> 20%"))
    rule = a_rule("failing", source="prom", signal=signal, impact=impact, minimum_events=10.0)
    return replace(rule, **different)  # type: ignore[arg-type]  # fields by name


def policy(*rules: RuleSpec) -> Policy:
    pause = an_action(contained_when=(Check(Endpoint("http://app"), "paused"),))
    return replace(a_policy(*rules, actions=(pause,)), sources={"prom": PROM})


class Shop:
    """A hundred requests a second; some of them fail, and each that fails hits half a user."""

    def __init__(self, *rules: RuleSpec, users: Answer | None = None) -> None:
        self.rehearsal = Rehearsal(policy(*(rules or (failing(),))), NOON)
        self.users = users
        self.second, self.bad, self.all = 0, 0.0, 0.0

    def serves(self, seconds: int, failing: float = 0.0, requests: float = 100.0) -> None:
        for _ in range(seconds):
            self.second += 1
            self.bad += failing * requests
            self.all += requests
            self._polled()

    def _polled(self) -> None:
        at = NOON.plus(self.second)
        hit = self.users or Answer((Point((), self.bad / 2),), at.wall)
        answers = {
            BAD: Answer((Point((), self.bad),), at.wall),
            TOTAL: Answer((Point((), self.all),), at.wall),
            USERS: hit,
        }
        self.rehearsal.feed(Reading("prom", at, 0.0, answers=answers))

    @property
    def measure(self) -> Measure:
        return list(self.rehearsal.book.measures.episodes.values())[-1]

    @property
    def impact(self) -> e.ImpactMeasured:
        assert self.measure.impact is not None
        return self.measure.impact


def test_a_window_is_breached_after_the_trouble_began() -> None:
    shop = Shop()
    shop.serves(120, failing=0.05)
    shop.serves(20, failing=0.5)
    one = shop.measure
    assert one.first_bad == NOON.plus(121), "the first bad sample, not the steady errors before it"
    assert one.breached.steady > one.first_bad.steady + 5


def test_trouble_among_few_events_begins_with_the_first_that_failed() -> None:
    """Every other second is good: no single stretch tells, all together do."""
    shop = Shop()
    shop.serves(60)
    for _ in range(20):
        shop.serves(1, failing=1.0, requests=2.0)
        shop.serves(1, failing=0.0, requests=2.0)
    assert shop.measure.first_bad == NOON.plus(61)


def test_an_objective_begins_to_burn_in_the_window_of_the_pair_that_fires() -> None:
    pairs = (BurnPair(0.02, 60.0, 10.0, 14.4), BurnPair(0.1, 100.0, 60.0, 2.0))
    slo = Slo(Counters(BAD, TOTAL), 0.99, 86400.0, pairs)
    shop = Shop(failing(signal=slo, minimum_events=0.0))
    shop.serves(200, failing=0.01)
    shop.serves(40, failing=0.5)
    assert shop.measure.first_bad == NOON.plus(201)
    memory = shop.rehearsal.memory.of("failing")
    assert memory is not None
    assert memory.judge.tally is not None
    assert first_bad(slo, memory.judge.tally, NOON.plus(240)) is not None


def test_failed_events_and_users_are_counted_from_the_first_bad_sample_to_the_end() -> None:
    shop = Shop()
    shop.serves(120, failing=0.05)
    shop.serves(40, failing=0.5)
    shop.serves(60)
    one = shop.measure
    assert one.recovered is not None
    assert shop.impact.of == "users"
    assert shop.impact.failed_events == pytest.approx(40 * 50.0)
    assert shop.impact.affected == pytest.approx(40 * 25.0)
    before = shop.impact
    shop.serves(600, failing=0.01)
    assert shop.impact is before, "what fails after the recovery is not its cost"


@pytest.mark.parametrize(
    ("users", "why"),
    [
        (FAILED, "no such thing"),
        (Answer(missing=(USERS,)), "seen for the first time"),
        (Answer((Point((), float("nan")),), NOON.wall), "NaN"),
    ],
)
def test_an_impact_that_fails_blinds_nobody(users: Answer, why: str) -> None:
    shop = Shop(users=users)
    shop.serves(60)
    shop.serves(30, failing=0.5)
    assert shop.rehearsal.memory.statuses()["failing"] is Status.BREACHED
    ep = shop.rehearsal.book.open_episode("failing")
    assert ep is not None
    assert ep.state is State.CONTAINED
    assert shop.impact.failed_events is not None
    if users.missing:
        assert shop.impact.affected == 0.0, "no counter, while its source answered: none was hit"
    else:
        assert shop.impact.affected is None
        assert why in shop.impact.reason


def test_of_values_the_highest_counts() -> None:
    shop = Shop(failing(Impact(USERS, grows=False, of="carts"), playbook=None))
    shop.serves(60)
    for hit in (3.0, 9.0, 4.0):
        shop.users = Answer((Point((), hit),), NOON.wall + shop.second + 1)
        shop.serves(15, failing=0.5)
    shop.users = Answer((Point((("db", "a"),), 99.0), Point((("db", "b"),), 98.0)), NOON.wall)
    shop.serves(2, failing=0.5)
    shop.serves(60)
    assert (shop.impact.affected, shop.impact.of) == (9.0, "carts")


def test_a_number_below_zero_counts_nobody() -> None:
    below = Answer((Point((), -5.0),), NOON.wall + 90)
    shop = Shop(failing(Impact(USERS, grows=False), playbook=None), users=below)
    shop.serves(60)
    shop.serves(30, failing=0.5)
    assert shop.impact.affected is None
    assert "-5: below zero" in shop.impact.reason


@pytest.mark.parametrize("impact", [HIT, Impact(USERS, grows=False)])
def test_what_was_not_asked_since_the_trouble_began_is_not_known(impact: Impact) -> None:
    """Counted until a moment before, and hung since: none that we know of is not none."""
    shop = Shop(failing(impact, playbook=None))
    shop.serves(60)
    shop.users = FAILED
    shop.serves(30, failing=0.5)
    assert shop.impact.affected is None
    assert "no such thing" in shop.impact.reason


def test_a_restart_goes_on_counting() -> None:
    shop = Shop(failing(playbook=None))
    shop.serves(60)
    shop.serves(30, failing=0.5)
    old = shop.rehearsal.memory
    kept = old.checkpoint()
    memory = Memory()
    memory.adopt(policy(failing(playbook=None)))
    assert memory.restore(kept) == ()
    since = NOON.plus(61).steady
    assert memory.cost("failing", since) == old.cost("failing", since)
    assert memory.cost("failing", since).affected == pytest.approx(30 * 25.0)


def test_another_impact_begins_anew_and_the_windows_go_on() -> None:
    shop = Shop()
    shop.serves(60, failing=0.1)
    memory = shop.rehearsal.memory
    memory.adopt(policy(failing(Impact("others_total", grows=True))))
    cost = memory.cost("failing", NOON.plus(31).steady)
    assert cost.affected is None
    assert cost.failed_events == pytest.approx(30 * 10.0)
    assert "others_total" in memory.sources["prom"].wanted
    assert USERS not in memory.sources["prom"].wanted


def test_what_is_judged_is_asked_first() -> None:
    memory = Memory()
    other = failing(Impact(TOTAL, grows=True), name="another")
    memory.adopt(policy(failing(), other))
    assert memory.sources["prom"].wanted == (BAD, TOTAL, USERS)


def test_each_member_has_its_own_impact_and_a_stranger_becomes_none() -> None:
    rule = failing(each=("db",), limit=5, playbook=None)
    rehearsal = Rehearsal(policy(rule), NOON)
    for second in range(1, 91):
        at = NOON.plus(second)
        bad = {"a": 50.0 * max(0, second - 60), "b": 0.0}

        def points(values: dict[str, float]) -> Answer:
            return Answer(tuple(Point((("db", db),), n) for db, n in values.items()), at.wall)  # noqa: B023  # called in the same round

        answers = {
            BAD: points(bad),
            TOTAL: points(dict.fromkeys(bad, 100.0 * second)),
            USERS: points({"a": bad["a"] / 2, "b": 7.0, "stranger": 5.0 * second}),
        }
        rehearsal.feed(Reading("prom", at, 0.0, answers=answers))
    (one,) = rehearsal.book.measures.episodes.values()
    assert one.rule == 'failing{db="a"}'
    assert set(rehearsal.book.members.of("failing")) == {
        'failing{db="a"}',
        'failing{db="b"}',
    }
    memory = rehearsal.memory.of(one.rule)
    assert memory is not None
    assert memory.cost(one.began.steady).affected == pytest.approx(30 * 25.0)


def test_an_embedded_source_evaluates_it_as_any_expression() -> None:
    app = SourceSpec("prom", 1.0, 1.0, 1 << 20, 100, Scrape(Endpoint("http://app")))
    rule = failing(Impact("sum(rate(users_hit_total[10s])) * 10", grows=False), playbook=None)
    rehearsal = Rehearsal(replace(policy(rule), sources={"prom": app}), NOON)
    for second in range(1, 121):
        at = NOON.plus(second)
        bad = 50.0 * max(0, second - 60)
        none: Labels = ()
        numbers = {BAD: bad, TOTAL: 100.0 * second, USERS: bad / 10}
        samples = tuple(Sample(name, none, n, at.wall) for name, n in numbers.items())
        rehearsal.feed(Reading("prom", at, 0.0, samples=samples, up={"app": True}))
    assert rehearsal.memory.cost("failing", NOON.plus(61).steady).affected == pytest.approx(50.0)


def test_an_impact_of_many_series_takes_no_room_from_what_is_judged() -> None:
    """Its page shows more users than the source may keep series."""
    few = SourceSpec("prom", 1.0, 1.0, 1 << 20, 5, Scrape(Endpoint("http://app")))
    rule = failing(Impact("sum(users_hit)", grows=False), playbook=None)
    rehearsal = Rehearsal(replace(policy(rule), sources={"prom": few}), NOON)
    for second in range(1, 91):
        at = NOON.plus(second)
        users = [Sample("users_hit", (("n", str(n)),), 1.0, at.wall) for n in range(50)]
        numbers = {BAD: 50.0 * max(0, second - 60), TOTAL: 100.0 * second}
        judged = [Sample(name, (), n, at.wall) for name, n in numbers.items()]
        samples = (*users, *judged)
        rehearsal.feed(Reading("prom", at, 0.0, samples=samples, up={"app": True}))
    assert rehearsal.memory.statuses()["failing"] is Status.BREACHED
    cost = rehearsal.memory.cost("failing", NOON.plus(61).steady)
    assert cost.failed_events == pytest.approx(30 * 50.0)
    assert cost.affected is None
