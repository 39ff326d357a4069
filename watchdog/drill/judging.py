"""From a drill's journal and its target's ledger to its stages, each with its bound. Pure.

Bounds: to detect, the rule's own window and three polls; to decide, its `for` and two polls, and
what the rungs below may take; to approve, half a minute for each person; for effect and read-back
the action's `sla`; to be contained, the rung's `within`; to resume, the `sla` again.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.drills import DrillStage, Timed, faults
from watchdog.core.entries import Outcome
from watchdog.core.measures import Act, Measure
from watchdog.core.spec import ActionSpec, Policy, RatioThreshold, RuleSpec
from watchdog.core.states import State
from watchdog.core.words import Direction, Instant
from watchdog.drill.playing import Course
from watchdog.lab.incident import Gathered

PEOPLE_SECONDS = 30.0
_DONE = (Outcome.DONE,)


@dataclass(frozen=True, slots=True)
class Bounds:
    """For how long each stage may last."""

    detect: float
    decide: float
    approve: float
    sla: float
    contained: float
    below: bool = False  # whether rungs below are climbed first


def bounds_of(policy: Policy, rule: RuleSpec, action: ActionSpec) -> Bounds:
    window = rule.signal.over_seconds if isinstance(rule.signal, RatioThreshold) else 0.0
    book = policy.playbooks[rule.playbook] if rule.playbook is not None else None
    rungs = book.rungs if book is not None else ()
    at = next((n for n, one in enumerate(rungs) if one.action == action.name), None)
    below = rungs[:at] if at is not None else ()
    every = rule.every_seconds
    climbing = sum(PEOPLE_SECONDS + policy.actions[one.action].sla_seconds for one in below)
    return Bounds(
        detect=window + 3 * every + 1.0,
        decide=rule.for_seconds + 2 * every + 1.0 + climbing,
        approve=PEOPLE_SECONDS * (rungs[at].approvals if at is not None else 1),
        sla=action.sla_seconds,
        contained=rungs[at].within_seconds if at is not None else 0.0,
        below=bool(below),
    )


def stages_of(
    found: Gathered, bounds: Bounds, course: Course, action: str, wanted: tuple[DrillStage, ...]
) -> dict[DrillStage, Timed]:
    """The stages that are wanted; one that was not reached has no time."""
    one, effect_at = found.measure, course.effect_at
    acts = [act for act in one.acts if act.action == action] if one is not None else []
    act = acts[-1] if acts else None
    asked = _asked(found, act) if DrillStage.APPROVE in wanted else None
    decided = asked if asked is not None else act.at if act is not None else None
    seconds: dict[DrillStage, float | None] = {
        DrillStage.DETECT: _since(course.injected_at, one.breached.wall if one else None),
        DrillStage.DECIDE: decided.steady - one.breached.steady if one and decided else None,
        DrillStage.APPROVE: act.at.steady - asked.steady if act and asked else None,
        DrillStage.EFFECT: effect_at - act.at.wall if act and effect_at is not None else None,
        DrillStage.READ_BACK: act.seconds if act is not None else None,
        DrillStage.CONTAINED: _contained(one, act),
        DrillStage.RESUMED: course.undone_seconds
        or _undone_seconds(found)
        or _let_go(found, course),
    }
    first = ", and the rungs below" if bounds.below else ""
    limits = {
        DrillStage.DETECT: (bounds.detect, "the rule's window and three polls"),
        DrillStage.DECIDE: (bounds.decide, f"the rule's `for` and two polls{first}"),
        DrillStage.APPROVE: (bounds.approve, "half a minute for each person"),
        DrillStage.EFFECT: (bounds.sla, "the action's `sla`"),
        DrillStage.READ_BACK: (bounds.sla, "the action's `sla`"),
        DrillStage.CONTAINED: (bounds.contained, "the rung's `within`"),
        DrillStage.RESUMED: (bounds.sla, "the action's `sla`"),
    }
    return {
        stage: Timed(stage, None if taken is None else round(max(0.0, taken), 3), *limits[stage])
        for stage, taken in seconds.items()
        if stage in wanted
    }


def reasons_of(
    stages: dict[DrillStage, Timed], before: dict[str, str], after: dict[str, str],
    changes: frozenset[str],
) -> tuple[str, ...]:  # fmt: skip
    """Why it did not pass; empty where it did."""
    touched = sorted(
        name for name in before if before[name] != after.get(name) and name not in changes
    )
    return (
        *faults(stages, tuple(stages)),
        *(f"{name} was changed, and no part of the rollback is to do that" for name in touched),
    )


def _contained(one: Measure | None, act: Act | None) -> float | None:
    if one is None or one.contained is None or act is None or act.effect_at is None:
        return None
    return one.contained.steady - act.effect_at.steady


def _asked(found: Gathered, act: Act | None) -> Instant | None:
    """When people were asked the last time, before it was started."""
    asked = [at for at, state in found.moves if state is State.AWAITING]
    before = [at for at in asked if act is None or at.steady <= act.at.steady]
    return before[-1] if before else None


def _since(injected_at: float | None, at: float | None) -> float | None:
    return None if injected_at is None or at is None else at - injected_at


def _resumed(found: Gathered, course: Course) -> float | None:
    """By root, by the drill's daemon, or by what was deployed in its place."""
    return course.undone_seconds or _undone_seconds(found) or _let_go(found, course)


def _let_go(found: Gathered, course: Course) -> float | None:
    """From when the repaired one was served until the watchdog saw that."""
    gone = [at.wall for at, state in found.moves if state in {State.WATCHED, State.OK}]
    return _since(course.repaired_at, gone[0] if gone else None)


def _undone_seconds(found: Gathered) -> float | None:
    for change in found.changes:
        ended = change.ended
        if change.entry.direction is Direction.UNDO and ended and ended.outcome in _DONE:
            return ended.seconds
    return None
