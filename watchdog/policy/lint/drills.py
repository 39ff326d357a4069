"""Lints of drills: actions that would ask people although their drills are run in time."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.drilled import kind_of
from watchdog.core.drills import planned
from watchdog.core.naming import family_of
from watchdog.core.text import duration
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground


def _asks_before_it_is_due(ground: Ground) -> Iterator[Hit]:
    told = set[str]()
    for action in ground.policy.actions.values():
        within, what, name = action.drilled_within_seconds, kind_of(action), family_of(action.name)
        plan = planned(ground.policy.drills, what) if what is not None else None
        if within is None or plan is None or within >= plan.every_seconds or name in told:
            continue
        told.add(name)
        every = duration(plan.every_seconds)
        yield Hit(
            ground.action(name).at("drilled_within"),
            f"{name} asks people after {duration(within)}, and the drill {plan.what.value} is due "
            f"every {every} only",
            f"Write more than {every}, or `drills: {{{plan.what.value}: {{every: "
            f"{duration(within)}}}}}` or less.",
        )


LINTS = (
    Lint(
        "drilled-within-too-short",
        Level.WARNING,
        "A `drilled_within` that is shorter than the drill's own `every`",
        "Though every drill is run in time and passes, the action does not start by itself for "
        "part of each round.",
        _asks_before_it_is_due,
    ),
)
