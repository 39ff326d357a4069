"""Many targets at once are more likely the metrics than the services: all of them are held."""

from dataclasses import replace

from tests.core.decisions.watch import (
    BREACHED,
    FOR_SECONDS,
    HEALTHY,
    Watch,
    a_policy,
    a_rule,
    an_action,
)
from watchdog.core.entries import Outcome, ReadinessChanged
from watchdog.core.spec import Limits, Rung
from watchdog.core.states import State
from watchdog.core.words import Mode, Truth


def crowd(number: int, *, targets: int, for_seconds: float = FOR_SECONDS) -> Watch:
    actions = tuple(an_action(f"pause{n}", f"flag:{n % targets}") for n in range(number))
    rules = [a_rule(f"r{n}", playbook=f"ladder{n}", for_seconds=for_seconds) for n in range(number)]
    ladders = {f"ladder{n}": (Rung(f"pause{n}", Mode.ARMED, 20.0),) for n in range(number)}
    limits = Limits(100, 86400.0, 3)
    return Watch(a_policy(*rules, actions=actions, playbooks=ladders, limits=limits))


def test_more_targets_than_the_blast_radius_are_held_and_stay_held() -> None:
    watch = crowd(4, targets=4)
    watch.break_it(seconds=200)
    assert watch.started == []
    assert all(ep.state is State.HELD for ep in watch.book.open_episodes())
    assert len(watch.pages) == 4


def test_a_crowd_that_breaches_in_one_pass_without_any_for_is_held_whole() -> None:
    """Nobody of it starts before the others have an episode."""
    watch = crowd(4, targets=4, for_seconds=0.0)
    watch.break_it(seconds=1)
    assert watch.started == []
    assert {ep.state for ep in watch.book.open_episodes()} == {State.HELD}
    assert {d.reason.split(":")[0] for d in watch.decisions} == {"blast_radius"}


def test_shadow_is_no_company_of_a_live_breach_in_the_same_pass() -> None:
    watch = crowd(4, targets=4, for_seconds=0.0)
    for name in ("r1", "r2"):
        watch.policy.rules[name] = replace(watch.policy.rules[name], mode=Mode.SHADOW)
    watch.break_it(seconds=1)
    assert {intent.target for intent in watch.started} == {"flag:0", "flag:3"}


def test_a_crowd_of_now_does_not_hold_what_began_long_before_it() -> None:
    watch = crowd(5, targets=5, for_seconds=0.0)
    with watch.draft() as draft:
        draft.add(ReadinessChanged("pause0", Truth.FALSE, "no such tool"))
    watch.run(2, HEALTHY)
    watch.run(100, BREACHED, "r0")
    with watch.draft() as draft:
        draft.add(ReadinessChanged("pause0", Truth.TRUE, "works"))
    watch.run(1, BREACHED)
    assert [intent.target for intent in watch.started] == ["flag:0"]


def test_many_rules_of_few_targets_are_few_outages_and_act() -> None:
    watch = crowd(9, targets=3)
    watch.break_it()
    assert len({intent.target for intent in watch.started}) == 3


def test_a_long_for_does_not_let_the_crowd_age_out_of_sight() -> None:
    watch = crowd(4, targets=4, for_seconds=120.0)
    watch.break_it(seconds=200)
    assert watch.started == []


def test_targets_that_breach_far_apart_are_no_crowd() -> None:
    watch = crowd(4, targets=4)
    for n in range(4):
        watch.run(70)
        watch.break_it(f"r{n}")
        watch.end(Outcome.DONE)
    assert len(watch.started) == 4
