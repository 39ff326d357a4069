"""From a drill's journal and its target's ledger to its stages, each with its bound. Pure.

Bounds: to detect, the rule's own window and three polls; to decide, its `for` and two polls (and
half a minute for people, where they approve); for effect and read-back the action's `sla`; to be
contained, the rung's `within`; to resume, the `sla` again.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.drills import DrillStage, Timed, faults
from watchdog.core.entries import Outcome
from watchdog.core.measures import Act, Measure
from watchdog.core.spec import ActionSpec, Policy, RatioThreshold, RuleSpec
from watchdog.core.words import Direction
from watchdog.lab.incident import Gathered
from watchdog.lab.incident.values import Change

PEOPLE_SECONDS = 30.0
_DONE = (Outcome.DONE,)


@dataclass(frozen=True, slots=True)
class Bounds:
    """For how long each stage may last."""

    detect: float
    decide: float
    sla: float
    contained: float


def bounds_of(policy: Policy, rule: RuleSpec, action: ActionSpec, *, approves: bool) -> Bounds:
    window = rule.signal.over_seconds if isinstance(rule.signal, RatioThreshold) else 0.0
    book = policy.playbooks[rule.playbook] if rule.playbook is not None else None
    rungs = book.rungs if book is not None else ()
    within = next((one.within_seconds for one in rungs if one.action == action.name), 0.0)
    every = rule.every_seconds
    people = PEOPLE_SECONDS if approves else 0.0
    return Bounds(
        detect=window + 3 * every + 1.0,
        decide=rule.for_seconds + 2 * every + 1.0 + people,
        sla=action.sla_seconds,
        contained=within,
    )


def stages_of(
    found: Gathered,
    bounds: Bounds,
    injected_at: float,
    effect_at: float | None,
    wanted: tuple[DrillStage, ...],
) -> dict[DrillStage, Timed]:
    """The stages that are wanted; one that was not reached has no time."""
    one = found.measure
    act = one.acts[-1] if one is not None and one.acts else None
    undone = _undone(found)
    seconds: dict[DrillStage, float | None] = {
        DrillStage.DETECT: one.breached.wall - injected_at if one is not None else None,
        DrillStage.DECIDE: act.at.steady - one.breached.steady if one and act else None,
        DrillStage.EFFECT: effect_at - act.at.wall if act and effect_at is not None else None,
        DrillStage.READ_BACK: act.seconds if act is not None else None,
        DrillStage.CONTAINED: _contained(one, act),
        DrillStage.RESUMED: undone.ended.seconds if undone and undone.ended else None,
    }
    limits = {
        DrillStage.DETECT: (bounds.detect, "the rule's window and three polls"),
        DrillStage.DECIDE: (bounds.decide, "the rule's `for` and two polls"),
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


def _undone(found: Gathered) -> Change | None:
    for change in found.changes:
        ended = change.ended
        if change.entry.direction is Direction.UNDO and ended and ended.outcome in _DONE:
            return change
    return None
