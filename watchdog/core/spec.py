"""One policy, as the core and the adapters see it: compiled, checked, frozen.

`policy/` makes these from YAML and refuses what is wrong with file, line and column; nothing
after it needs to check again. Durations are seconds, ratios are numbers between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

# These belong to a policy's words, and are imported from here.
from watchdog.core.acting import ActionSpec as ActionSpec  # noqa: PLC0414  # see above
from watchdog.core.acting import Check as Check  # noqa: PLC0414  # see above
from watchdog.core.acting import How as How  # noqa: PLC0414  # see above
from watchdog.core.acting import HttpCall as HttpCall  # noqa: PLC0414  # see above
from watchdog.core.acting import Playbook as Playbook  # noqa: PLC0414  # see above
from watchdog.core.acting import Publish as Publish  # noqa: PLC0414  # see above
from watchdog.core.acting import Rung as Rung  # noqa: PLC0414  # see above
from watchdog.core.acting import Step as Step  # noqa: PLC0414  # see above
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.asking import Command as Command  # noqa: PLC0414  # see above
from watchdog.core.asking import Endpoint as Endpoint  # noqa: PLC0414  # see above
from watchdog.core.asking import Header as Header  # noqa: PLC0414  # see above
from watchdog.core.channels import EventSignal
from watchdog.core.deploys import DEPLOY_MAX_SECONDS
from watchdog.core.drills import DrillPlan
from watchdog.core.naming import Values, family_of, labelled, values_in
from watchdog.core.origins import JsonDocument as JsonDocument  # noqa: PLC0414  # see above
from watchdog.core.origins import PrometheusApi as PrometheusApi  # noqa: PLC0414  # see above
from watchdog.core.origins import Scrape as Scrape  # noqa: PLC0414  # see above
from watchdog.core.origins import SourceSpec as SourceSpec  # noqa: PLC0414  # see above
from watchdog.core.probes import Probed
from watchdog.core.procedure import Procedure
from watchdog.core.telling.contacts import Contacts
from watchdog.core.verification import NamedCheck
from watchdog.core.words import Mode, Severity

# -- rules -----------------------------------------------------------------------------------------


PRESENT = "present"
"""The `op` of a bound that any result of the expression breaches."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What breaches: the value compared with `limit` by `op`, one of > >= < <= == !=.

    Or `op` is PRESENT, and `limit` means nothing.
    """

    op: str
    limit: float
    text: str  # as written: "> 5%"


@dataclass(frozen=True, slots=True)
class Counters:
    """Two selectors of raw counters. `counted` is `bad`, or `good` for latency-like rules."""

    events: str
    total: str
    good: bool = False  # `events` counts the good ones; bad is total minus it


@dataclass(frozen=True, slots=True)
class RatioThreshold:
    counters: Counters
    over_seconds: float
    bound: Bound


@dataclass(frozen=True, slots=True)
class ValueThreshold:
    """An expression against a bound; kinds `threshold` and `integrity` share it."""

    expr: str
    bound: Bound
    allow_infinite: bool = False


@dataclass(frozen=True, slots=True)
class BurnPair:
    """Fires when both windows burn above `factor` = budget * period / long."""

    budget: float
    long_seconds: float
    short_seconds: float
    factor: float


@dataclass(frozen=True, slots=True)
class Slo:
    counters: Counters
    objective: float
    period_seconds: float
    pairs: tuple[BurnPair, ...]


@dataclass(frozen=True, slots=True)
class Liveness:
    """Breached while any series of `expr` (an `up`-like selector) is 0."""

    expr: str


@dataclass(frozen=True, slots=True)
class Impact:
    """What tells who is affected by a rule's trouble. It is shown, and judges nothing."""

    expr: str
    grows: bool  # a selector of counters, whose increase counts; else the highest value does
    of: str = "users"  # what is counted


class Kind:
    """The words for the kinds of rules, as written in the files."""

    SLO = "slo"
    THRESHOLD = "threshold"
    INTEGRITY = "integrity"
    LIVENESS = "liveness"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class RuleSpec:
    name: str
    owner: str
    kind: str  # one of Kind
    severity: Severity
    source: str
    signal: RatioThreshold | ValueThreshold | Slo | Liveness | Probed | EventSignal
    every_seconds: float  # how often new samples of it can arrive
    stale_after_seconds: float
    for_seconds: float
    keep_firing_seconds: float
    minimum_events: float
    page_after_seconds: float  # how long it may be blind before people are told
    playbook: str | None
    up_to: str | None  # the last action of the playbook that this rule may reach
    mode: Mode
    mode_reason: str  # armed_because, or why the mode is what it is
    corroborate: tuple[str, ...]
    cooldown_seconds: float
    watch_seconds: float  # how long WATCHED must stay quiet
    runbook: str
    labels: tuple[tuple[str, str], ...]
    summary: str
    sha256: str  # of the rule's meaning: a comment or a reordering changes nothing
    where: str  # "redemption-team/rules.yaml:12:3"
    armed_because: str = ""  # why it may be armed without earned evidence
    proof_sha256: str = ""  # of its meaning without `mode`: what evidence is about
    each: tuple[str, ...] = ()  # the labels by which it is a family, and this perhaps a member
    limit: int = 0  # the most members that the family takes
    forget_gone: bool = False  # a member that is gone is no blindness that people are told of
    member: Values = ()  # the member's own labels; of a family, and of any other rule, none
    impact: Impact | None = None  # who is affected, where that is written

    @property
    def proof(self) -> str:
        """What the evidence for it is kept under."""
        return self.proof_sha256 or self.sha256

    @property
    def is_family(self) -> bool:
        """It has an episode for each of its members, and none itself."""
        return bool(self.each) and not self.member

    @property
    def family(self) -> str:
        """The name of the rule as written: what it has earned is kept under it."""
        return family_of(self.name)


# -- the whole -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scope:
    """What a hold or a window covers: `kind` is all, owner, rule or target."""

    kind: str
    name: str = ""

    def covers(self, *, owner: str, rule: str, target: str) -> bool:
        if self.kind == "rule" and self.name == family_of(rule):
            return True  # of a family: all its members
        return (
            self.kind == "all"
            or {"owner": owner, "rule": rule, "target": target}[self.kind] == self.name
        )

    @property
    def text(self) -> str:
        return "everything" if self.kind == "all" else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A weekly window in local time of an IANA zone. `days` are ISO weekdays, 1 is Monday.

    `until` at or before `since` ends on the next day. Days count by the start of the window.
    """

    name: str
    scope: Scope
    days: tuple[int, ...]
    since: time
    until: time
    zone: ZoneInfo
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The global budget of automatic actions, and how many targets may breach at once."""

    budget_actions: int
    budget_seconds: float
    blast_radius: int
    blast_seconds: float = 60.0
    deploy_max_seconds: float = DEPLOY_MAX_SECONDS  # how long a deploy may keep actions back


@dataclass(frozen=True, slots=True)
class Part:
    """One owner's share of the policy, or the platform's (owner "platform")."""

    owner: str
    sha256: str
    loaded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    environment: str
    sha256: str  # over all parts; stands in every decision
    parts: tuple[Part, ...]
    sources: dict[str, SourceSpec]
    actions: dict[str, ActionSpec]
    playbooks: dict[str, Playbook]
    rules: dict[str, RuleSpec]
    windows: tuple[MaintenanceWindow, ...]
    limits: Limits
    alertmanager: AlertmanagerSpec | None = None
    contacts: Contacts | None = None  # who is told; None: nobody, the record and the log apart
    procedure: Procedure | None = None  # what people follow, and when they must look at it again
    drills: tuple[DrillPlan, ...] = ()  # what is practised how often
    verification: Mapping[str, tuple[NamedCheck, ...]] = field(default_factory=dict)  # by action

    def rule(self, name: str) -> RuleSpec | None:
        """The rule of this name, be it a member: what an episode's rule is looked up by."""
        found = self.rules.get(name)
        if found is not None:
            return found
        family, values = self.rules.get(family_of(name)), values_in(name)
        if family is None or not values or tuple(label for label, _ in values) != family.each:
            return None
        return self.member(family, values)

    def member(self, family: RuleSpec, values: Values) -> RuleSpec:
        """The rule that a family is for these labels.

        Where the playbook is one of actions for listed values alone, and these are not listed,
        it is judged and told of, and has nothing to do.
        """
        found = replace(
            family,
            name=labelled(family.name, values),
            member=values,
            labels=(*family.labels, *(pair for pair in values if pair not in family.labels)),
        )
        book = self.playbooks.get(family.playbook) if family.playbook is not None else None
        if book is None or not book.each:
            return found
        own = labelled(book.name, tuple((label, dict(values)[label]) for label in book.each))
        if own in self.playbooks:
            return replace(found, playbook=own)
        lacking = ", ".join(dict.fromkeys(family_of(rung.action) for rung in book.rungs))
        shown = ", ".join(f'{label}="{value}"' for label, value in values if label in book.each)
        reason = f"observe: {lacking} is not for {shown}"
        return replace(
            found,
            playbook=None,
            up_to=None,
            mode=Mode.OBSERVE,
            mode_reason=reason,
            armed_because="",
        )
