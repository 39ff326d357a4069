"""What was allowed may have waited to be recorded: right before the effect the gates are asked."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.core.decisions.watch import (
    BLIND,
    BREACHED,
    HEALTHY,
    Watch,
    a_policy,
    a_rule,
    an_action,
)
from watchdog.core.draft import Draft
from watchdog.core.inputs import Scene, Sight
from watchdog.core.spec import Limits, Rung
from watchdog.core.turn import ask_once_more
from watchdog.core.words import Blind, Mode, Status, Truth, Verdict


def allowed() -> Watch:
    """It has its target, runs its cooldown and took the only slot; its journal is full."""
    rules = (a_rule(), *(a_rule(f"r{n}", playbook=f"ladder{n}") for n in range(3)))
    actions = (an_action(), *(an_action(f"pause{n}", f"flag:{n}") for n in range(3)))
    ladders = {f"ladder{n}": (Rung(f"pause{n}", Mode.ARMED, 20.0),) for n in range(3)}
    ladders["ladder"] = (Rung("pause", Mode.ARMED, 20.0),)
    limits = Limits(1, 86400.0, 3)
    watch = Watch(a_policy(*rules, actions=actions, playbooks=ladders, limits=limits))
    watch.break_it("errors")
    assert len(watch.started) == 1
    return watch


def asked(
    watch: Watch, status: Status = BREACHED, *, held_seconds: float = 5.0, seen: bool = True
) -> str:
    (intent,) = watch.started
    blind = Blind.STALE if status is BLIND else None
    sight = Sight(Verdict(status, "seen now", watch.now, blind=blind), held_seconds, 0.0)
    statuses = {name: rule.status for name, rule in watch.seen.items()}
    scene = Scene(
        watch.policy, replace(watch.facts, statuses=statuses), Draft(watch.book, watch.now)
    )
    return ask_once_more(intent, sight if seen else None, scene)


def test_its_own_start_refuses_nothing() -> None:
    assert asked(allowed()) == ""


def test_a_breach_that_is_over_unseen_or_too_young_starts_nothing() -> None:
    watch = allowed()
    assert asked(watch, HEALTHY) == "evidence: healthy"
    assert asked(watch, BLIND) == "evidence: blind: stale"
    assert asked(watch, held_seconds=0.5) == "evidence: breached for less than 3s"
    assert asked(watch, seen=False) == "errors is not judged yet by the policy in force"


def _lowered(watch: Watch) -> None:
    watch.policy.rules["errors"] = a_rule(mode=Mode.APPROVE)


def _removed(watch: Watch) -> None:
    del watch.policy.rules["errors"]


def _another_ladder(watch: Watch) -> None:
    watch.policy.rules["errors"] = a_rule(playbook="ladder0")


def _clock_lost(watch: Watch) -> None:
    watch.facts = replace(watch.facts, time_synced=Truth.UNKNOWN)


def _held(watch: Watch) -> None:
    watch.hold()


def _all_at_once(watch: Watch) -> None:
    for seen in watch.seen.values():
        seen.status = BREACHED


@pytest.mark.parametrize(
    ("meanwhile", "says"),
    [
        (_lowered, "mode: approve, by rule errors"),
        (_removed, "the policy does not lead errors to pause any more"),
        (_another_ladder, "the policy does not lead errors to pause any more"),
        (_clock_lost, "environment: the clock is not known to be synchronised"),
        (_held, "hold: hold H1 on everything by alice: migration"),
        (_all_at_once, "blast_radius: 4 targets breach at once, more than 3"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_came_between_the_decision_and_the_effect_counts(
    meanwhile: Callable[[Watch], None], says: str
) -> None:
    watch = allowed()
    meanwhile(watch)
    assert asked(watch).startswith(says)
