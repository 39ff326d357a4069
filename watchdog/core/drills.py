"""Drills: a rollback practised before it is needed. What the record keeps of one, and what is due.

Laws
* A drill has passed when every stage was reached, each within its bound, and nothing else of the
  drill's target was changed. Whoever reads a passed one may rely on all of that.
* What counts for the age is the last *good* drill; a failed one makes nothing younger.
* What is told of a drill is an aside: no verdict, gate or action follows from it. Where an action
  has `drilled_within`, its good drill is recorded once more as what a decision may rest on
  (`drill.counted`), when it was told or when that policy is applied: only that one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeVar

from watchdog.core.words import Instant

_K = TypeVar("_K")

NEAR = 0.9
"""The share of a period after which the next drill is started by itself: before it is overdue."""


class DrillKind(StrEnum):
    """The procedure's test scenarios, and its yearly test of disaster recovery."""

    FEATURE_FLAG = "feature-flag"
    CONFIG = "config"
    PARTIAL = "partial"
    FULL = "full"
    DISASTER = "disaster"


BY_PEOPLE = frozenset({DrillKind.FULL, DrillKind.DISASTER})
"""The daemon cannot run these: people do, and what they tested by hand they record."""

AS_ROOT = frozenset({DrillKind.FULL})
"""Of those, what a command practises too, for root: in a room with a system of its own."""


class DrillStage(StrEnum):
    """What is measured, in the order in which it happens."""

    DETECT = "detect"  # from the injected signal to the breach
    DECIDE = "decide"  # from the breach to the decision that starts it, or that asks people
    APPROVE = "approve"  # from that question to the decision that starts it
    EFFECT = "effect"  # from the decision to the change, as the target's own ledger has it
    READ_BACK = "read-back"  # from the decision to the read-back that shows it: the rollback time
    CONTAINED = "contained"  # from that read-back to the proof that it helps
    RESUMED = "resumed"  # from a person's undo to the read-back that shows it


@dataclass(frozen=True, slots=True)
class Timed:
    """One stage. `seconds` is None where it was never reached; `within` is its bound."""

    stage: DrillStage
    seconds: float | None
    within_seconds: float
    bound: str  # where the bound comes from

    @property
    def is_met(self) -> bool:
        return self.seconds is not None and self.seconds <= self.within_seconds

    @property
    def fault(self) -> str:
        """Why it is not met; "" where it is."""
        if self.seconds is None:
            return f"{self.stage.value}: never reached"
        if self.is_met:
            return ""
        return (
            f"{self.stage.value}: {self.seconds:.1f} s, and {self.bound} is "
            f"{self.within_seconds:g} s"
        )


@dataclass(frozen=True, slots=True)
class DrillTold:
    """A drill, as it went. `reasons` say why it did not pass, and are empty where it did."""

    what: DrillKind
    passed: bool
    ended_at: float  # wall
    action: str = ""  # what was practised; "" where no action was
    seconds: float = 0.0
    stages: tuple[Timed, ...] = ()
    reasons: tuple[str, ...] = ()
    note: str = ""  # what whoever records it says
    document: str = ""  # where the document lies, on the host that ran it
    sha256: str = ""  # of its JSON


@dataclass(frozen=True, slots=True)
class DrillEnded:
    drill: str  # "T3"
    told: DrillTold
    actor: str
    kind: Literal["aside.drill_ended"] = "aside.drill_ended"


@dataclass(frozen=True, slots=True)
class DrillCounted:
    """A good drill by whose age an action may start by itself, or asks people (`drilled.py`)."""

    action: str  # of a family's member, the family
    drill: str
    ended_at: float  # wall
    kind: Literal["drill.counted"] = "drill.counted"


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """How often a kind is to be practised, and whether the daemon starts it by itself."""

    what: DrillKind
    every_seconds: float
    run: bool = False
    deadline_seconds: float = 900.0


_MOST_DOCUMENTS = 500
"""Of this many drills it is known that their document is on the record; drills are monthly."""


@dataclass(slots=True)
class Drills:
    """The newest of each kind, and the newest good one of each kind and action."""

    last: dict[DrillKind, DrillEnded] = field(default_factory=dict)
    good: dict[DrillKind, DrillEnded] = field(default_factory=dict)
    of_action: dict[str, DrillEnded] = field(default_factory=dict)
    good_of_action: dict[str, DrillEnded] = field(default_factory=dict)
    counted: dict[str, DrillCounted] = field(default_factory=dict)  # by action
    documents: dict[str, str] = field(default_factory=dict)  # sha256 -> the drill that it tells of
    told: dict[DrillKind, float] = field(default_factory=dict)  # kind -> the due time people heard

    def take(self, entry: object, at: Instant) -> None:
        """Take one entry in. Most are of no concern here."""
        del at  # a drill may be recorded long after it was done: its own end counts
        if isinstance(entry, DrillEnded):
            told = entry.told
            if told.sha256:
                self.documents[told.sha256] = entry.drill
                for oldest in list(self.documents)[:-_MOST_DOCUMENTS]:
                    del self.documents[oldest]
            _newest(self.last, told.what, entry)
            if told.action:
                _newest(self.of_action, told.action, entry)
            if told.passed:
                _newest(self.good, told.what, entry)
            if told.passed and told.action:
                _newest(self.good_of_action, told.action, entry)
        elif isinstance(entry, DrillCounted):
            self.counted[entry.action] = entry
        elif isinstance(entry, DrillMissed):
            self.told[entry.what] = entry.due_at

    def due_at(self, plan: DrillPlan) -> float:
        """The wall clock from which it is overdue; one that never went well is overdue always."""
        found = self.good.get(plan.what)
        return found.told.ended_at + plan.every_seconds if found is not None else float("-inf")

    def is_overdue(self, plan: DrillPlan, now: Instant) -> bool:
        return now.wall >= self.due_at(plan)

    def is_near(self, plan: DrillPlan, now: Instant) -> bool:
        """Whether the next is to be started, so that none becomes overdue."""
        found = self.good.get(plan.what)
        return found is None or now.wall >= found.told.ended_at + NEAR * plan.every_seconds

    def untold(self, plan: DrillPlan, now: Instant) -> bool:
        """Whether it is overdue, and people have not heard of that yet."""
        if not self.is_overdue(plan, now):
            return False
        return plan.what not in self.told or self.told[plan.what] != _told_as(self.due_at(plan))

    def age(self, what: DrillKind, now: Instant) -> float:
        """Since the last good one; infinite where there is none."""
        found = self.good.get(what)
        return max(0.0, now.wall - found.told.ended_at) if found is not None else float("inf")


@dataclass(frozen=True, slots=True)
class DrillMissed:
    """A drill became overdue. The page that tells it follows."""

    what: DrillKind
    due_at: float  # wall; 0 where there was never a good one
    kind: Literal["aside.drill_missed"] = "aside.drill_missed"


DrillEntry = DrillEnded | DrillCounted | DrillMissed


def planned(plans: tuple[DrillPlan, ...], what: DrillKind) -> DrillPlan | None:
    return next((one for one in plans if one.what is what), None)


def missed(plan: DrillPlan, drills: Drills) -> DrillMissed:
    return DrillMissed(plan.what, _told_as(drills.due_at(plan)))


def faults(stages: Mapping[DrillStage, Timed], wanted: tuple[DrillStage, ...]) -> tuple[str, ...]:
    """Why the stages do not make a good drill, in order; empty where they do."""
    return tuple(
        stages[stage].fault if stage in stages else f"{stage.value}: never reached"
        for stage in wanted
        if stage not in stages or not stages[stage].is_met
    )


def _told_as(due_at: float) -> float:
    """JSON has no infinity."""
    return max(0.0, due_at)


def _newest(kept: dict[_K, DrillEnded], key: _K, entry: DrillEnded) -> None:
    if key not in kept or kept[key].told.ended_at <= entry.told.ended_at:
        kept[key] = entry
