"""Counter windows: what they count, what they leave out, what they cost."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from tests.core.windows.polls import WALL, Polls, instant, points
from watchdog.core.windows import Tally, bucket_seconds

HOUR = 3600.0
DAY = 24 * HOUR


def started(*windows: float, every: float = 5.0) -> Polls:
    polls = Polls(Tally(every, windows or (30.0,)), every)
    polls.poll()
    return polls


@pytest.mark.parametrize(
    ("every", "window", "width"),
    [
        (1, 30, 1),
        (5, 30, 5),
        (5, 1800, 10),
        (7, HOUR, 14),
        (5, HOUR, 15),
        (60, 300, 15),
        (5, HOUR + 1, 300),
        (5, 30 * DAY, 300),
    ],
)
def test_buckets_are_narrow_up_to_an_hour_and_five_minutes_beyond(
    every: float, window: float, width: float
) -> None:
    assert bucket_seconds(every, window) == width


@pytest.mark.parametrize("window", [30.0, 300.0, HOUR, 6 * HOUR])
def test_a_window_watched_without_a_break_holds_exactly_its_own_events(window: float) -> None:
    polls = started(window)
    for _ in range(round(window / 5) + 77):
        polls.step(ok=9, failed=1)
    reading = polls.tally.read(window, instant(polls.at))
    assert reading.bad == pytest.approx(window / 5, rel=1e-12)
    assert reading.total == pytest.approx(10 * window / 5, rel=1e-12)
    assert (reading.filled, reading.coverage) == (0.0, 1.0)


def test_whole_numbers_stay_whole_for_a_month() -> None:
    polls = started(30.0, every=15.0)
    for _ in range(20_000):
        polls.step(ok=3, failed=7)
    reading = polls.tally.read(30.0, instant(polls.at))
    assert (reading.bad, reading.total) == (14.0, 20.0)


def test_fractions_leave_nothing_behind() -> None:
    polls = started()
    for _ in range(100):
        polls.step(ok=0.1, failed=0.7)
    for _ in range(10):
        polls.step(ok=0.1)
    assert polls.tally.read(30.0, instant(polls.at)).bad == 0.0


def test_failures_leave_the_window_when_they_are_old() -> None:
    polls = started()
    polls.step(ok=10, failed=10)
    for _ in range(5):
        polls.step(ok=20)
    assert polls.tally.read(30.0, instant(polls.at)).bad == 10
    polls.step(ok=20)
    assert polls.tally.read(30.0, instant(polls.at)).bad == 0


def test_a_window_ends_at_the_newest_sample_and_not_in_the_wait_for_the_next() -> None:
    polls = started()
    for _ in range(7):
        polls.step(ok=20)
    assert polls.tally.read(30.0, instant(polls.at + 9)).coverage == 1.0


def test_missed_polls_lower_the_coverage() -> None:
    polls = started()
    for _ in range(7):
        polls.step(ok=20)
    reading = polls.tally.read(30.0, instant(polls.at + 25.5))
    assert reading.coverage == pytest.approx(0.5)
    assert reading.filled == pytest.approx(60, rel=1e-3)


def test_the_unseen_part_counts_as_good_traffic_at_the_seen_rate() -> None:
    polls = started()
    polls.step(ok=15, failed=5)
    reading = polls.tally.read(30.0, instant(polls.at))
    assert (reading.bad, reading.total) == (5, 20)
    assert reading.filled == pytest.approx(100, rel=1e-3)
    assert reading.coverage == pytest.approx(5 / 30)
    assert reading.ratio == pytest.approx(5 / 120, rel=1e-3)


def test_the_unseen_part_counts_at_the_last_recorded_rate_where_that_is_higher() -> None:
    polls = started()
    for _ in range(7):
        polls.step(ok=200)
    polls.at += 3600
    polls.reset()
    polls.poll(restarted=True)
    reading = polls.tally.read(30.0, instant(polls.at))
    assert reading.filled == pytest.approx(1200, rel=1e-3)
    polls.step(ok=0, failed=1)
    assert polls.tally.recorded_rate == 40
    reading = polls.tally.read(30.0, instant(polls.at))
    assert reading.filled == pytest.approx(1000, rel=1e-3)


def test_a_gap_counts_in_the_window_that_holds_it_and_in_no_window_that_begins_inside() -> None:
    polls = started(30.0, 300.0)
    for _ in range(60):
        polls.step(ok=20)
    polls.step(ok=0, failed=240, intervals=12)
    short = polls.tally.read(30.0, instant(polls.at))
    assert (short.bad, short.total, short.coverage) == (0, 0, 0)
    long = polls.tally.read(300.0, instant(polls.at))
    assert (long.bad, long.total) == (240, 1200)
    assert long.coverage == pytest.approx(0.8)
    assert long.filled == pytest.approx(0, abs=0.1)


def test_one_missed_poll_is_no_gap() -> None:
    polls = started()
    for _ in range(7):
        polls.step(ok=20)
    assert not polls.step(ok=40, intervals=2).gap
    assert polls.tally.read(30.0, instant(polls.at)).coverage == 1.0
    assert polls.step(ok=40, intervals=3).gap


def test_a_reset_counter_counts_from_zero_and_the_coverage_falls() -> None:
    polls = started()
    for _ in range(7):
        polls.step(ok=20)
    polls.reset()
    seen = polls.step(ok=12)
    assert (seen.total, seen.resets) == (12, 1)
    reading = polls.tally.read(30.0, instant(polls.at))
    assert reading.total == 112
    assert reading.coverage == pytest.approx(25 / 30)


def test_one_series_of_many_that_is_reset_hardly_dilutes_the_others() -> None:
    tally = Tally(5.0, (30.0,))
    for tick in range(9):
        at = instant(tick * 5)
        pods = [(f"pod-{i}", 1000.0 + 10 * tick) for i in range(20)]
        if tick == 8:
            pods[0] = ("pod-0", 3.0)
        total = [p for name, value in pods for p in points(value, pod=name)]
        tally.observe(at, at.wall, (), total)
    reading = tally.read(30.0, instant(40))
    assert reading.total == 5 * 200 + 190 + 3
    assert reading.filled < 15  # one twentieth of an interval


def test_a_series_is_born_at_zero_after_an_earlier_look() -> None:
    tally = Tally(5.0, (30.0,))
    tally.observe(instant(0), WALL, (), points(50, code="200"))
    seen = tally.observe(
        instant(5), WALL + 5, points(1, code="500"), points(60, code="200") + points(1, code="500")
    )
    assert (seen.bad, seen.total) == (1, 11)


def test_a_series_of_the_first_look_shows_no_increase() -> None:
    tally = Tally(5.0, (30.0,))
    assert tally.observe(instant(0), WALL, points(9), points(50)).first
    assert not tally.ready
    assert tally.observe(instant(5), WALL + 5, points(9), points(50)).bad == 0


def test_a_series_that_appears_with_a_restart_is_unknown() -> None:
    tally = Tally(5.0, (30.0,))
    tally.observe(instant(0), WALL, (), points(50, code="200"))
    seen = tally.observe(
        instant(5), WALL + 5, points(4, code="500"), points(50, code="200"), restarted=True
    )
    assert seen.bad == 0


def test_a_target_that_was_never_seen_before_brings_no_lifetime_of_counts_along() -> None:
    tally = Tally(5.0, (30.0,))
    one = points(50, instance="a:1", job="x")
    tally.observe(instant(0), WALL, (), one)
    seen = tally.observe(instant(5), WALL + 5, (), one + points(9000, instance="b:1", job="x"))
    assert seen.total == 0
    born = points(3, instance="b:1", job="x", code="500")
    seen = tally.observe(instant(10), WALL + 10, born, one)
    assert seen.bad == 3  # of a target that has been seen since


def test_a_series_that_vanished_goes_on_from_its_last_value() -> None:
    tally = Tally(5.0, (30.0,))
    tally.observe(instant(0), WALL, points(7, code="500"), points(50))
    tally.observe(instant(5), WALL + 5, (), points(60))
    seen = tally.observe(instant(10), WALL + 10, points(9, code="500"), points(70))
    assert seen.bad == 2


def test_what_had_to_be_forgotten_is_never_taken_for_newborn() -> None:
    tally = Tally(5.0, (30.0,))
    lasting = points(50, user="lasting")
    tally.observe(instant(0), WALL, (), points(1e6, user="early") + lasting)
    for tick in range(1, 1100):
        at = instant(tick * 5)
        tally.observe(at, at.wall, (), points(1, user=str(tick)) + lasting)
    at = instant(1100 * 5)
    assert tally.observe(at, at.wall, (), points(1e6, user="early") + lasting).total == 0


def test_bad_is_what_is_not_good() -> None:
    tally = Tally(5.0, (30.0,))
    tally.observe(instant(0), WALL, points(90), points(100), good=True)
    assert tally.observe(instant(5), WALL + 5, points(97), points(110), good=True).bad == 3


@pytest.mark.parametrize("wall_step", [-3600.0, 3600.0])
def test_a_step_of_the_wall_clock_moves_no_window(wall_step: float) -> None:
    polls = started()
    for _ in range(7):
        polls.step(ok=18, failed=2)
    later = instant(polls.at + 5, wall_step)
    total = points(polls.ok + 20, code="200") + points(polls.failed, code="500")
    seen = polls.tally.observe(later, later.wall, points(polls.failed, code="500"), total)
    assert (seen.gap, seen.total) == (False, 20)
    reading = polls.tally.read(30.0, later)
    assert (reading.bad, reading.total, reading.coverage) == (10, 120, 1.0)


def test_samples_older_than_the_last_are_ignored_and_no_reset() -> None:
    polls = started()
    polls.step(ok=20)
    now = instant(polls.at + 1)
    assert not polls.tally.observe(now, now.wall - 4, (), points(101, code="200")).fresh
    assert polls.step(ok=20).total == 20


def test_the_same_samples_again_count_once() -> None:
    polls = started()
    assert polls.step(ok=20).fresh
    again = instant(polls.at + 2)
    total = points(polls.ok, code="200")
    assert not polls.tally.observe(again, instant(polls.at).wall, (), total).fresh


def test_time_stands_at_the_samples_and_not_at_the_question() -> None:
    tally = Tally(15.0, (300.0,))
    for tick in range(22):
        asked = instant(tick * 15 + 9 + tick % 3)
        tally.observe(asked, WALL + tick * 15, (), points(10 * tick))
    reading = tally.read(300.0, instant(21 * 15 + 11))
    assert (reading.total, reading.coverage) == (200, 1.0)


def test_a_jump_far_ahead_clears_the_windows_and_no_more() -> None:
    polls = started(30.0, 6 * HOUR)
    for _ in range(720):
        polls.step(ok=20)
    polls.step(ok=20, intervals=720)
    assert polls.tally.read(30.0, instant(polls.at)).coverage == 0
    half = polls.tally.read(6 * HOUR, instant(polls.at))
    assert half.coverage == pytest.approx(HOUR / (6 * HOUR), rel=0.01)
    assert half.total == 720 * 20 + 20


def test_since_counts_only_what_lies_wholly_after() -> None:
    polls = started()
    polls.step(ok=10, failed=10)
    effect = instant(polls.at + 2)
    polls.step(ok=10, failed=10)  # began before the effect
    assert polls.tally.since(effect) == (0, 0, 0)
    polls.step(ok=19, failed=1)
    polls.step(ok=20)
    assert polls.tally.since(effect) == (1, 40, 10)
    assert polls.tally.since(instant(polls.at + 1)) == (0, 0, 0)


def test_since_reaches_back_for_days_and_never_before_the_moment() -> None:
    polls = started()
    for _ in range(1000):
        polls.step(ok=1)
    effect = instant(polls.at)
    for _ in range(3000):
        polls.step(ok=20)
    bad, total, seconds = polls.tally.since(effect)
    assert bad == 0
    assert 0.8 * 3000 * 20 <= total <= 3000 * 20
    assert seconds == total / 4


def test_thirty_days_of_one_slo_are_small() -> None:
    assert Tally(15.0, (HOUR, 300.0, 30 * DAY)).bytes_held < 95_000
    assert Tally(15.0, (30 * DAY,)).bytes_held < 92_000


def test_thirty_days_of_fractions_take_twice_the_room_and_no_more() -> None:
    polls = started(30 * DAY, every=15.0)
    polls.step(ok=0.5, failed=0.25)
    assert polls.tally.bytes_held < 165_000


def lines_run_by_a_read(tally: Tally, window: float, at: float) -> int:
    count = 0

    def trace(_frame: FrameType, _event: str, _arg: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]  # typeshed's alias refers to itself
    try:
        tally.read(window, instant(at))
    finally:
        sys.settrace(before)
    return count


def test_reading_a_month_takes_no_more_steps_than_reading_five_minutes() -> None:
    polls = started(300.0, 30 * DAY)
    for _ in range(200):
        polls.step(ok=20, failed=1)
    short = lines_run_by_a_read(polls.tally, 300.0, polls.at)
    assert 0 < short < 100
    # a line more or less, by how far into its first bucket the window begins
    assert abs(short - lines_run_by_a_read(polls.tally, 30 * DAY, polls.at)) < 10


def test_nothing_seen_yet_reads_as_nothing() -> None:
    reading = Tally(5.0, (30.0,)).read(30.0, instant(0))
    assert (reading.total, reading.coverage, reading.ratio) == (0, 0, None)
