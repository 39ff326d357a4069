"""The shapes of what stands around rules and actions, and of the views that hold it all.

As in `shapes.py`: a view's function is annotated with its shape, and the API's document says it.
"""

from __future__ import annotations

from typing_extensions import TypedDict

from watchdog.engine.shape_words import (
    ConditionWord,
    DrillWord,
    EndedWord,
    ModeWord,
    TruthWord,
    Utc,
)
from watchdog.engine.shapes import (
    ActionShape,
    DecisionShape,
    DrillShape,
    EpisodeShape,
    FollowUpShape,
    RuleShape,
)


class HoldShape(TypedDict):
    id: str
    scope: str
    reason: str
    actor: str
    silence: bool
    placed: Utc
    expires: Utc | None


class SilenceShape(TypedDict):
    id: str
    author: str
    comment: str
    matchers: list[str]
    starts: Utc
    ends: Utc
    stands: bool
    covers: list[str]


class MatterShape(TypedDict):
    asked: bool
    answers: bool | None
    reason: str
    since: Utc | None


class AskedSilencesShape(MatterShape):
    seconds_ago: float | None


class ToldAlertsShape(AskedSilencesShape):
    firing: int | None


class ReplicaShape(TypedDict):
    url: str
    silences: str | None
    alerts: str | None


class AlertmanagerShape(TypedDict):
    silences: AskedSilencesShape
    alerts: ToldAlertsShape
    replicas: list[ReplicaShape]


class DeployShape(TypedDict):
    deploy: str
    target: str
    actor: str
    id: str
    change: str
    reason: str
    began: Utc
    until: Utc
    keeps_back_until: Utc | None
    ended: Utc | None
    outcome: str | None
    ended_by: str | None


class FrozenShape(TypedDict):
    target: str
    episode: str
    why: str
    lifted_by: str


class StandingDeploysShape(TypedDict):
    deploys: list[DeployShape]
    frozen: list[FrozenShape]


class DeployableShape(TypedDict):
    target: str
    may_begin: bool
    why_not: str


class DeploysShape(StandingDeploysShape):
    targets: list[DeployableShape]
    past: list[DeployShape]


class ProcedureShape(TypedDict):
    document: str
    reviewed: str
    due: Utc
    overdue: bool


class LessonsShape(TypedDict):
    follow_ups: list[FollowUpShape]
    procedure: ProcedureShape | None


class DrillKindShape(TypedDict):
    drill: DrillWord
    planned: bool
    every_seconds: float | None
    runs_by_itself: bool
    overdue: bool
    due: Utc | None
    last: DrillShape | None
    last_good: DrillShape | None


class ComponentShape(TypedDict):
    name: str
    condition: ConditionWord
    since: Utc | None
    episodes: list[str]


class StatusPageShape(TypedDict):
    name: str
    host: str
    told_here: bool
    condition: ConditionWord
    shown: str | None
    shows: bool
    since: Utc | None
    next_update: Utc | None
    reason: str
    failing_since: Utc | None
    attempts: int
    components: list[ComponentShape]


class WhoShape(TypedDict):
    name: str
    title: str
    phone: str


class LineShape(TypedDict):
    line: str
    told: int
    told_at: Utc | None
    failing_since: Utc | None
    reason: str


class UnusableShape(TypedDict):
    name: str
    reason: str


class TellingShape(TypedDict):
    waiting: int
    on_call: WhoShape | None
    next_on_call: WhoShape | None
    lines: list[LineShape]
    unusable: list[UnusableShape]
    outside: list[str]
    zone: str
    names: list[str]


class DaemonShape(TypedDict):
    name: str
    host: str
    version: str
    sees: int
    seconds_ago: float
    settings: str
    lacks: str


class LeaderShape(TypedDict):
    name: str
    here: bool
    epoch: int
    trouble: str
    twin: str
    daemons: list[DaemonShape]


class HistoryShape(TypedDict):
    rules: int
    filled: int
    failed: int
    rule: str
    share: float
    problem: str
    tries: int
    again_seconds: float | None
    over: bool


class SourceShape(TypedDict):
    name: str
    every_seconds: float
    polls: int
    missed: int
    last_seconds_ago: float | None
    took_seconds: float | None
    up: dict[str, bool]
    failure: str | None
    failure_kind: str | None
    history: HistoryShape | None


class AroundShape(StandingDeploysShape, LessonsShape):
    environment: str
    host: str
    version: str
    max_mode: ModeWord
    policy: str
    passes: int
    last_pass_seconds_ago: float | None
    recording: str
    leader: LeaderShape | None
    clock: str
    policy_pending: bool
    policy_errors: list[str]
    holds: list[HoldShape]
    silences: list[SilenceShape]
    alertmanager: AlertmanagerShape | None
    status_pages: list[StatusPageShape]
    telling: TellingShape | None
    drills: list[DrillKindShape]
    episodes: list[EpisodeShape]
    sources: list[SourceShape]


class StatusShape(AroundShape):
    rules: list[RuleShape]
    actions: list[ActionShape]


# -- why -------------------------------------------------------------------------------------------


class WouldActShape(TypedDict):
    episode: str
    decision: str
    action: str
    at: Utc
    mark: str
    explained: bool
    marked_by: str
    mark_reason: str


class TestedShape(TypedDict):
    passed: bool
    reason: str
    by: str
    at: Utc


class FallShape(TypedDict):
    episode: str
    by: str
    at: Utc
    reason: str
    armed_because: str


class ReadyShape(TypedDict):
    action: str
    ready: TruthWord
    reason: str


class KeptShape(TypedDict):
    promoted: Utc | None
    shadow_seconds_watched: float
    shadow_seconds_counted: float
    counting: bool
    would_acts: list[WouldActShape]
    unit_test: TestedShape | None


class EvidenceShape(KeptShape):
    sha256: str
    asked: bool
    overridden: str
    limits: bool
    shadow_seconds_needed: float | None
    actions: list[ReadyShape]
    fall: FallShape | None
    missing: list[str]


class WhyShape(TypedDict):
    rule: RuleShape
    episode: EpisodeShape | None
    last_decision: DecisionShape | None
    blind_since: Utc | None
    evidence: EvidenceShape
    stops: list[str]
    not_acting: str


# -- measures --------------------------------------------------------------------------------------


class LastedShape(TypedDict):
    name: str
    seconds: float


class RolledBackShape(TypedDict):
    action: str
    rule: str
    ended: EndedWord
    number: int


class PeriodShape(TypedDict):
    downtime_seconds: float
    services: list[LastedShape]
    features: list[LastedShape]
    targets: list[LastedShape]
    rollbacks: list[RolledBackShape]
