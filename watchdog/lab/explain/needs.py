"""What each gate needs before a rule may act, and what its playbook does rung by rung, in words.

The gates are the core's own list; one without words here is told by its own docstring, so that
none is ever left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from watchdog.core import gates
from watchdog.core.alerting import alert_labels
from watchdog.core.channels import EventSignal
from watchdog.core.entries import GateAnswer
from watchdog.core.gates import GATES, GateInputs
from watchdog.core.inputs import last_rung
from watchdog.core.judge.told import LATE_SECONDS
from watchdog.core.releases import DeployRelease
from watchdog.core.spec import (
    ActionSpec,
    Command,
    HttpCall,
    MaintenanceWindow,
    Policy,
    RatioThreshold,
    RuleSpec,
    Rung,
    Slo,
    Step,
)
from watchdog.core.stops import Subject
from watchdog.core.text import duration, number
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.verification import checks_after
from watchdog.core.words import Direction, Mode, World

Gate = Callable[[GateInputs], GateAnswer]
_TO_EARN = (
    "the process's `shadow_days` without a would-act that nobody explained, a passing unit test of "
    "this very text, every action that it may start ready"
)
_DAYS = ("", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Case:
    """One rule before one rung."""

    policy: Policy
    rule: RuleSpec
    rung: Rung
    number: int

    @property
    def action(self) -> ActionSpec:
        return self.policy.actions[self.rung.action]

    @property
    def mode(self) -> Mode:
        """The lowest of what the files say; the process may lower it further."""
        return min(self.rule.mode, self.rung.mode)

    @property
    def unearned(self) -> bool:
        """Whether the daemon keeps it to shadow until it has earned to act (docs/evidence.md)."""
        return self.rule.mode is Mode.ARMED and not self.rule.armed_because


@dataclass(frozen=True, slots=True)
class Need:
    gate: str
    needs: str


@dataclass(frozen=True, slots=True)
class RungTold:
    """One rung: what is done, when it is judged, and what follows."""

    number: int
    action: str
    target: str
    mode: str
    does: str
    proof: str
    deadline_seconds: float
    sla_seconds: float
    within_seconds: float
    then: str
    reached: bool  # False: beyond what the rule may reach


def needs_of(policy: Policy, rule: RuleSpec) -> tuple[Need, ...]:
    """Every gate before the first rung; none where there is no playbook."""
    if rule.playbook is None:
        return ()
    case = Case(policy, rule, policy.playbooks[rule.playbook].rungs[0], 0)
    return tuple(Need(_name(gate), _words(gate, case)) for gate in GATES)


def ladder_of(policy: Policy, rule: RuleSpec) -> tuple[RungTold, ...]:
    if rule.playbook is None:
        return ()
    rungs = policy.playbooks[rule.playbook].rungs
    last = last_rung(rule, policy)
    return tuple(
        _rung(Case(policy, rule, rung, index), last, len(rungs)) for index, rung in enumerate(rungs)
    )


def _name(gate: Gate) -> str:
    return "hold" if gate is gates.stops else str(getattr(gate, "__name__", "gate"))


def _words(gate: Gate, case: Case) -> str:
    told = WORDS.get(gate)
    if told is not None:
        return told(case)
    return " ".join((gate.__doc__ or "not described").split())


def _evidence(case: Case) -> str:
    rule = case.rule
    texts = [
        f"breached for {duration(rule.for_seconds)} without a break"
        if rule.for_seconds
        else "told by one event"
        if isinstance(rule.signal, EventSignal)
        else "breached at one poll"
    ]
    if rule.minimum_events and isinstance(rule.signal, Slo | RatioThreshold):
        texts.append(f"at least {number(rule.minimum_events)} events in the window")
    if rule.corroborate:
        texts.append(f"{' and '.join(rule.corroborate)} breached as well")
    return ", ".join(texts)


def _environment(case: Case) -> str:
    return f"a process of {case.policy.environment}, its clock synchronised where it asks for that"


def _stops(case: Case) -> str:
    subject = Subject(case.rule.owner, case.rule.name, case.action.target)
    said = (
        f"no hold or silence on everything, owner {subject.owner}, rule {subject.rule} or "
        f"target {subject.target}"
    )
    beside = case.policy.alertmanager
    if beside is not None and beside.silences:
        named = ", ".join(
            f'{name}="{value}"'
            for name, value in alert_labels(case.rule, case.policy.environment, World.LIVE)
        )
        said += f", and no silence in Alertmanager on {{{named}}}"
    windows = [_window(w) for w in case.policy.windows if subject.under(w.scope)]
    return f"{said}; outside of {', '.join(windows)}" if windows else said


def _window(window: MaintenanceWindow) -> str:
    days = " ".join(_DAYS[day] for day in window.days)
    return f"{window.name} ({days} {window.since:%H:%M} to {window.until:%H:%M} {window.zone.key})"


def _deploy(case: Case) -> str:
    longest = duration(case.policy.limits.deploy_max_seconds)
    return f"no deploy of {case.action.target} under way, of which {longest} count at most"


def _burning(case: Case) -> str:
    signal = case.rule.signal
    once = "healthy"
    if isinstance(signal, RatioThreshold):
        once = f"healthy with {duration(signal.over_seconds)} wholly observed"
    if isinstance(signal, Slo):
        shortest = min(pair.short_seconds for pair in signal.pairs)
        once = f"healthy with {duration(shortest)} wholly observed"
    since = "at least once since it was started, armed or closed"
    if isinstance(signal, EventSignal):
        since += f", and the event was first told within {duration(LATE_SECONDS)} of its beginning"
    return f"was {once} {since}; else it holds and pages"


def _target(case: Case) -> str:
    action = case.action
    return f"nothing under way on {action.target}, {action.name} not yet tried in this episode"


def _ready(case: Case) -> str:
    action = case.action
    where = "on any host" if action.host == "any" else f"on host {action.host}"
    return f"the last preflight of {action.name} shows that it works, {where}"


def _anchor(case: Case) -> str:
    margin = case.action.anchor_margin_seconds
    if margin is None:
        return "nothing: no age is asked of what it restores"
    return (
        f"what it restores was proven, is older than the first bad sample by {duration(margin)}, "
        "and was not rolled back itself"
    )


def _change(case: Case) -> str:
    within = case.rung.attribute_within_seconds
    if within is None:
        return "nothing: it is not attributed to a deploy"
    return f"a deploy of {case.action.target} within {duration(within)} before the breach"


def _cooldown(case: Case) -> str:
    rule = case.rule
    if not rule.cooldown_seconds:
        return "nothing: the rule has no cooldown"
    return (
        f"{duration(rule.cooldown_seconds)} since {rule.name} last started {case.action.name} "
        f"(not asked of a breach right after an undo)"
    )


def _blast_radius(case: Case) -> str:
    limits = case.policy.limits
    return f"at most {limits.blast_radius} targets breach within {duration(limits.blast_seconds)}"


def _mode(case: Case) -> str:
    lowest = (
        f"{case.mode.word}: the lowest of rule ({case.rule.mode.word}), rung "
        f"({case.rung.mode.word}) and what the process allows"
    )
    if case.action.drilled_within_seconds is not None and case.mode is Mode.ARMED:
        within = duration(case.action.drilled_within_seconds)
        lowest += f"; it asks people where no drill of {case.action.name} passed within {within}"
    if case.unearned:
        lowest += f"; shadow until it has earned to act: {_TO_EARN}"
    elif case.rule.mode is Mode.SHADOW:
        lowest += f"; declared armed, it would act once it has earned it: {_TO_EARN}"
    else:
        return lowest
    return f"{lowest}; or `armed_because` (slo-watchdog evidence {case.rule.name})"


def _budget(case: Case) -> str:
    limits = case.policy.limits
    return (
        f"fewer than {limits.budget_actions} automatic actions, of all rules together, in "
        f"{duration(limits.budget_seconds)}"
    )


WORDS: Mapping[Gate, Callable[[Case], str]] = MappingProxyType(
    {
        gates.evidence: _evidence,
        gates.environment: _environment,
        gates.stops: _stops,
        gates.deploy: _deploy,
        gates.burning: _burning,
        gates.target: _target,
        gates.ready: _ready,
        gates.anchor: _anchor,
        gates.change: _change,
        gates.cooldown: _cooldown,
        gates.blast_radius: _blast_radius,
        gates.mode: _mode,
        gates.budget: _budget,
    }
)


def _rung(case: Case, last: int, count: int) -> RungTold:
    action, reached = case.action, case.number <= last
    return RungTold(
        number=case.number + 1,
        action=action.name,
        target=action.target,
        mode=case.mode.word,
        does=_does(case) if reached else f"is not reached: up_to {case.rule.up_to}",
        proof=f"{action.read_back.url} must show {action.do.expect}",
        deadline_seconds=action.deadline_seconds,
        sla_seconds=action.sla_seconds,
        within_seconds=case.rung.within_seconds,
        then=_then(case, last, count) if reached else "",
        reached=reached,
    )


def _does(case: Case) -> str:
    what = _command(case.action.do)
    match case.mode:
        case Mode.OBSERVE:
            return "does nothing, and says why it would not"
        case Mode.SHADOW:
            return f"records that it would act ({what})"
        case Mode.APPROVE:
            count, within = case.rung.approvals, duration(case.rung.approve_within_seconds)
            whom = "a person" if count == 1 else f"{count} people"
            return f"asks {whom}, for {within}, then acts ({what})"
        case _:
            first = (
                "records that it would act, and once it has earned it, " if case.unearned else ""
            )
            return f"{first}acts ({what})"


def _command(step: Step) -> str:
    match step.how:
        case Command(argv):
            return " ".join(argv)
        case HttpCall(method, endpoint):
            return f"{method} {endpoint.url}"
        case DeployRelease(by=by):
            return _command(Step(by, step.expect))
        case SwapTree(current, previous):
            return f"puts {previous} in the place of {current}"
        case RestoreSystem(archive, root):
            return f"restores {archive} over {root}"


def _then(case: Case, last: int, count: int) -> str:
    if case.mode < Mode.APPROVE:
        return ""
    higher = "the next rung" if case.number < last else "a person"
    if case.number == last and last < count - 1:
        higher = f"a person (up_to {case.rule.up_to})"
    proven = [f"{check.endpoint.url} shows {check.expect}" for check in case.action.contained_when]
    proven.append("the rule has recovered by events after it")
    checks = case.policy.verification.get(case.action.name, ())
    names = ", ".join(check.name for check in checks_after(checks, Direction.DO))
    verified = f"; verified beside that by {names}, which decides nothing" if names else ""
    return (
        f"helped when {', or '.join(proven)}; proven not to have within "
        f"{duration(case.rung.within_seconds)}: {higher}; cannot be told: a person{verified}"
    )
