"""The last good drill's age: within it an action starts by itself, beyond it people are asked."""

from dataclasses import replace

import pytest

from tests.core.decisions.test_capabilities import older
from tests.core.decisions.watch import Watch, a_policy, an_action
from watchdog.core.book import Book
from watchdog.core.capabilities import unfinished_by
from watchdog.core.drilled import to_count
from watchdog.core.drills import DrillCounted, DrillEnded, DrillKind, DrillTold
from watchdog.core.entries import Decided, Ruling
from watchdog.core.replay import replayed
from watchdog.core.spec import Rung
from watchdog.core.states import State
from watchdog.core.words import Instant, Mode
from watchdog.store.codec import decode, encode

DAY = 86_400.0
GATED = an_action(drilled_within_seconds=45 * DAY)


def drilled(watch: Watch, number: int, days_ago: float, *, passed: bool = True) -> None:
    """As the order records it: what is told, and what counts by it."""
    ended_at = watch.now.wall - days_ago * DAY
    told = DrillTold(DrillKind.FEATURE_FLAG, passed, ended_at, "pause", reasons=())
    with watch.draft() as draft:
        draft.add(DrillEnded(f"T{number}", told, "alice"))
        for counted in to_count(watch.policy, draft.book.drills):
            draft.add(counted)


@pytest.mark.parametrize(
    ("days_ago", "says"),
    [
        (None, "no good drill of it counts yet"),
        (46.0, "its last good drill, T1, ended at 2026-08-06 "),
        (-1.0, "its good drill T1 ended at 2026-09-22 "),
    ],
)
def test_without_a_good_drill_of_that_age_people_are_asked_and_the_record_says_so_again(
    days_ago: float | None, says: str
) -> None:
    watch = Watch(a_policy(actions=(GATED,)))
    if days_ago is not None:
        drilled(watch, 1, days_ago)
    watch.break_it()
    assert watch.is_now(State.AWAITING)
    decided = watch.decisions[-1]
    assert decided.ruling is Ruling.NEEDS_APPROVAL
    assert decided.reason.startswith("approve, by drilled_within 45d of pause: " + says)
    back = decode(encode(decided))
    assert isinstance(back, Decided)
    assert replayed(back) == (), "the record alone decides the same"
    assert watch.approve("bob") == "pause is approved by bob, and started"
    assert watch.is_now(State.ACTING)


def test_with_one_it_acts_by_itself_and_a_failed_one_since_changes_nothing() -> None:
    watch = Watch(a_policy(actions=(GATED,)))
    drilled(watch, 1, 44.9)
    drilled(watch, 2, 1.0, passed=False)
    watch.break_it()
    assert watch.is_now(State.ACTING)
    assert watch.refolded().drills == watch.book.drills


def test_an_action_without_the_word_asks_for_no_drill() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    assert watch.is_now(State.ACTING)
    drilled(watch, 1, 1.0)
    assert watch.of(DrillCounted) == [], "and an older program still reads its record"


def test_what_is_only_told_does_not_count() -> None:
    """An aside: a program that passes over it must decide the same."""
    watch = Watch(a_policy(actions=(GATED,)))
    told = DrillTold(DrillKind.FEATURE_FLAG, passed=True, ended_at=watch.now.wall, action="pause")
    with watch.draft() as draft:
        draft.add(DrillEnded("T1", told, "alice"))
    watch.break_it()
    assert watch.is_now(State.AWAITING)


def test_it_lifts_no_other_limit() -> None:
    rungs = {"ladder": (Rung("pause", Mode.SHADOW, 20.0),)}
    watch = Watch(a_policy(actions=(GATED,), playbooks=rungs))
    watch.break_it()
    assert watch.decisions[-1].ruling is Ruling.WOULD_ACT


def test_to_the_second() -> None:
    young = Watch(a_policy(actions=(GATED,)))
    drilled(young, 1, 45.0 - 60 / DAY)
    young.break_it()
    assert young.is_now(State.ACTING)
    old = Watch(a_policy(actions=(GATED,)))
    drilled(old, 1, 45.0 + 1 / DAY)
    old.break_it()
    assert old.is_now(State.AWAITING)


def test_a_member_of_a_family_goes_by_its_familys_drill() -> None:
    book = Book()
    at = Instant(1_790_000_000.0, 1.0)
    told = DrillTold(DrillKind.FEATURE_FLAG, passed=True, ended_at=at.wall, action="pause")
    book.apply(DrillEnded("T1", told, "alice"), at)
    members = (replace(GATED, name="pause{region=eu}"), replace(GATED, name="pause{region=us}"))
    policy = a_policy(actions=members)
    (counted,) = to_count(policy, book.drills)
    assert counted == DrillCounted("pause", "T1", at.wall)
    book.apply(counted, at)
    assert to_count(policy, book.drills) == (), "once"


def test_a_daemon_that_does_not_know_the_word_keeps_the_action_from_starting() -> None:
    fellow = older("way:action-spec/drilled_within_seconds")
    assert "does not know `action-spec/drilled_within_seconds`" in unfinished_by(GATED, (fellow,))
    assert unfinished_by(an_action(), (fellow,)) == ""
