"""The shape of every view that leaves the process as JSON.

A view's function is annotated with its shape, so mypy holds it to each key and type; the document
that tells clients of the API (`watchdog/web/openapi`) is made from the same shapes. So a key that
is added to a view has to be added here, and is told of by that alone.

`Words` and `Utc` say more of a text than its type does; nothing checks them at run time.
"""

from __future__ import annotations

from typing_extensions import TypedDict

from watchdog.engine.shape_words import (
    BlindWord,
    DrillWord,
    EndedWord,
    ModeWord,
    OutcomeWord,
    RulingWord,
    SeverityWord,
    StageWord,
    StateWord,
    StatusWord,
    TaskWord,
    TruthWord,
    Utc,
    WorldWord,
)
from watchdog.engine.shapes_verified import CheckShape, VerificationShape

# -- rules -----------------------------------------------------------------------------------------


class WindowShape(TypedDict):
    seconds: float
    bad: float
    total: float
    filled: float
    coverage: float
    ratio: float | None
    burn: float | None
    factor: float | None


class VerdictShape(TypedDict):
    status: StatusWord
    reason: str
    at: Utc
    sampled_at: Utc | None
    blind: BlindWord | None
    value: float | None
    bound: str
    clear: bool
    windows: list[WindowShape]


class RungShape(TypedDict):
    action: str
    mode: ModeWord
    effective_mode: ModeWord
    by: str


class BudgetShape(TypedDict):
    objective: float
    period_seconds: float
    remaining: float
    coverage: float
    burn: float
    burn_seconds: float
    exhausted_in_seconds: float | None
    left: str
    outlook: str


class MemberShape(TypedDict):
    name: str
    labels: dict[str, str]
    status: StatusWord
    reason: str
    value: float | None
    effective_mode: str
    mode_reason: str
    episode: str | None
    state: StateWord


class StandingShape(TypedDict):
    verdict: VerdictShape | None
    episode: str | None
    state: StateWord
    members: list[MemberShape]


class RuleShape(StandingShape):
    name: str
    owner: str
    kind: str
    severity: SeverityWord
    source: str
    mode: ModeWord
    effective_mode: ModeWord
    mode_reason: str
    playbook: str | None
    up_to: str | None
    rungs: list[RungShape]
    for_seconds: float
    runbook: str
    labels: dict[str, str]
    summary: str
    where: str
    sha256: str
    held_seconds: float
    budget: BudgetShape | None
    cleared: bool
    each: list[str]
    family: str | None


# -- actions ---------------------------------------------------------------------------------------


class ProofShape(TypedDict):
    at: Utc
    seconds_ago: float
    by: str
    ref: str
    seconds: float | None
    of_this_text: bool


class AnchorShape(TypedDict):
    digest: str
    written_at: Utc
    known_by: Utc
    facts: dict[str, str]


class StageShape(TypedDict):
    stage: StageWord
    seconds: float | None
    within_seconds: float
    met: bool


class DrillShape(TypedDict):
    name: str
    drill: DrillWord
    passed: bool
    action: str | None
    ended: Utc | None
    seconds_ago: float
    seconds: float | None
    stages: list[StageShape]
    reasons: list[str]
    note: str
    document: str
    by: str


class EndsShape(TypedDict):
    in_time: int
    late: int
    untimed: int
    failed: int
    unknown: int
    in_time_ratio: float | None


class ActionRowShape(TypedDict):
    name: str
    target: str
    host: str
    deadline_seconds: float
    sla_seconds: float | None
    ready: TruthWord
    ready_reason: str
    ready_since: Utc | None
    claimed_by: list[str]
    last_proof: ProofShape | None
    anchor: AnchorShape | None
    last_drill: DrillShape | None
    last_good_drill: DrillShape | None
    unpractised: list[str]
    verification: list[CheckShape]


class ActionShape(ActionRowShape):
    rollbacks: dict[str, EndsShape]


# -- decisions and episodes ------------------------------------------------------------------------


class GateShape(TypedDict):
    gate: str
    passed: bool
    reason: str


class DecisionShape(TypedDict):
    seq: int
    at: Utc
    hash: str
    decision: str
    episode: str
    rule: str
    action: str
    rung: int
    world: WorldWord
    ruling: RulingWord
    reason: str
    gates: list[GateShape]
    policy: str
    rule_sha256: str
    verdict: VerdictShape | None


class RollbackShape(TypedDict):
    intent: str
    action: str
    target: str
    outcome: OutcomeWord | None
    ended: EndedWord | None
    seconds: float | None
    sla_seconds: float | None
    seconds_first_bad_to_effect: float | None


class AffectedShape(TypedDict):
    number: float | None
    of: str
    by: str
    failed_events: float | None
    as_of: Utc | None
    reason: str


class MeasureShape(TypedDict):
    told: list[str]
    first_bad: Utc | None
    contained: Utc | None
    recovered: Utc | None
    service: str | None
    service_downtime_seconds: float
    seconds_breach_to_contained: float | None
    seconds_breach_to_recovered: float | None
    seconds_first_bad_to_contained: float | None
    seconds_first_bad_to_recovered: float | None
    rollbacks: list[RollbackShape]
    affected: AffectedShape


class GivenShape(TypedDict):
    who: str
    actor: str
    means: str
    at: Utc
    reason: str
    through_hold: bool


class AwaitingShape(TypedDict):
    action: str
    decision: str
    plan: str
    anchor: str | None
    requester: str
    needed: int
    missing: int
    asked: Utc
    until: Utc
    request: str | None
    means: list[str]
    given: list[GivenShape]


class ClaimShape(TypedDict):
    target: str
    found: bool
    action: str


class EpisodeShape(TypedDict):
    id: str
    rule: str
    owner: str
    severity: SeverityWord
    world: WorldWord
    state: StateWord
    reason: str
    opened: Utc
    since: Utc
    rung: int
    action: str | None
    outcome: OutcomeWord | None
    read_back: str
    seconds_breach_to_effect: float | None
    measures: MeasureShape | None
    barred: str
    reopens: str
    chain: int
    actor: str
    why: str
    acked_by: str
    mark: str
    awaiting: AwaitingShape | None
    claims: list[ClaimShape]
    verification: list[VerificationShape]
    verdict: VerdictShape | None


class FollowUpShape(TypedDict):
    follow_up: str
    episode: str
    task: TaskWord
    owner: str
    due: str
    text: str
    by: str
    added: Utc
    open: bool
    overdue: bool
    closed: Utc | None
    closed_by: str | None
    closed_reason: str | None
