"""One moment of the engine as frozen values, for metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdog.core.evidence import Evidence
from watchdog.core.judge import Budget
from watchdog.core.spec import Policy, RuleSpec
from watchdog.core.states import State
from watchdog.core.words import Instant, Mode, Status, Verdict, World
from watchdog.engine.drills_view import DrillNow
from watchdog.engine.given import Process
from watchdog.engine.lessons_view import LessonsNow
from watchdog.engine.telling_view import TellingNow
from watchdog.engine.verification_view import CheckNow


@dataclass(frozen=True, slots=True)
class RuleNow:
    """One rule as it stands; `verdict` is None until it was judged once."""

    spec: RuleSpec
    verdict: Verdict | None
    held_seconds: float
    effective: Mode
    budget: Budget | None = None  # None where it is no objective, or has no traffic
    lowered_by: str = ""  # one of modes.LIMITS, where it goes less far than it declares
    evidence: Evidence | None = None  # of its present text, where it has any
    members: Mapping[Status, int] = field(default_factory=dict)  # of a family, how many stand so


@dataclass(frozen=True, slots=True)
class AlertmanagerNow:
    """The Alertmanager of the policy: what is None is not asked of it, or has not been yet."""

    up: Mapping[str, bool]  # base address of a replica -> whether it did all that it was asked
    silences_age_seconds: float | None
    silences: int | None  # that stand now and may concern a rule of ours
    told_age_seconds: float | None
    alerts: int | None  # told as firing


@dataclass(frozen=True, slots=True)
class LeadNow:
    """Who leads."""

    here: bool
    epoch: int
    daemons: int  # that were heard of within a lease, this one among them
    store_lost: bool


@dataclass(frozen=True, slots=True)
class LimitsNow:
    """What holds every automatic start back."""

    budget_left: int  # automatic starts
    clock_synced: bool | None  # None where that is not asked for


@dataclass(frozen=True, slots=True)
class TargetNow:
    """A target of an action, or all of them, as deploys see it."""

    target: str
    deploying: bool
    frozen: bool


@dataclass(frozen=True, slots=True)
class Present:
    """All that metrics tell of one moment, as frozen values: cheap to take with 500 rules."""

    now: Instant
    process: Process
    policy: Policy
    rules: tuple[RuleNow, ...]
    episodes: Mapping[tuple[World, State], int]  # the open ones
    holds: int
    open_intents: int
    passes: int
    last_pass: Instant | None
    stuck: str  # why nothing can be recorded, if it cannot
    stuck_since: Instant | None
    last_seq: int
    reserve_ready: bool | None  # None where the journal keeps no reserve
    limits: LimitsNow
    alertmanager: AlertmanagerNow | None = None  # None where the policy has none
    missing_approvals: Mapping[str, int] = field(default_factory=dict)  # by action, where asked for
    targets: tuple[TargetNow, ...] = ()  # that may be deployed
    lessons: LessonsNow = field(default_factory=LessonsNow)
    drills: tuple[DrillNow, ...] = ()
    telling: TellingNow = field(default_factory=TellingNow)
    verification: Mapping[tuple[str, str], CheckNow] = field(default_factory=dict)
    lead: LeadNow = LeadNow(here=True, epoch=1, daemons=1, store_lost=False)
