"""Drills: what counts is the last good one; overdue is told once a due date; nothing follows."""

from dataclasses import replace

from watchdog.core.book import Book
from watchdog.core.drills import (
    DrillEnded,
    DrillKind,
    DrillPlan,
    DrillStage,
    DrillTold,
    Timed,
    faults,
    missed,
)
from watchdog.core.words import Instant

DAY = 86_400.0
PLAN = DrillPlan(DrillKind.CONFIG, 30 * DAY)


def at(day: float) -> Instant:
    return Instant(1_800_000_000.0 + day * DAY, 100.0)


def ended(number: int, day: float, *, passed: bool = True, action: str = "restore") -> DrillEnded:
    told = DrillTold(DrillKind.CONFIG, passed, at(day).wall, action)
    return DrillEnded(f"T{number}", told, "alice")


def test_a_failed_drill_makes_nothing_younger() -> None:
    book = Book()
    assert book.drills.is_overdue(PLAN, at(0)), "it never went well"
    book.apply(ended(1, 0), at(0))
    book.apply(ended(2, 20, passed=False), at(20))
    assert book.drills.age(DrillKind.CONFIG, at(20)) == 20 * DAY
    assert not book.drills.is_overdue(PLAN, at(29.9))
    assert book.drills.is_overdue(PLAN, at(30))
    assert not book.drills.is_near(PLAN, at(26.9))
    assert book.drills.is_near(PLAN, at(27.1))
    assert book.drills.last[DrillKind.CONFIG].drill == "T2"
    assert book.drills.of_action["restore"].drill == "T2"
    assert book.drills.good_of_action["restore"].drill == "T1"
    assert book.next_id("T") == "T3"


def test_one_that_is_recorded_late_counts_from_its_own_end() -> None:
    book = Book()
    book.apply(ended(1, 10), at(10))
    book.apply(ended(2, 3), at(11))
    assert book.drills.good[DrillKind.CONFIG].drill == "T1"
    assert book.drills.due_at(PLAN) == at(40).wall


def test_overdue_is_told_once_for_each_due_date() -> None:
    book = Book()
    assert book.drills.untold(PLAN, at(0))
    book.apply(missed(PLAN, book.drills), at(0))
    assert not book.drills.untold(PLAN, at(500)), "it never went well, and people know"
    book.apply(ended(1, 500), at(500))
    assert not book.drills.untold(PLAN, at(529))
    assert book.drills.untold(PLAN, at(530))
    book.apply(missed(PLAN, book.drills), at(530))
    assert not book.drills.untold(PLAN, at(600))
    longer = replace(PLAN, every_seconds=60 * DAY)
    assert book.drills.untold(longer, at(600)), "another plan has another due date"


def test_a_stage_that_is_late_or_was_never_reached_is_a_fault() -> None:
    met = Timed(DrillStage.DETECT, 2.0, 2.0, "the window")
    late = Timed(DrillStage.EFFECT, 31.0, 30.0, "the action's `sla`")
    stages = {DrillStage.DETECT: met, DrillStage.EFFECT: late}
    assert faults(stages, (DrillStage.DETECT,)) == ()
    assert faults(stages, (DrillStage.DETECT, DrillStage.EFFECT, DrillStage.RESUMED)) == (
        "effect: 31.0 s, and the action's `sla` is 30 s",
        "resumed: never reached",
    )
