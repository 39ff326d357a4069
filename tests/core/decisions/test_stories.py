"""What a breach leads to: waiting, acting once, being stopped, and never firing late."""

from collections.abc import Callable

import pytest

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
from watchdog.core.entries import (
    EpisodeBarred,
    Outcome,
    PolicyApplied,
    RuleCleared,
    Ruling,
    Slept,
    Started,
    WindowsFilled,
)
from watchdog.core.spec import Limits, Rung, Scope
from watchdog.core.states import State
from watchdog.core.words import Direction, Instant, Mode, Truth, World


def test_a_breach_that_lasts_is_acted_on_in_the_very_pass_in_which_for_is_reached() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.run(int(FOR_SECONDS), BREACHED)
    assert watch.is_now(State.PENDING)
    assert watch.started == []
    watch.run(1, BREACHED)
    assert watch.is_now(State.ACTING)
    (intent,) = watch.started
    assert (intent.action, intent.direction) == ("pause", Direction.DO)
    assert intent.decision == watch.decisions[-1].decision
    assert watch.decisions[-1].ruling is Ruling.ALLOWED


def test_a_short_breach_is_nothing() -> None:
    watch = Watch(a_policy())
    for _ in range(10):
        watch.run(1, HEALTHY)
        watch.run(3, BREACHED)
    watch.run(1, HEALTHY)
    assert watch.started == []
    assert watch.decisions == []
    assert all(not ep.is_open for ep in watch.book.episodes.values())


def test_blindness_neither_starts_nor_ends_nor_counts() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.run(3, BREACHED)  # held for 2 s
    watch.run(2, BLIND)
    assert watch.is_now(State.PENDING)
    watch.run(1, BREACHED)  # the blind seconds add nothing
    assert watch.started == []
    watch.run(1, BREACHED)
    assert len(watch.started) == 1


def test_a_blindness_longer_than_for_starts_the_clock_again() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.run(3, BREACHED)
    watch.run(6, BLIND)
    watch.run(3, BREACHED)
    assert watch.started == []
    watch.run(1, BREACHED)
    assert len(watch.started) == 1


def test_blindness_in_mid_breach_pages_at_once_and_once() -> None:
    watch = Watch(a_policy())
    watch.break_it(seconds=2)
    watch.run(9, BLIND)
    assert [page.key for page in watch.pages] == ["rule:errors:blind"]


def test_blindness_without_a_breach_pages_when_its_time_has_come() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.run(30, BLIND)
    assert watch.pages == []
    watch.run(2, BLIND)
    assert [page.key for page in watch.pages] == ["rule:errors:blind"]


# -- already burning -------------------------------------------------------------------------------


def burning_from_the_start(watch: Watch) -> None:
    watch.run(10, BREACHED)


def burning_under_a_hold(watch: Watch) -> None:
    watch.run(2, HEALTHY)
    hold = watch.hold()
    watch.run(2, BREACHED)
    watch.release(hold)
    watch.run(9, BREACHED)


def burning_under_a_silence(watch: Watch) -> None:
    watch.run(2, HEALTHY)
    silence = watch.hold(Scope("owner", "team"), for_seconds=2.5, silence=True)
    watch.run(10, BREACHED)
    assert silence not in watch.book.holds


def burning_when_armed(watch: Watch) -> None:
    watch.run(2, HEALTHY)
    watch.run(1, BREACHED)
    with watch.draft() as draft:
        draft.add(PolicyApplied("new", (), "alice", rearmed=("errors",)))
    watch.run(9, BREACHED)


def burning_when_the_ceiling_was_raised(watch: Watch) -> None:
    watch.run(2, HEALTHY)
    watch.run(1, BREACHED)
    with watch.draft() as draft:
        draft.add(Started("0", "here", "boot", "sandbox", "shadow", 1.0))
    watch.run(9, BREACHED)


def burning_after_a_close(watch: Watch) -> None:
    watch.break_it()
    watch.end(Outcome.UNKNOWN)
    assert watch.is_now(State.LATCHED)
    watch.close(watch.episode)
    watch.run(9, BREACHED)
    assert len(watch.book.episodes) == 2


def burning_found_after_a_long_absence(watch: Watch) -> None:
    watch.run(2, HEALTHY)
    with watch.draft() as draft:
        draft.add(Started("0", "here", "boot", "sandbox", "armed", 3600.0))
    watch.run(9, BREACHED)


def burning_found_after_a_sleep(watch: Watch) -> None:
    watch.run(2, HEALTHY)
    with watch.draft() as draft:
        draft.add(Slept(3600.0))
    watch.run(9, BREACHED)


def burning_shown_by_history(watch: Watch) -> None:
    watch.run(2, HEALTHY)
    with watch.draft() as draft:
        draft.add(WindowsFilled("errors", 86400.0, 0.1, 1.0))
    watch.run(9, BREACHED)


Way = Callable[[Watch], None]
WAYS: list[Way] = [
    burning_from_the_start,
    burning_under_a_hold,
    burning_under_a_silence,
    burning_when_armed,
    burning_when_the_ceiling_was_raised,
    burning_after_a_close,
    burning_found_after_a_long_absence,
    burning_found_after_a_sleep,
    burning_shown_by_history,
]


@pytest.mark.parametrize("way", WAYS)
def test_what_burns_already_is_held_and_paged_and_fires_nothing_by_itself(way: Way) -> None:
    watch = Watch(a_policy())
    way(watch)
    before = len(watch.started)
    watch.run(60, BREACHED)
    assert watch.is_now(State.HELD)
    assert "already burning" in watch.episode.barred
    assert len(watch.started) == before
    assert any("held" in page.title for page in watch.pages)


@pytest.mark.parametrize("way", WAYS)
def test_what_burns_already_acts_when_a_person_says_so(way: Way) -> None:
    watch = Watch(a_policy(a_rule(cooldown_seconds=0.0)))
    way(watch)
    before = len(watch.started)
    watch.act(watch.episode)
    watch.run(1, BREACHED)
    assert len(watch.started) == before + 1
    assert watch.episode.unbarred_by == "alice"


@pytest.mark.parametrize("way", WAYS)
def test_what_burned_already_acts_at_the_next_breach_after_it_was_once_clear(way: Way) -> None:
    watch = Watch(a_policy(a_rule(cooldown_seconds=0.0)))
    way(watch)
    before = len(watch.started)
    watch.run(2, HEALTHY, clear=False)  # healthy, but its window not wholly observed
    watch.run(9, BREACHED)
    assert len(watch.started) == before
    watch.run(2, HEALTHY)
    watch.run(9, BREACHED)
    assert len(watch.started) == before + 1


def test_a_short_absence_takes_nothing_away() -> None:
    """An episode known from before goes on, and what was clear still is."""
    watch = Watch(a_policy())
    watch.break_it(seconds=2)
    with watch.draft() as draft:
        draft.add(Started("0", "here", "boot", "sandbox", "armed", 8.0))
    watch.run(3, BREACHED)
    assert len(watch.started) == 1


def test_an_episode_known_from_before_a_long_absence_continues() -> None:
    watch = Watch(a_policy())
    watch.break_it(seconds=2)
    with watch.draft() as draft:
        draft.add(Started("0", "here", "boot", "sandbox", "armed", 3600.0))
    watch.run(3, BREACHED)
    assert len(watch.started) == 1
    assert watch.episode.barred == ""


# -- holds and their scopes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "stops"),
    [
        (Scope("all"), True),
        (Scope("owner", "team"), True),
        (Scope("owner", "others"), False),
        (Scope("rule", "errors"), True),
        (Scope("rule", "latency"), False),
        (Scope("target", "flag:redemption"), True),
        (Scope("target", "flag:mint"), False),
    ],
)
def test_a_hold_stops_what_its_scope_covers(scope: Scope, *, stops: bool) -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.hold(scope)
    watch.run(9, BREACHED)
    assert bool(watch.started) is not stops
    assert bool(watch.of(EpisodeBarred)) is stops


def test_a_person_may_act_through_a_hold_by_saying_so() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.hold()
    watch.run(9, BREACHED)
    watch.act(watch.episode)
    watch.run(3, BREACHED)
    assert watch.started == []
    watch.act(watch.episode, through_hold=True)
    watch.run(1, BREACHED)
    assert len(watch.started) == 1


def test_a_silence_keeps_pages_back_and_says_so() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.hold(Scope("rule", "errors"), silence=True)
    watch.run(9, BREACHED)
    assert [page.silenced for page in watch.pages] == [True]


@pytest.mark.parametrize(
    ("scope", "silenced"),
    [(Scope("rule", "errors"), True), (Scope("owner", "team"), True), (Scope("rule", "b"), False)],
)
def test_a_silence_keeps_back_what_is_told_of_a_blind_rule(scope: Scope, *, silenced: bool) -> None:
    watch = Watch(a_policy())
    watch.hold(scope, silence=True)
    watch.run(40, BLIND)
    assert [page.silenced for page in watch.pages] == [silenced]


def test_a_hold_placed_after_an_action_lets_its_episode_end() -> None:
    """What is past its first effect finishes, whatever is held meanwhile."""
    watch = Watch(a_policy())
    watch.break_it()
    watch.hold()
    watch.end(Outcome.DONE)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    assert watch.is_now(State.CONTAINED)


# -- refusals are recorded once --------------------------------------------------------------------


def test_a_refusal_is_recorded_once_per_episode_and_reason() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    first = watch.hold(Scope("rule", "errors"))
    watch.run(20, BREACHED)
    watch.release(first)
    watch.run(20, BREACHED)
    watch.hold(Scope("all"))
    watch.run(20, BREACHED)
    reasons = [decision.reason.partition(":")[0] for decision in watch.decisions]
    assert reasons == ["hold", "burning", "hold"]
    assert len(watch.pages) == 1


def test_a_hundred_seconds_of_one_refusal_are_silent_in_the_journal() -> None:
    watch = Watch(a_policy())
    watch.run(12, BREACHED)
    written = len(watch.journal)
    watch.run(100, BREACHED)
    assert len(watch.journal) == written


# -- limits ----------------------------------------------------------------------------------------


def acted_and_over(watch: Watch, *rules: str) -> None:
    """An action that helped, was undone, watched, and forgotten."""
    watch.break_it(*rules)
    watch.end(Outcome.DONE)
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.run(1, HEALTHY, *rules)
    watch.undo(watch.episode)
    watch.run(25, HEALTHY, *rules)
    assert watch.is_now(State.OK)


def test_a_cooldown_holds_until_its_end_and_then_the_same_breach_acts() -> None:
    watch = Watch(a_policy(a_rule(cooldown_seconds=100.0)))
    acted_and_over(watch)
    watch.break_it(seconds=30)
    assert len(watch.started) == 1
    assert watch.decisions[-1].reason.startswith("cooldown: until 2026-")
    watch.run(60, BREACHED)
    assert len(watch.started) == 2


@pytest.mark.parametrize("hours", [-25.0, 25.0])
def test_neither_cooldown_nor_budget_goes_by_the_wall_clock(hours: float) -> None:
    for limit in ({"cooldown_seconds": 100.0}, {"cooldown_seconds": 0.0}):
        watch = Watch(a_policy(a_rule(**limit), limits=Limits(1, 100.0, 5)))
        acted_and_over(watch)
        watch.now = Instant(watch.now.wall + hours * 3600.0, watch.now.steady)
        watch.break_it(seconds=30)
        assert len(watch.started) == 1, "it does not end early"
        watch.run(60, BREACHED)
        assert len(watch.started) == 2, "and it does not stick"


def test_after_an_action_the_rule_must_be_once_clear_before_the_next() -> None:
    watch = Watch(a_policy(a_rule(cooldown_seconds=0.0)))
    watch.break_it()
    watch.end(Outcome.FOUND)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    watch.run(2, HEALTHY, clear=False)
    assert watch.is_now(State.OK)
    watch.run(20, BREACHED)
    assert watch.is_now(State.HELD)
    assert len(watch.started) == 1


def test_an_action_that_stands_twice_in_a_ladder_is_started_once() -> None:
    rungs = (Rung("pause", Mode.ARMED, 20.0), Rung("pause", Mode.ARMED, 20.0))
    watch = Watch(a_policy(a_rule(), playbooks={"ladder": rungs}))
    watch.break_it()
    watch.end(Outcome.FAILED)
    watch.run(30, BREACHED)
    assert watch.is_now(State.HELD)
    assert len(watch.started) == 1
    assert "pause was already started for E1" in watch.decisions[-1].reason


def test_a_cooldown_is_of_one_rule_and_action() -> None:
    watch = Watch(a_policy(a_rule(), a_rule("latency")))
    acted_and_over(watch, "errors")
    watch.break_it("latency")
    assert len(watch.started) == 2


def test_the_budget_is_of_all_rules_together_and_comes_back_with_time() -> None:
    watch = Watch(
        a_policy(
            *(a_rule(f"r{n}", cooldown_seconds=0.0) for n in range(3)),
            limits=Limits(2, 300.0, 5),
        )
    )
    acted_and_over(watch, "r0")
    acted_and_over(watch, "r1")
    watch.break_it("r2", seconds=30)
    assert len(watch.started) == 2
    assert watch.decisions[-1].reason == "budget: spent: 2 of 2 in 5m"
    watch.run(250, BREACHED, "r2")
    assert len(watch.started) == 3


def test_an_abandoned_start_gives_its_slot_back() -> None:
    watch = Watch(a_policy(limits=Limits(1, 86400.0, 5)))
    watch.break_it()
    watch.end(Outcome.ABANDONED)
    assert watch.is_now(State.HELD)
    watch.run(1, BREACHED)
    assert len(watch.started) == 2


def test_an_outage_of_one_target_takes_one_slot_however_many_rules_see_it() -> None:
    """The second finds the flag off already: it holds it, and has changed nothing."""
    rules = (a_rule(), a_rule("latency"), a_rule("next"))
    watch = Watch(a_policy(*rules, limits=Limits(2, 86400.0, 5)))
    watch.break_it("errors", "latency")
    watch.end(Outcome.DONE)
    watch.run(1, BREACHED, "errors", "latency")
    watch.end(Outcome.FOUND)
    assert len(watch.started) == 2
    watch.break_it("next")
    assert len(watch.started) == 3, "one slot of two was taken"


def test_a_slot_is_taken_once_in_shadow_too() -> None:
    names = ("errors", "latency", "next")
    rules = (a_rule(name, mode=Mode.SHADOW) for name in names)
    watch = Watch(a_policy(*rules, limits=Limits(2, 86400.0, 5)))
    watch.break_it(*names)
    assert [one.ruling for one in watch.decisions] == [Ruling.WOULD_ACT] * 3


def test_two_rules_that_reach_for_in_one_pass_share_the_last_slot_and_the_target() -> None:
    watch = Watch(a_policy(a_rule(), a_rule("latency"), limits=Limits(1, 86400.0, 5)))
    watch.break_it()
    assert len(watch.started) == 1
    refused = answers_of_last_refusal(watch)
    assert not refused["target"]
    assert not refused["budget"]


def answers_of_last_refusal(watch: Watch) -> dict[str, bool]:
    last = next(d for d in reversed(watch.decisions) if d.ruling is Ruling.REFUSED)
    return {answer.gate: answer.passed for answer in last.gates}


# -- corroboration, modes, playbooks ---------------------------------------------------------------


def test_a_rule_that_asks_for_company_waits_for_it() -> None:
    watch = Watch(a_policy(a_rule(corroborate=("latency",)), a_rule("latency", playbook=None)))
    watch.run(2, HEALTHY)
    watch.run(9, BREACHED, "errors")
    assert watch.started == []
    watch.run(2, BLIND, "latency")
    assert watch.started == []
    watch.run(1, BREACHED, "latency")
    assert len(watch.started) == 1


def test_a_rule_without_a_playbook_tells_people_and_does_no_more() -> None:
    watch = Watch(a_policy(a_rule(playbook=None, mode=Mode.OBSERVE)))
    watch.break_it(seconds=20)
    assert [page.title for page in watch.pages] == ["errors is breached"]
    assert watch.is_now(State.HELD)
    watch.run(1, HEALTHY)
    assert watch.is_now(State.OK)


def test_approve_asks_a_person_and_withdraws_when_healthy_again() -> None:
    watch = Watch(a_policy(a_rule(mode=Mode.APPROVE)))
    watch.break_it(seconds=20)
    assert watch.is_now(State.AWAITING)
    assert watch.started == []
    assert [page.title for page in watch.pages] == ["errors asks for approval of pause"]
    watch.run(1, HEALTHY)
    assert watch.is_now(State.OK)


def test_up_to_ends_the_ladder_early() -> None:
    actions = (an_action(), an_action("restore", "config:mainnet"))
    watch = Watch(a_policy(a_rule(up_to="pause"), actions=actions))
    watch.break_it()
    watch.end(Outcome.FAILED)
    assert watch.is_now(State.LATCHED)


def test_keep_firing_keeps_a_held_episode_open_over_a_short_recovery() -> None:
    watch = Watch(a_policy(a_rule(keep_firing_seconds=5.0)))
    watch.run(9, BREACHED)
    watch.run(5, HEALTHY)
    assert watch.is_now(State.HELD)
    watch.run(2, HEALTHY)
    assert watch.is_now(State.OK)


def test_shadow_records_what_it_would_do_on_books_of_its_own() -> None:
    watch = Watch(
        a_policy(
            a_rule("shadowy", mode=Mode.SHADOW),
            a_rule("live"),
            limits=Limits(1, 86400.0, 1),
        )
    )
    watch.break_it("shadowy")
    assert watch.episode.world is World.SHADOW
    assert watch.is_now(State.SHADOWED)
    assert watch.decisions[-1].ruling is Ruling.WOULD_ACT
    assert watch.pages == []
    watch.break_it("live")
    (intent,) = watch.started
    assert watch.book.episodes[intent.episode].rule == "live"
    assert len(watch.of(RuleCleared)) == 2
