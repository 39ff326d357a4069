"""Whether an action was practised lately enough to start by itself.

Laws
* An action with `drilled_within` and no good drill within it asks people: a limit of its mode, as
  evidence is one. It never refuses: who was asked, or orders it, may act.
* Only what is on the record as `drill.counted` counts. A drill that lies in the future by this
  clock counts not: something is wrong with one of the two clocks.
"""

from __future__ import annotations

from datetime import UTC, datetime

from watchdog.core.drills import AS_ROOT, DrillCounted, DrillKind, Drills
from watchdog.core.gates import ModeLimit
from watchdog.core.naming import family_of
from watchdog.core.releases import DeployRelease
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.text import duration
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.words import Instant, Mode

_AHEAD_SECONDS = 60.0


def undrilled(action: ActionSpec, drills: Drills, now: Instant) -> ModeLimit | None:
    """The limit that the age of its last good drill sets; None where it sets none.

    What it says has no running numbers, since a refusal is recorded when it changes.
    """
    within = action.drilled_within_seconds
    if within is None:
        return None
    who = f"drilled_within {duration(within)} of {action.name}"
    found = drills.counted.get(family_of(action.name))
    if found is None:
        return ModeLimit(f"{who}: no good drill of it counts yet", Mode.APPROVE)
    ended = datetime.fromtimestamp(found.ended_at, UTC).strftime("%Y-%m-%d %H:%MZ")
    if found.ended_at > now.wall + _AHEAD_SECONDS:
        who += f": its good drill {found.drill} ended at {ended}, which is yet to come"
    elif now.wall - found.ended_at > within:
        who += f": its last good drill, {found.drill}, ended at {ended}"
    else:
        return None
    return ModeLimit(who, Mode.APPROVE)


def asked_for_want_of(action: ActionSpec, drills: Drills, now: Instant) -> str:
    """What people are told who are asked for want of a drill, with the remedy; "" where none is."""
    limit = undrilled(action, drills, now)
    if limit is None:
        return ""
    told = f"People are asked because nobody has practised it lately: {limit.who}"
    what = kind_of(action)
    if what is None:
        return told
    as_root = "sudo " if what in AS_ROOT else ""
    return f"{told}. To practise it: {as_root}slo-watchdog drill run {what.value}"


def kind_of(action: ActionSpec) -> DrillKind | None:
    """The kind of drill that practises its type of rollback; None where there is none."""
    match action.do.how:
        case SwapTree():
            return DrillKind.CONFIG
        case RestoreSystem():
            return DrillKind.FULL
        case DeployRelease():
            return None
        case _:
            return DrillKind.FEATURE_FLAG


def to_count(policy: Policy, drills: Drills) -> tuple[DrillCounted, ...]:
    """What is to be recorded for the gates of this policy, and is not yet."""
    asked = {
        family_of(action.name)
        for action in policy.actions.values()
        if action.drilled_within_seconds is not None
    }
    return tuple(
        DrillCounted(name, good.drill, good.told.ended_at)
        for name in sorted(asked)
        if (good := drills.good_of_action.get(name)) is not None
        and drills.counted.get(name) != DrillCounted(name, good.drill, good.told.ended_at)
    )
