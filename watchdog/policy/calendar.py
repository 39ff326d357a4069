"""Maintenance windows: weekly, in a zone's local time."""

from __future__ import annotations

import contextlib
import re
from datetime import time
from zoneinfo import ZoneInfo

from watchdog.core.spec import MaintenanceWindow, Scope
from watchdog.policy.nodes import Place
from watchdog.policy.platform_models import ScopeShape, WindowShape
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import shown

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,2}\Z", re.ASCII)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def window_spec(
    entry: Entry, shape: WindowShape | None, findings: Findings
) -> MaintenanceWindow | None:
    if shape is None:
        return None
    since = _clock(entry, "from", shape.from_, findings)
    until = _clock(entry, "to", shape.to, findings)
    zone = zone_named(entry.at("zone"), shape.zone, findings)
    scope = _scope(entry, shape.scope, findings)
    if len(set(shape.days)) != len(shape.days):
        findings.refuse(entry.at("days"), "a day stands twice", "Keep one.")
    if since is not None and since == until:
        findings.refuse(
            entry.at("to"),
            "the window ends when it begins, which would be a whole day",
            'Write another time; "23:59" for nearly all of a day.',
        )
    if since is None or until is None or zone is None or scope is None:
        return None
    return MaintenanceWindow(
        name=entry.name,
        scope=scope,
        days=tuple(sorted({_DAYS.index(day) + 1 for day in shape.days})),
        since=since,
        until=until,
        zone=zone,
        reason=shape.reason,
    )


def _clock(entry: Entry, key: str, text: str, findings: Findings) -> time | None:
    match = _CLOCK.match(text)
    if match is None:
        findings.refuse(
            entry.at(key), f"{shown(text)} is no time of day", 'Write it like "02:00", in quotes.'
        )
        return None
    return time(int(match[1]), int(match[2]))


def zone_named(place: Place, text: str, findings: Findings) -> ZoneInfo | None:
    if _ZONE.match(text):
        # a missing zone is a KeyError, a folder of zones an OSError
        with contextlib.suppress(ValueError, OSError, KeyError):
            return ZoneInfo(text)
    findings.refuse(
        place,
        f"{shown(text)} is no IANA time zone",
        "Write it like Europe/Zurich or UTC.",
    )
    return None


def _scope(entry: Entry, shape: ScopeShape | str, findings: Findings) -> Scope | None:
    if isinstance(shape, str):
        return Scope("all")
    given = {kind: name for kind in ("owner", "rule", "target") if (name := getattr(shape, kind))}
    if len(given) != 1:
        findings.refuse(
            entry.at("scope"),
            f"a scope of {len(given)} things",
            "Write `all`, or exactly one of {owner: X}, {rule: X}, {target: X}.",
        )
        return None
    ((kind, name),) = given.items()
    return Scope(kind, name)
