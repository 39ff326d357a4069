"""What was given up and takes effect after all: who holds it, what it counts for, what is said."""

from __future__ import annotations

import pytest

from tests.core.decisions.watch import BREACHED, HEALTHY, Watch, a_policy, a_rule
from watchdog.core import entries as e
from watchdog.core.aftermath import came_late
from watchdog.core.late import LATE_SECONDS, Late, Tried
from watchdog.core.states import State
from watchdog.core.words import Direction, Instant, Truth

TARGET = "flag:redemption"


def given_up(outcome: e.Outcome, result: str = "unknown", **rule: object) -> Watch:
    """Its change was sent, or not, and did not show."""
    watch = Watch(a_policy(a_rule(**rule)))
    watch.break_it()
    tried(watch, result)
    watch.end(outcome)
    return watch


def tried(watch: Watch, result: str) -> None:
    with watch.draft() as draft:
        draft.add(e.StepTaken(next(iter(watch.book.intents)), "change", result, "no answer"))


def looked_out_for(watch: Watch) -> list[Tried]:
    return list(watch.book.late.standing(watch.now))


def comes(watch: Watch) -> None:
    (one,) = looked_out_for(watch)
    with watch.draft() as draft:
        came_late(one, "enabled: false", draft)


@pytest.mark.parametrize("outcome", [e.Outcome.FAILED, e.Outcome.UNKNOWN, e.Outcome.ABANDONED])
def test_who_had_asked_for_it_holds_it_and_is_told_how_to_undo_it(outcome: e.Outcome) -> None:
    watch = given_up(outcome)
    comes(watch)
    (claim,) = watch.book.claimants(TARGET)
    assert (claim.episode, claim.found) == ("E1", False)
    assert "slo-watchdog undo E1" in watch.pages[-1].body
    assert [start.intent for start in watch.book.acted] == ["I1"], "a start, after all"
    assert looked_out_for(watch) == []
    assert watch.refolded() == watch.book
    watch.undo(watch.episode)
    assert watch.book.claimants(TARGET) == ()


def test_a_held_episode_that_recovers_by_it_is_contained_and_not_over() -> None:
    watch = given_up(e.Outcome.ABANDONED, cooldown_seconds=600.0)
    watch.run(1, BREACHED)
    watch.end(e.Outcome.ABANDONED)
    comes(watch)
    watch.run(3, HEALTHY)
    assert watch.is_now(State.CONTAINED)


def test_of_an_episode_that_is_over_it_is_told_that_nobody_holds_it() -> None:
    watch = given_up(e.Outcome.FAILED)
    watch.close(watch.episode)
    comes(watch)
    assert watch.book.claimants(TARGET) == ()
    assert "nobody holds it" in watch.pages[-1].body


@pytest.mark.parametrize("result", ["not_done", "refused", "conflict"])
def test_what_was_not_sent_or_was_refused_does_not_come(result: str) -> None:
    assert looked_out_for(given_up(e.Outcome.FAILED, result)) == []


def test_what_is_proven_and_what_is_long_ago_is_not_looked_out_for() -> None:
    assert looked_out_for(given_up(e.Outcome.DONE)) == []
    watch = given_up(e.Outcome.FAILED)
    watch.now = watch.now.plus(LATE_SECONDS - 1)
    assert len(looked_out_for(watch)) == 1
    watch.now = watch.now.plus(1)
    assert looked_out_for(watch) == []


def test_a_whole_folder_is_told_by_its_marks_and_not_by_what_is_served() -> None:
    at, facts, late = Instant(0.0, 0.0), (("digest", "d"),), Late()
    what = "I1", "E1", "restore", "config:/live"
    late.take(e.IntentOpened(*what, Direction.DO, at, facts=facts), at)
    late.take(e.StepTaken("I1", "change", "unknown", "killed"), at)
    late.take(e.IntentEnded(*what, Direction.DO, e.Outcome.UNKNOWN, "cannot be told", "", 1.0), at)
    assert list(late.standing(at)) == []


def test_a_target_that_is_back_after_an_undo_that_was_given_up_is_not_laid_to_others() -> None:
    watch = given_up(e.Outcome.DONE)
    undo = watch.begin_undo(watch.episode)
    tried(watch, "unknown")
    watch.end(e.Outcome.FAILED, undo)
    watch.drift()
    assert f"{TARGET} is back, by an undo that was given up or by somebody else, while E1" in (
        watch.pages[-1].title
    )


# -- a breach that could only be recorded later ----------------------------------------------------


def test_a_breach_that_could_only_be_recorded_later_is_counted_from_when_it_was_seen() -> None:
    """The store was lost for 20 s: nobody led, and everybody watched."""
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    began = watch.now.plus(1.0)
    watch.follow(20, BREACHED)
    watch.run(1)
    ep, measure = watch.episode, watch.book.measures.episodes["E1"]
    assert ep.breached_at == measure.breached == began
    assert ep.opened == watch.now
    watch.end()
    assert ep.seconds_to_effect == watch.now.steady - began.steady
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    assert measure.contained is not None
    assert measure.contained.steady - measure.breached.steady == 20.0


def test_a_breach_that_is_recorded_as_it_is_seen_says_so_by_its_entry_alone() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    (opened,) = watch.of(e.EpisodeOpened)
    assert isinstance(opened, e.EpisodeOpened)
    assert opened.breached is None
    assert watch.episode.breached_at == watch.episode.opened
