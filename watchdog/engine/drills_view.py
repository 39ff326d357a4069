"""Drills as people and metrics are shown them: the last of each kind, when the next is due."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.drilled import kind_of, undrilled
from watchdog.core.drills import DrillEnded, DrillKind, planned
from watchdog.core.naming import family_of
from watchdog.core.spec import ActionSpec
from watchdog.core.words import Instant
from watchdog.engine.engine import Engine
from watchdog.engine.shapes import DrillShape
from watchdog.engine.shapes_around import DrillKindShape
from watchdog.engine.verdict_view import utc


@dataclass(frozen=True, slots=True)
class DrillNow:
    """One kind, for metrics. `age_seconds` is infinite where there never was a good one."""

    what: DrillKind
    age_seconds: float
    passed: bool | None  # the last one; None: there was none
    overdue: bool | None  # None: it is not planned
    seconds: float | None  # that the last one took


def drills_now(engine: Engine) -> tuple[DrillNow, ...]:
    """Kinds that are planned or were ever practised."""
    drills, now, plans = engine.book.drills, engine.ports.clock.now(), engine.in_force().drills
    found = []
    for what in DrillKind:
        plan, last = planned(plans, what), drills.last.get(what)
        if plan is not None or last is not None:
            found.append(
                DrillNow(
                    what,
                    drills.age(what, now),
                    last.told.passed if last is not None else None,
                    drills.is_overdue(plan, now) if plan is not None else None,
                    last.told.seconds if last is not None else None,
                )
            )
    return tuple(found)


def drills_view(engine: Engine) -> list[DrillKindShape]:
    """The same kinds, with when and why."""
    drills, now, plans = engine.book.drills, engine.ports.clock.now(), engine.in_force().drills
    found: list[DrillKindShape] = []
    for what in DrillKind:
        plan, last, good = planned(plans, what), drills.last.get(what), drills.good.get(what)
        if plan is None and last is None:
            continue
        due = drills.due_at(plan) if plan is not None and good is not None else None
        found.append(
            {
                "drill": what.value,
                "planned": plan is not None,
                "every_seconds": plan.every_seconds if plan is not None else None,
                "runs_by_itself": plan is not None and plan.run,
                "overdue": plan is not None and drills.is_overdue(plan, now),
                "due": _when(due),
                "last": drill_view(last, now),
                "last_good": drill_view(good, now),
            }
        )
    return found


def unpractised(engine: Engine, action: ActionSpec) -> list[str]:
    """What speaks against relying on an action, by its drills; empty where nothing does.

    It takes nothing from its readiness, which is what preflight sees; people are shown both.
    """
    drills, now = engine.book.drills, engine.ports.clock.now()
    found, last = [], drills.of_action.get(family_of(action.name))
    if last is not None and not last.told.passed:
        why = "; ".join(last.told.reasons)
        found.append(f"its last drill, {last.drill}, failed" + (f": {why}" if why else ""))
    what = kind_of(action)
    plan = planned(engine.in_force().drills, what) if what is not None else None
    if plan is not None and drills.is_overdue(plan, now):
        good = drills.good.get(plan.what)
        since = f"since {_when(drills.due_at(plan))}" if good is not None else "it never went well"
        found.append(f"the drill {plan.what.value} is overdue: {since}")
    if (limit := undrilled(action, drills, now)) is not None:
        found.append(f"it asks people, by {limit.who}")
    return found


def drill_view(one: DrillEnded | None, now: Instant) -> DrillShape | None:
    """One that was recorded."""
    if one is None:
        return None
    told = one.told
    return {
        "name": one.drill,
        "drill": told.what.value,
        "passed": told.passed,
        "action": told.action or None,
        "ended": _when(told.ended_at),
        "seconds_ago": max(0.0, now.wall - told.ended_at),
        "seconds": told.seconds,
        "stages": [
            {
                "stage": stage.stage.value,
                "seconds": stage.seconds,
                "within_seconds": stage.within_seconds,
                "met": stage.is_met,
            }
            for stage in told.stages
        ],
        "reasons": list(told.reasons),
        "note": told.note,
        "document": told.document,
        "by": one.actor,
    }


def _when(wall: float | None) -> str | None:
    return None if wall is None else utc(Instant(wall, 0.0))
