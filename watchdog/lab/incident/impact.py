"""What an episode cost: what was measured, and the newest of each thing that people found out."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.entries import ImpactTold
from watchdog.core.measures import Measure
from watchdog.core.standing import MANUAL
from watchdog.core.text import number
from watchdog.core.words import Instant
from watchdog.lab.incident.values import Gathered
from watchdog.lab.papers import lasted

SAID = ("tickets", "affected", "satisfaction", "feedback", "community", "metrics", "data_loss")


@dataclass(frozen=True, slots=True)
class Found:
    """The newest of one thing, who said it and when. `of` belongs to `affected`."""

    what: str
    value: int | float | str
    actor: str
    at: Instant
    of: str = ""


def newest(impacts: list[tuple[Instant, ImpactTold]]) -> tuple[Found, ...]:
    """One for each thing that was ever said."""
    found: dict[str, Found] = {}
    for at, told in impacts:
        for what in SAID:
            value = getattr(told, what)
            if value not in {None, ""}:
                of = (told.of or "users") if what == "affected" else ""
                found[what] = Found(what, value, told.actor, at, of)
    return tuple(found[what] for what in SAID if what in found)


def measured(found: Gathered) -> tuple[tuple[str, str], ...]:
    """What the watchdog counted by itself, and why not where it could not."""
    one, now = found.measure, found.last
    if one is None or now is None:
        return (("measured", "not kept: the episode began before what the record still has"),)
    rows = [("failed events", _events(one)), ("affected", _affected(one))]
    if one.rule != MANUAL:
        down = one.downtime(now) if one.lasted else 0.0
        since = ", and fails on" if one.failing_since is not None and one.lasted else ""
        rows.append(("service down for", f"{lasted(down)}{since}"))
        rows.append(("service now", one.service.value))
    return tuple(rows)


def _events(one: Measure) -> str:
    told = one.impact
    if told is None or told.failed_events is None:
        return "not counted: the rule counts no events"
    return f"{number(told.failed_events, 15)}{one.as_of}"


def _affected(one: Measure) -> str:
    told = one.impact
    if told is None or not told.of:
        return "not known: the rule has no `impact`"
    if told.affected is None:
        return f"not known: {told.reason}"
    return f"{number(told.affected, 15)} {told.of}{one.as_of}"
