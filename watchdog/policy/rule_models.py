"""A rule's shapes, as an owner writes them. Laws across keys are in `laws.py`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from watchdog.policy.base import Shape
from watchdog.policy.event_models import EventShape
from watchdog.policy.platform_models import LabelName
from watchdog.policy.probe_models import AnsweringShape, SoundShape
from watchdog.policy.probe_words import KofN
from watchdog.policy.scalars import (
    BoundText,
    Duration,
    Expression,
    Name,
    Ratio,
    Words,
    matching,
)

LabelText = Annotated[
    str, matching(r"[^\x00-\x1f]{0,200}", "label text", "At most 200 printable characters.")
]
Counted = Annotated[
    str, matching(r"[^\x00-\x1f]{1,40}", "word for what is counted", "Like users, or payments.")
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


class IntegrityShape(SoundShape):
    """A fact that must hold: exactly one of `expr`, `manifest` and `attestation`."""

    expr: Expression | None = Field(None, description="PromQL whose value is compared")
    breach_when: BoundText = Field(None, description='expr: what breaches: "< 1"')
    allow_infinite: bool = Field(
        default=False, description="expr: judge infinity too; else it is blind"
    )


class LivenessShape(AnsweringShape):
    """Something answers: exactly one of `up`, `http`, `tcp` and `command`."""

    up: Expression | None = Field(
        None, description="an embedded source's name, or a selector when `source` is a Prometheus"
    )
    fail: KofN | None = Field(
        None, description="probes: `3 of 5` of the last looks are a breach; 1 of 1 when left out"
    )


class ImpactShape(Shape):
    """Who is affected by its trouble: exactly one of `increase` and `value`. It never breaches."""

    increase: Expression | None = Field(
        None, description="selector of a counter: its increase since the first bad sample"
    )
    value: Expression | None = Field(
        None, description="PromQL that gives one number: the highest since the first bad sample"
    )
    of: Counted = Field("users", description="what is counted, in the plural")


class BlindShape(Shape):
    page_after: Duration = Field(300.0, description="blindness after which people are told (5m)")
    gone: Literal["page", "forget"] = Field(
        "page",
        description="each: what a label set that is gone means; `forget` where they come and go",
    )


Mode = Literal["observe", "shadow", "approve", "armed"]


class RuleShape(Shape):
    """One rule: exactly one of slo, threshold, integrity, liveness, event; and what may be done."""

    absent: ClassVar[dict[str, str]] = {"severity": "Write one of P0, P1, P2, P3."}

    severity: Literal["P0", "P1", "P2", "P3"] = Field(description="how fast people must answer")
    from_: str | None = Field(
        None,
        alias="from",
        description="FILE#Alert: a Prometheus alert of a file beside this one, read in place; what "
        "the rule says itself goes before what the alert says",
    )
    summary: Words = Field("", validate_default=False, description="one sentence for people")
    runbook: Words = Field("", validate_default=False, description="what a person does about it")
    owner: Name | None = Field(None, description="the folder's name; nothing else is accepted")
    labels: dict[LabelName, LabelText] = Field({}, description="passed on to pages and to the API")
    source: Name | None = Field(
        None, description="where its samples come from; liveness of an embedded source needs none"
    )
    every: Duration | None = Field(
        None, description="probes: how often to look; 10s for liveness, 1m for integrity"
    )
    deadline: Duration | None = Field(
        None, description="probes: total time for one look; 80 % of `every`, at most 10s"
    )
    slo: SloShape | None = Field(None, description="kind slo")
    threshold: ThresholdShape | None = Field(None, description="kind threshold")
    integrity: IntegrityShape | None = Field(None, description="kind integrity")
    liveness: LivenessShape | None = Field(None, description="kind liveness")
    event: EventShape | None = Field(None, description="kind event")
    impact: ImpactShape | None = Field(
        None, description="who is affected; the rule's own failed events when left out"
    )
    each: Annotated[list[LabelName], Field(min_length=1, max_length=5)] | None = Field(
        None, description="labels: every set of their values is a rule of its own, with an episode"
    )
    limit: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="each: the most label sets that are watched (20)"
    )
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
        None,
        description="age at which a sample is stale; two intervals when left out, "
        "for liveness the deadline besides",
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
        "hold",
        description="`hold` (people are told after 5m) or {page_after: DURATION, gone: forget}",
    )
