"""The platform's `drills:` section: what is practised how often, and what the daemon starts itself.

Law: it judges nothing and arms nothing. What is late is told, and shown in the metrics.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from watchdog.core.drills import AS_ROOT, BY_PEOPLE, DrillKind, DrillPlan
from watchdog.policy.base import Shape
from watchdog.policy.document import Document, entries_of
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import Duration
from watchdog.policy.shape import closest, shape_of

KEY = "drills"

DRILLED_WITHIN: Any = Field(
    None,
    description="starts by itself only if a drill of it passed within this time, like 45d; else it "
    "asks people (docs/drills.md). Left out: drills keep it from nothing",
)
"""Of each action that may start by itself."""


class DrillShape(Shape):
    """How often a kind of rollback is practised (docs/drills.md)."""

    absent: ClassVar[dict[str, str]] = {"every": "Say how often, like `every: 30d`."}

    every: Duration = Field(
        description="overdue so long after the last drill of this kind that passed"
    )
    run: bool = Field(
        default=False,
        description="whether the daemon starts it by itself, when nine tenths of `every` are over "
        "and no episode is open; else it says that it is due, and a person runs it",
    )
    deadline: Duration = Field(
        900.0, description="for `run`: how long it may take, or it is ended and has failed (15m)"
    )


def drills_of(document: Document, findings: Findings) -> tuple[DrillPlan, ...]:
    """All of them, by name; what is wrong is in `findings`."""
    found = []
    for entry in entries_of(document, KEY, findings):
        shape = shape_of(DrillShape, entry, findings)
        kinds = [one.value for one in DrillKind]
        if entry.name not in kinds:
            findings.refuse(
                entry.key, f"{entry.name} is no kind of drill", closest(entry.name, kinds)
            )
        elif shape is not None and _may_run(entry, shape, findings):
            what = DrillKind(entry.name)
            found.append(DrillPlan(what, shape.every, shape.run, shape.deadline))
    return tuple(sorted(found, key=lambda one: one.what))


def _may_run(entry: Entry, shape: DrillShape, findings: Findings) -> bool:
    if shape.run and entry.name in BY_PEOPLE:
        how = f"slo-watchdog drill record {entry.name} --reason TEXT"
        if entry.name in AS_ROOT:
            how = f"sudo slo-watchdog drill run {entry.name}, or {how}"
        findings.refuse(
            entry.key_at("run"),
            f"a drill of kind {entry.name} is people's: the daemon cannot run it",
            f"Leave `run` out; by hand: {how}",
        )
        return False
    return True
