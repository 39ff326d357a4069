"""Maintenance windows: local weekly times of a named zone, held against UTC moments."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from watchdog.core.calendar import covering
from watchdog.core.spec import MaintenanceWindow, Scope

SUNDAY, MONDAY, TUESDAY, SATURDAY = 7, 1, 2, 6


def window(day: int, since: str, until: str, zone: str = "Europe/Zurich") -> MaintenanceWindow:
    begin, end = time.fromisoformat(since), time.fromisoformat(until)
    return MaintenanceWindow("deploy", Scope("all"), (day,), begin, end, ZoneInfo(zone), "weekly")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def minutes_covered(what: MaintenanceWindow, day: str) -> int:
    """How many minutes of this day and those beside it are covered."""
    first = utc(f"{day} 00:00") - timedelta(days=1)
    return sum(covering(what, first + timedelta(minutes=m)) for m in range(3 * 1440))


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        ("2026-07-07 00:00", True),  # 02:00 in Zurich's summer
        ("2026-07-07 01:59:59", True),
        ("2026-07-07 02:00", False),  # the end is not part of it
        ("2026-07-06 23:59:59", False),
        ("2026-07-08 00:30", False),  # the same hour of another day
        ("2026-01-06 00:30", False),  # winter: Zurich is one hour ahead of UTC
        ("2026-01-06 01:00", True),
        ("2026-01-06 02:59", True),
    ],
)
def test_local_time_of_the_zone_counts_summer_and_winter(at: str, *, covered: bool) -> None:
    assert covering(window(TUESDAY, "02:00", "04:00"), utc(at)) is covered


def test_the_moment_may_be_told_in_any_zone() -> None:
    what = window(TUESDAY, "02:00", "04:00")
    tokyo = utc("2026-07-07 00:30").astimezone(ZoneInfo("Asia/Tokyo"))
    assert covering(what, tokyo)


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        ("2026-07-11 20:59", False),
        ("2026-07-11 21:00", True),  # Saturday 23:00 in Zurich
        ("2026-07-12 00:59", True),  # Sunday 02:59: it began on Saturday
        ("2026-07-12 01:00", False),
        ("2026-07-12 21:30", False),  # Sunday 23:30: no window begins on a Sunday
        ("2026-07-11 00:30", False),  # Saturday 02:30: none began on Friday
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_began(at: str, *, covered: bool) -> None:
    assert covering(window(SATURDAY, "23:00", "03:00"), utc(at)) is covered


def test_a_window_from_an_hour_to_itself_is_a_whole_day() -> None:
    assert minutes_covered(window(TUESDAY, "06:00", "06:00"), "2026-07-07") == 1440


@pytest.mark.parametrize(
    ("day", "minutes"),
    [
        ("2026-03-22", 240),
        ("2026-03-29", 180),  # the clock goes from 02:00 to 03:00
        ("2026-10-25", 300),  # from 03:00 back to 02:00
    ],
)
def test_a_window_over_a_change_of_the_clock_is_as_long_as_its_clock_shows(
    day: str, minutes: int
) -> None:
    assert minutes_covered(window(SUNDAY, "01:00", "05:00"), day) == minutes


def test_a_window_over_midnight_and_a_change_of_the_clock() -> None:
    assert minutes_covered(window(SATURDAY, "23:00", "04:00"), "2026-03-28") == 240
    assert minutes_covered(window(SATURDAY, "23:00", "04:00"), "2026-10-24") == 360


def test_a_beginning_that_the_change_skips_or_repeats_is_covered_once_and_without_a_hole() -> None:
    for day in ("2026-03-29", "2026-10-25"):
        what = window(SUNDAY, "02:30", "04:00")
        first = utc(f"{day} 00:00")
        covered = [covering(what, first + timedelta(minutes=m)) for m in range(1440)]
        assert sum(a is not b for a, b in pairwise(covered)) <= 2
        assert covering(what, utc(f"{day} 01:59" if day < "2026-06" else f"{day} 02:59"))


def test_a_zone_that_is_not_an_hour_off_and_one_across_the_date_line() -> None:
    kathmandu = window(MONDAY, "00:00", "01:00", "Asia/Kathmandu")  # UTC+5:45
    assert covering(kathmandu, utc("2026-07-05 18:15"))
    assert not covering(kathmandu, utc("2026-07-05 18:14"))
    kiritimati = window(MONDAY, "00:00", "01:00", "Pacific/Kiritimati")  # UTC+14
    assert covering(kiritimati, utc("2026-07-05 10:30"))
    assert not covering(kiritimati, utc("2026-07-06 00:30"))
