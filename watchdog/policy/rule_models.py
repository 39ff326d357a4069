"""A rule's shapes, as an owner writes them. Laws across keys are in `laws.py`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from watchdog.policy.base import Shape
from watchdog.policy.scalars import BoundText, Duration, Expression, Name, Ratio, Words, matching

LabelName = Annotated[
    str, matching(r"[a-zA-Z][a-zA-Z0-9_]{0,99}", "label name", "Write it like team.")
]
LabelText = Annotated[
    str, matching(r"[^\x00-\x1f]{0,200}", "label text", "At most 200 printable characters.")
]
Events = Annotated[int, Field(ge=1, le=1_000_000_000)]


class BurnShape(Shape):
    """A pair of windows that speak for a breach only together."""

    absent: ClassVar[dict[str, str]] = {
        "budget": "Say which share of the budget may burn in the long window, like `budget: 2%`."
    }

    budget: Ratio = Field(description="share of the error budget burnt within `long`")
    long: Duration = Field(description="the window that shows that it matters")
    short: Duration = Field(description="the window that shows that it still goes on")


class SloShape(Shape):
    """An objective over a period, judged by how fast its error budget burns."""

    absent: ClassVar[dict[str, str]] = {
        "burn": "Add window pairs: burn: [{budget: 2%, long: 1h, short: 5m}].",
        "total": "Name the counter of all events.",
    }

    objective: Ratio = Field(description="share of good events that is promised, like 99.9%")
    period: Duration = Field(30 * 86_400.0, description="time the promise spans (30d)")
    bad: Expression | None = Field(None, description="selector of the counter of bad events")
    good: Expression | None = Field(None, description="selector of good events, in place of bad")
    total: Expression = Field(description="selector of the counter of all events")
    burn: Annotated[list[BurnShape], Field(min_length=1, max_length=8)] = Field(
        description="pairs of windows; one that fires is a breach"
    )


class ThresholdShape(Shape):
    """A ratio of counters over a window, or an expression, against a bound."""

    absent: ClassVar[dict[str, str]] = {
        "breach_when": 'Say what breaches, like breach_when: "> 5%".'
    }

    bad: Expression | None = Field(None, description="selector of the counter of bad events")
    good: Expression | None = Field(None, description="selector of good events, in place of bad")
    total: Expression | None = Field(None, description="selector of the counter of all events")
    over: Duration | None = Field(None, description="window over which the ratio is taken")
    expr: Expression | None = Field(None, description="PromQL, in place of counters")
    breach_when: BoundText = Field(
        description='what breaches: "> 5%"; `present`: whatever the expr returns'
    )
    allow_infinite: bool = Field(
        default=False, description="expr: judge infinity too; else it is blind"
    )


class IntegrityShape(Shape):
    """A fact that must hold, as an expression against a bound."""

    later: ClassVar[dict[str, str]] = {
        "attestation": "a signed attestation",
        "signers": "a signed attestation",
        "max_age": "a signed attestation",
        "min_collateralization": "a signed attestation",
        "manifest": "a file manifest",
        "extra": "a file manifest",
    }
    absent: ClassVar[dict[str, str]] = {
        "breach_when": 'Say what breaches, like breach_when: "< 1".',
        "expr": "Say what is compared, like expr: my_ratio.",
    }

    expr: Expression = Field(description="PromQL whose value is compared")
    breach_when: BoundText = Field(description='what breaches: "< 1"')
    allow_infinite: bool = Field(default=False, description="judge infinity too; else it is blind")


class LivenessShape(Shape):
    """Something answers."""

    later: ClassVar[dict[str, str]] = {
        "http": "an HTTP probe",
        "tcp": "a TCP probe",
        "command": "a command probe",
        "fail": "a probe's own count of failures",
    }

    up: Expression = Field(
        description="an embedded source's name, or a selector when `source` is a Prometheus"
    )


class BlindShape(Shape):
    page_after: Duration = Field(description="blindness after which people are told")


Mode = Literal["observe", "shadow", "approve", "armed"]


class RuleShape(Shape):
    """One rule: exactly one of slo, threshold, integrity, liveness; and what may be done."""

    later: ClassVar[dict[str, str]] = {
        "event": "rules on inbound events",
        "each": "one episode per label set",
        "limit": "one episode per label set",
        "every": "a rule's own rhythm (its source's `every` counts)",
    }
    absent: ClassVar[dict[str, str]] = {"severity": "Write one of P0, P1, P2, P3."}

    severity: Literal["P0", "P1", "P2", "P3"] = Field(description="how fast people must answer")
    summary: Words = Field("", validate_default=False, description="one sentence for people")
    runbook: Words = Field("", validate_default=False, description="what a person does about it")
    owner: Name | None = Field(None, description="the folder's name; nothing else is accepted")
    labels: dict[LabelName, LabelText] = Field({}, description="passed on to pages and to the API")
    source: Name | None = Field(
        None, description="where its samples come from; liveness of an embedded source needs none"
    )
    slo: SloShape | None = Field(None, description="kind slo")
    threshold: ThresholdShape | None = Field(None, description="kind threshold")
    integrity: IntegrityShape | None = Field(None, description="kind integrity")
    liveness: LivenessShape | None = Field(None, description="kind liveness")
    minimum_events: Events | None = Field(
        None, description="fewer events than this in the window are no evidence"
    )
    for_: Duration | None = Field(
        None, alias="for", description="how long it must be breached before anything is proposed"
    )
    keep_firing_for: Duration | None = Field(
        None, description="how long it counts as breached after it was last seen so"
    )
    stale_after: Duration | None = Field(
        None, description="age at which a sample is stale; two intervals when left out"
    )
    playbook: Name | None = Field(None, description="the ladder that it may climb")
    up_to: Name | None = Field(None, description="the last action of it that this rule may reach")
    mode: Mode = Field("observe", description="how far this rule may go; observe when left out")
    armed_because: Words | None = Field(None, description="why it may act without earned evidence")
    override: Words | None = Field(
        None, description="why an armed rule may do without `for` or `minimum_events`"
    )
    corroborate: Annotated[list[Name], Field(max_length=8)] = Field(
        [], description="rules that must be breached as well before it acts"
    )
    cooldown: Duration = Field(1800.0, description="rest of a target after an action (30m)")
    watch: Duration = Field(900.0, description="quiet time after an undo (15m)")
    on_blind: Literal["hold"] | BlindShape = Field(
        "hold", description="`hold` (people are told after 5m) or {page_after: DURATION}"
    )
