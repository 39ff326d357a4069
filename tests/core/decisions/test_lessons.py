"""Follow-ups: numbered, overdue after their day, never forgotten while they are open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.core.decisions.watch import BREACHED, Watch, a_policy
from watchdog.core.book import Book
from watchdog.core.entries import FollowUpAdded, FollowUpClosed, ImpactTold, Unread
from watchdog.core.hindsight import Task, day_of, ends_at
from watchdog.core.lessons import KEPT_CLOSED
from watchdog.core.words import Instant
from watchdog.engine.retention import _BOOK, snapshot

DUE = "2026-12-01"


def added(number: int, due: str = DUE) -> FollowUpAdded:
    return FollowUpAdded(f"F{number}", "E1", Task.TEST, "bob", due, "try it", "alice")


def at(year: int, month: int, day: int, hour: int = 0) -> Instant:
    return Instant(datetime(year, month, day, hour, tzinfo=UTC).timestamp(), 100.0)


def test_it_is_overdue_when_its_day_is_over_and_no_sooner() -> None:
    book = Book()
    book.apply(added(1), at(2026, 11, 20))
    ends = datetime(2026, 12, 2, tzinfo=UTC).timestamp()
    assert not book.lessons.overdue(Instant(ends - 1.0, 100.0))
    (late,) = book.lessons.overdue(Instant(ends, 100.0))
    assert late.entry.follow_up == "F1"
    book.apply(FollowUpClosed("F1", "bob", "tried"), at(2026, 12, 3))
    assert book.lessons.overdue(at(2027, 1, 1)) == ()
    assert book.lessons.open() == ()


def test_days_are_dates_and_nothing_else() -> None:
    for text in ("2026-13-01", "20261201", "2026-12-1", "2026-W48-2", "tomorrow", ""):
        assert day_of(text) is None, text
    day = day_of("2026-12-31")
    assert day is not None
    assert ends_at(day) == datetime(2027, 1, 1, tzinfo=UTC).timestamp()


def test_what_is_open_is_never_forgotten_and_what_is_closed_after_many_others() -> None:
    book = Book()
    for number in range(1, KEPT_CLOSED + 12):
        book.apply(added(number), at(2026, 11, 20))
        if number != 1:
            book.apply(FollowUpClosed(f"F{number}", "bob", "done"), at(2026, 11, 21))
    kept = book.lessons.follow_ups
    assert len(kept) == KEPT_CLOSED + 1
    assert "F1" in kept
    assert "F2" not in kept
    assert book.next_id("F") == f"F{KEPT_CLOSED + 12}"


def test_they_change_nothing_that_is_decided_and_survive_a_retirement() -> None:
    plain, told = Watch(a_policy()), Watch(a_policy())
    for watch in (plain, told):
        watch.run(2, BREACHED)
    with told.draft() as draft:
        draft.add(ImpactTold("E1", "alice", tickets=3, satisfaction=2.0, data_loss="none"))
        draft.add(added(1))
        draft.add(Unread('{"kind":"aside.moon_seen"}', "aside.moon_seen"))
    for watch in (plain, told):
        watch.run(4)
    decided = [entry for _, entry in told.journal if not entry.kind.startswith("aside.")]
    assert decided == [entry for _, entry in plain.journal]
    again = _BOOK.validate_json(snapshot(told.book))
    assert again == told.book
    assert again.lessons.follow_ups["F1"].entry == added(1)
    again.counts.pop("F")
    assert replace(again, lessons=plain.book.lessons) == plain.book
