"""What the lab rehearses is decided by the core: the states, gates and refusals of the night."""

from dataclasses import replace

import pytest

from tests.core.decisions.watch import a_policy, a_rule
from watchdog.core import entries as e
from watchdog.core.samples import Reading, Sample
from watchdog.core.spec import Endpoint, Policy, Scrape, SourceSpec
from watchdog.core.states import State
from watchdog.core.words import Instant, Mode, Truth
from watchdog.lab.explain.needs import needs_of
from watchdog.lab.rehearsal import Rehearsal, Supposed, Supposing

NOON = Instant(1_790_000_000.0, 1000.0)
APP = SourceSpec("app", 1.0, 1.0, 1 << 20, 100, Scrape(Endpoint("http://app")))


def policy(mode: Mode = Mode.ARMED) -> Policy:
    return replace(a_policy(a_rule(mode=mode)), sources={"app": APP})


def go_on(rehearsal: Rehearsal, values: list[float], since: int = 0) -> None:
    """One sample of `errors` a second."""
    for second, value in enumerate(values, start=since):
        at = NOON.plus(float(second))
        sample = Sample("errors", (), value, at.wall)
        rehearsal.feed(Reading("app", at, 0.0, (sample,), up={"app": True}))


def states(rehearsal: Rehearsal) -> list[State]:
    return [r.entry.after for r in rehearsal.log if isinstance(r.entry, e.EpisodeMoved)]


def test_an_armed_rule_acts_when_for_is_reached_and_is_contained() -> None:
    rehearsal = Rehearsal(policy(), NOON, Supposing(unchecked_too=True))
    go_on(rehearsal, [0.0] * 5 + [1.0] * 8)
    assert states(rehearsal) == [State.PENDING, State.ACTING, State.VERIFYING, State.CONTAINED]
    (opened,) = [r for r in rehearsal.log if isinstance(r.entry, e.IntentOpened)]
    assert opened.at.wall - NOON.wall == pytest.approx(8.0), "breached from the 5th second, for 3 s"


def test_that_it_was_practised_is_supposed_and_explained() -> None:
    plain = policy()
    pause = replace(plain.actions["pause"], drilled_within_seconds=45 * 86_400.0)
    gated = replace(plain, actions={"pause": pause})
    rehearsal = Rehearsal(gated, NOON, Supposing(unchecked_too=True))
    go_on(rehearsal, [0.0] * 5 + [1.0] * 8)
    assert states(rehearsal)[-1] is State.CONTAINED
    (mode,) = [one.needs for one in needs_of(gated, gated.rules["errors"]) if one.gate == "mode"]
    assert "it asks people where no drill of pause passed within 45d" in mode


def test_where_no_check_says_so_the_rules_own_recovery_alone_shows_that_it_helped() -> None:
    rehearsal = Rehearsal(policy(), NOON)
    go_on(rehearsal, [0.0] * 5 + [1.0] * 8)
    assert states(rehearsal)[-1] is State.VERIFYING, "it is breached as before"
    go_on(rehearsal, [0.0] * 3, since=13)
    assert states(rehearsal)[-1] is State.CONTAINED
    never = Rehearsal(policy(), NOON)
    go_on(never, [0.0] * 5 + [1.0] * 400)
    assert states(never)[-1] is State.LATCHED, "a person's, as at night"


def test_a_breach_that_stood_from_the_start_is_already_burning() -> None:
    rehearsal = Rehearsal(policy(), NOON)
    go_on(rehearsal, [1.0] * 8)
    assert states(rehearsal) == [State.PENDING, State.HELD]


def test_a_shadow_rule_only_would_act() -> None:
    rehearsal = Rehearsal(policy(Mode.SHADOW), NOON)
    go_on(rehearsal, [0.0] * 5 + [1.0] * 8)
    assert states(rehearsal) == [State.PENDING, State.SHADOWED]
    assert not [r for r in rehearsal.log if isinstance(r.entry, e.IntentOpened)]


def test_an_action_that_is_supposed_to_fail_is_handed_to_a_person() -> None:
    supposing = Supposing(actions={"pause": Supposed(outcome=e.Outcome.FAILED)})
    rehearsal = Rehearsal(policy(), NOON, supposing)
    go_on(rehearsal, [0.0] * 5 + [1.0] * 8)
    assert states(rehearsal)[-1] is State.LATCHED


def test_an_action_that_is_not_ready_is_refused_for_that() -> None:
    rehearsal = Rehearsal(policy(), NOON, Supposing(ready=Truth.FALSE))
    go_on(rehearsal, [0.0] * 5 + [1.0] * 8)
    (decided,) = [r.entry for r in rehearsal.log if isinstance(r.entry, e.Decided)]
    assert decided.ruling is e.Ruling.REFUSED
    assert [a.gate for a in decided.gates if not a.passed] == ["ready"]


def test_silence_makes_it_blind_and_starts_nothing() -> None:
    rehearsal = Rehearsal(policy(), NOON)
    go_on(rehearsal, [0.0] * 5 + [1.0] * 2)
    for second in range(7, 60):
        rehearsal.tick(NOON.plus(float(second)))
    assert states(rehearsal) == [State.PENDING]
    assert any(isinstance(r.entry, e.BlindBegan) for r in rehearsal.log)
