"""What follows an effect: proof, ladder, containment, undo, watch, drift."""

import pytest

from tests.core.decisions.watch import BLIND, BREACHED, HEALTHY, Watch, a_policy, a_rule, an_action
from watchdog.core.deploys import FreezeLifted
from watchdog.core.entries import ClaimReleased, Drifted, Outcome, Ruling
from watchdog.core.replay import replayed
from watchdog.core.spec import ActionSpec, Rung
from watchdog.core.states import Event, State
from watchdog.core.urgency import Urgency
from watchdog.core.words import Mode, Truth

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
TWO = (an_action(), an_action("restore", "config:mainnet"))


def acting(*actions: ActionSpec, **rule: object) -> Watch:
    watch = Watch(a_policy(a_rule(**rule), actions=actions or (an_action(),)))
    watch.break_it()
    assert watch.is_now(State.ACTING)
    return watch


def contained(*actions: ActionSpec, **rule: object) -> Watch:
    watch = acting(*actions, **rule)
    watch.end(Outcome.DONE)
    watch.look(TRUE, UNKNOWN)
    assert watch.is_now(State.CONTAINED)
    return watch


def watched(**rule: object) -> Watch:
    watch = contained(**rule)
    watch.undo(watch.episode)
    assert watch.is_now(State.WATCHED)
    return watch


# -- proof -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.DONE, State.VERIFYING),
        (Outcome.FOUND, State.VERIFYING),
        (Outcome.FAILED, State.LATCHED),
        (Outcome.UNKNOWN, State.LATCHED),
        (Outcome.ABANDONED, State.HELD),
    ],
)
def test_each_outcome_leads_where_it_must(outcome: Outcome, state: State) -> None:
    watch = acting()
    watch.end(outcome)
    assert watch.is_now(state)
    said = any("rolled back by" in page.title for page in watch.pages)
    assert said is (outcome in {Outcome.DONE, Outcome.FOUND})


def test_pages_say_whether_somebody_is_needed() -> None:
    """A rollback that works needs nobody; whatever does not, or is somebody else's, does."""
    watch = contained()
    watch.undo(watch.episode, outcome=Outcome.FAILED)
    watch.undo(watch.episode)
    assert [page.urgency for page in watch.pages] == [
        Urgency.SOON, Urgency.NEWS, Urgency.NOW, Urgency.NEWS,
    ]  # fmt: skip
    drifting, failing = contained(), acting()
    drifting.drift()
    failing.end(Outcome.FAILED)
    assert [page.urgency for page in (drifting.pages[-1], *failing.pages)] == [Urgency.NOW] * 2


@pytest.mark.parametrize("held", [TRUE, FALSE, UNKNOWN, None])
@pytest.mark.parametrize("recovered", [TRUE, FALSE, UNKNOWN])
def test_helped_is_true_false_or_unknown_and_only_false_climbs(
    held: Truth | None, recovered: Truth
) -> None:
    watch = acting(*TWO)
    watch.end(Outcome.DONE)
    watch.look(held, recovered)
    helped = TRUE in {held, recovered}
    assert watch.is_now(State.CONTAINED if helped else State.VERIFYING)
    watch.run(20, BREACHED)
    watch.look(held, recovered)
    if helped:
        assert watch.is_now(State.CONTAINED)
    elif {held, recovered} <= {FALSE, None}:
        assert watch.is_now(State.HELD)
        assert watch.episode.rung == 1
    else:
        assert watch.is_now(State.LATCHED)


def test_a_pause_that_blinds_its_own_rule_is_contained_and_pages_no_blindness() -> None:
    watch = acting()
    watch.end(Outcome.DONE)
    watch.run(40, BLIND)
    watch.look(TRUE, UNKNOWN)
    watch.run(40, BLIND)
    assert watch.is_now(State.CONTAINED)
    assert not any(page.key == "rule:errors:blind" for page in watch.pages)


# -- the ladder ------------------------------------------------------------------------------------


def test_a_proven_failure_climbs_and_the_next_rung_asks_every_gate_again() -> None:
    watch = acting(*TWO)
    watch.end(Outcome.FAILED)
    assert watch.is_now(State.HELD)
    watch.run(1, BREACHED)
    assert watch.is_now(State.ACTING)
    assert [intent.action for intent in watch.started] == ["pause", "restore"]
    assert [d.rung for d in watch.decisions if d.ruling is Ruling.ALLOWED] == [0, 1]
    watch.end(Outcome.FAILED)
    assert watch.is_now(State.LATCHED)


def test_what_cannot_be_read_never_climbs() -> None:
    watch = acting(*TWO)
    watch.end(Outcome.UNKNOWN)
    watch.run(60, BREACHED)
    assert watch.is_now(State.LATCHED)
    assert len(watch.started) == 1


def test_a_hold_between_two_rungs_keeps_the_second_from_starting() -> None:
    watch = acting(*TWO)
    watch.end(Outcome.DONE)
    watch.hold()
    watch.run(20, BREACHED)
    watch.look(FALSE, FALSE)
    watch.run(60, BREACHED)
    assert watch.is_now(State.HELD)
    assert len(watch.started) == 1


def test_a_shadow_rung_above_a_real_one_recovers_into_containment() -> None:
    rungs = (Rung("pause", Mode.ARMED, 20.0), Rung("restore", Mode.SHADOW, 20.0))
    watch = Watch(a_policy(actions=TWO, playbooks={"ladder": rungs}))
    watch.break_it()
    watch.end(Outcome.DONE)
    watch.run(20, BREACHED)
    watch.look(FALSE, FALSE)
    watch.run(1, BREACHED)
    assert watch.is_now(State.SHADOWED)
    assert len(watch.started) == 1
    watch.run(1, HEALTHY)
    assert watch.is_now(State.CONTAINED)


def test_two_rungs_are_undone_newest_first_and_watched_after_the_last() -> None:
    watch = acting(*TWO)
    watch.end(Outcome.DONE)
    watch.run(20, BREACHED)
    watch.look(FALSE, FALSE)
    watch.run(1, BREACHED)
    watch.end(Outcome.DONE)
    watch.look(TRUE, TRUE)
    assert [c.target for c in watch.book.claims_of("E1")] == ["flag:redemption", "config:mainnet"]
    watch.undo(watch.episode)
    assert watch.is_now(State.CONTAINED)
    assert [c.target for c in watch.book.claims_of("E1")] == ["flag:redemption"]
    watch.undo(watch.episode)
    assert watch.is_now(State.WATCHED)


def test_an_undo_in_mid_verification_of_a_ladder_is_for_a_person() -> None:
    watch = acting(*TWO)
    watch.end(Outcome.DONE)
    watch.run(20, BREACHED)
    watch.look(FALSE, FALSE)
    watch.run(1, BREACHED)
    watch.end(Outcome.DONE)
    watch.undo(watch.episode)
    assert watch.is_now(State.LATCHED)
    assert "flag:redemption stays rolled back" in watch.episode.reason


# -- undo and watch --------------------------------------------------------------------------------


def test_healthy_alone_undoes_nothing() -> None:
    watch = contained()
    watch.run(100, HEALTHY)
    assert watch.is_now(State.CONTAINED)


def test_what_was_found_rolled_back_ends_when_healthy() -> None:
    watch = acting()
    watch.end(Outcome.FOUND)
    watch.look(TRUE, UNKNOWN)
    watch.run(1, HEALTHY)
    assert watch.is_now(State.OK)
    assert watch.book.claims == {}


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN, Outcome.ABANDONED])
def test_an_undo_that_did_not_happen_leaves_everything_and_pages(outcome: Outcome) -> None:
    watch = contained()
    watch.undo(watch.episode, outcome=outcome)
    assert watch.is_now(State.CONTAINED)
    assert len(watch.book.claims_of("E1")) == 1
    assert watch.pages[-1].title.startswith(f"undo of pause {outcome.value}")


def test_quiet_for_its_time_ends_the_watch_and_names_who_undid_it() -> None:
    watch = watched()
    moved = [m for m in watch.moves() if m.event is Event.UNDONE]
    assert [m.actor for m in moved] == ["alice"]
    watch.run(20, HEALTHY)
    assert watch.is_now(State.OK)


def test_blindness_does_not_end_the_watch() -> None:
    watch = watched()
    watch.run(100, BLIND)
    assert watch.is_now(State.WATCHED)
    watch.run(1, HEALTHY)
    assert watch.is_now(State.OK)


def test_what_lies_before_the_undo_reopens_nothing() -> None:
    watch = watched()
    for since in (UNKNOWN, TRUE):
        watch.seen["errors"].since_undo = since
        watch.run(30, BREACHED)
        assert watch.is_now(State.WATCHED)


def test_a_fresh_breach_reopens_at_the_first_rung_without_cooldown_twice_then_latches() -> None:
    watch = watched(cooldown_seconds=86400.0)
    for chain in (1, 2):
        watch.seen["errors"].since_undo = FALSE
        watch.run(6, BREACHED)
        assert (watch.episode.chain, watch.episode.rung) == (chain, 0)
        assert watch.episode.reopens == f"E{chain}"
        assert len(watch.started) == chain + 1
        watch.end(Outcome.DONE)
        watch.look(TRUE, UNKNOWN)
        watch.undo(watch.episode)
    watch.run(6, BREACHED)
    assert watch.is_now(State.LATCHED)
    assert watch.episode.chain == 2
    assert len(watch.started) == 3
    watch.run(60, HEALTHY)
    assert watch.is_now(State.LATCHED)


def test_a_breach_after_the_watch_is_an_episode_of_its_own_and_cools_down() -> None:
    watch = watched()
    watch.run(25, HEALTHY)
    watch.break_it()
    assert (watch.episode.reopens, watch.episode.chain) == ("", 0)
    assert watch.is_now(State.HELD)


# -- claims ----------------------------------------------------------------------------------------


def two_rules_on_one_flag() -> Watch:
    """E1 paused the flag, E2 found it paused and needs it as well."""
    watch = Watch(a_policy(a_rule(), a_rule("latency")))
    watch.break_it("errors")
    watch.end(Outcome.DONE)
    watch.look(TRUE, UNKNOWN)
    watch.break_it("latency")
    watch.end(Outcome.FOUND)
    watch.look(TRUE, UNKNOWN)
    return watch


def test_whoever_finds_what_another_set_claims_it_as_set_by_us() -> None:
    watch = two_rules_on_one_flag()
    assert [(c.episode, c.found) for c in watch.book.claimants("flag:redemption")] == [
        ("E1", False),
        ("E2", False),
    ]


def test_a_decision_says_who_holds_its_target_already_and_can_be_made_again() -> None:
    watch = two_rules_on_one_flag()
    said = {gate.gate: gate.reason for gate in watch.decisions[-1].gates}
    assert said["target"] == "flag:redemption stands so already, by E1 (errors)"
    assert [replayed(one) for one in watch.decisions] == [(), ()]


def test_who_gave_up_its_claim_ends_by_naming_who_holds_the_target_on() -> None:
    watch = two_rules_on_one_flag()
    with watch.draft() as draft:
        draft.add(ClaimReleased("E2", "flag:redemption", "mended", "alice"))
    watch.run(1, HEALTHY)
    assert watch.book.episodes["E2"].state is State.OK
    held = "flag:redemption stays as it is for E1 (errors)"
    assert watch.book.episodes["E2"].reason == f"healthy, and {held}"


def test_an_undo_is_of_everybody_who_claims_the_target() -> None:
    watch = two_rules_on_one_flag()
    watch.undo(watch.book.episodes["E2"])
    assert {ep.state for ep in watch.book.episodes.values()} == {State.WATCHED}
    assert watch.book.claims == {}


def test_an_undo_concerns_nobody_who_only_failed_to_change_the_target() -> None:
    watch = Watch(a_policy(a_rule(), a_rule("latency", up_to="pause"), actions=TWO))
    watch.break_it("latency")
    watch.end(Outcome.FAILED)
    watch.break_it("errors")
    watch.end(Outcome.DONE)
    watch.look(TRUE, TRUE)
    watch.undo(watch.episode)
    assert watch.is_now(State.WATCHED)
    assert watch.book.episodes["E1"].state is State.LATCHED
    assert [m.episode for m in watch.moves() if m.event is Event.UNDONE] == ["E2"]


def test_while_an_undo_is_under_way_nothing_starts_on_its_target() -> None:
    watch = contained()
    watch.begin_undo(watch.episode)
    watch.policy = a_policy(a_rule(), a_rule("latency"))
    watch.seen["latency"] = type(watch.seen["errors"])()
    watch.break_it("latency")
    assert len(watch.started) == 1
    assert "undo pause for E1" in watch.decisions[-1].reason


# -- drift -----------------------------------------------------------------------------------------


def test_a_change_by_somebody_else_is_told_and_never_forced_back() -> None:
    watch = two_rules_on_one_flag()
    watch.drift()
    assert {ep.state for ep in watch.book.episodes.values()} == {State.WATCHED}
    assert watch.book.claims == {}
    (drift,) = watch.of(Drifted)
    assert isinstance(drift, Drifted)
    assert drift.episodes == ("E1", "E2")
    before = len(watch.started)
    watch.run(60, HEALTHY)
    assert len(watch.started) == before
    assert sum("somebody else" in page.title for page in watch.pages) == 2


def test_a_change_by_a_deploy_that_was_told_is_called_so() -> None:
    """Of one from before the rollback nothing is said: it is what was rolled back."""
    before, since, under_way = contained(), contained(), contained()
    for watch in (since, under_way):
        with watch.draft() as draft:
            draft.add(FreezeLifted("flag:redemption", ("E1",), "alice", "mended"))
        watch.run(2, HEALTHY)
        assert watch.deploy() == ""
    since.deployed()
    for watch in (before, since, under_way):
        watch.run(2, HEALTHY)
        watch.drift()
    named = "flag:redemption was changed with the deploy P1 by pipeline ci while E1 holds it"
    assert [watch.pages[-1].title for watch in (since, under_way)] == [named] * 2
    assert "by somebody else" in before.pages[-1].title


def test_a_latched_episode_stays_latched_when_its_target_drifts_or_is_undone() -> None:
    watch = acting()
    watch.end(Outcome.DONE)
    watch.run(20, BREACHED)
    watch.look(UNKNOWN, UNKNOWN)
    assert watch.is_now(State.LATCHED)
    watch.undo(watch.episode)
    assert watch.is_now(State.LATCHED)


def test_closing_gives_up_every_claim() -> None:
    watch = acting()
    watch.end(Outcome.DONE)
    watch.run(20, BREACHED)
    watch.look(UNKNOWN, UNKNOWN)
    watch.close(watch.episode)
    assert watch.is_now(State.OK)
    assert watch.book.claims == {}


def test_an_undo_that_ends_after_its_episode_was_closed_is_told_all_the_same() -> None:
    watch = acting()
    watch.end(Outcome.DONE)
    watch.run(20, BREACHED)
    watch.look(UNKNOWN, UNKNOWN)
    undo = watch.begin_undo(watch.episode)
    watch.close(watch.episode)
    watch.end(Outcome.DONE, undo)
    assert watch.is_now(State.OK)
    assert watch.pages[-1].title == "flag:redemption is back, as read back"
