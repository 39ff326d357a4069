"""Maintenance windows: weekly, in local time of a named zone, judged at a UTC moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from watchdog.core.spec import MaintenanceWindow


def covering(window: MaintenanceWindow, at: datetime) -> bool:
    """Whether `at` (aware) lies in an occurrence of the window; the end is not part of it.

    Occurrences start on the named local weekdays. Both ends are taken as local wall times, so a
    window over a daylight-saving change is an hour shorter or longer, as its clock shows; a start
    that the change skips or repeats is taken at its first valid reading.
    """
    local = at.astimezone(window.zone)
    for back in (0, 1):  # one that began today, or one that began yesterday and goes on
        day = local.date() - timedelta(days=back)
        if day.isoweekday() not in window.days:
            continue
        ends_next_day = window.until <= window.since
        begin = datetime.combine(day, window.since, window.zone)
        end = datetime.combine(day + timedelta(days=ends_next_day), window.until, window.zone)
        if begin.timestamp() <= at.timestamp() < end.timestamp():
            return True
    return False
