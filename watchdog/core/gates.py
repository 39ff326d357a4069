"""The gates: every reason not to act now, asked one by one and all of them recorded.

Each is a pure function of `GateInputs`, which hold plain values only, so that a decision stored
with its inputs can be made again. The ruling is the first refusal in this order; a mode below
`armed` is not a refusal but turns ALLOWED into WOULD_ACT or NEEDS_APPROVAL. Reasons carry no
running numbers ("until 20:31:05Z", not "43 s left"), since a refusal is recorded when it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from watchdog.core.entries import GateAnswer, Ruling
from watchdog.core.text import duration
from watchdog.core.words import Mode, Status, Truth, World

FLOAT_DUST = 1e-6
"""Seconds by which a sum of gaps may fall short of `for` without meaning it."""


@dataclass(frozen=True, slots=True)
class ModeLimit:
    """One of the things that limit how far a rule may go, and who says so."""

    who: str  # "process max_mode", "rule", "rung 1 of redemption"
    mode: Mode


@dataclass(frozen=True, slots=True)
class GateInputs:
    """All that the gates look at. Seconds are durations; times are UTC since the epoch."""

    world: World
    # evidence
    status: Status
    blind: str
    held_seconds: float
    for_seconds: float
    corroboration: tuple[tuple[str, str], ...]  # (rule, its status)
    # environment
    environment: str
    environment_here: str
    time_synced: Truth | None  # None: not required
    # stops
    holds: tuple[str, ...]  # "H3 on everything by alice: database migration"
    windows: tuple[str, ...]
    through_hold: str  # the person who acts through them
    barred: str
    # the target
    target: str
    busy: str
    already: str  # why this episode may not start the action again
    ready: Truth
    ready_reason: str
    host: str
    host_here: str
    # limits
    cooldown_until: float | None  # wall time, None when no cooldown runs
    cooldown_exempt: bool
    breaching_targets: tuple[str, ...]
    blast_radius: int
    modes: tuple[ModeLimit, ...]
    beyond: str  # "up_to pause-redemption" when the rung lies beyond it
    budget_used: int
    budget_actions: int
    budget_seconds: float
    # Alertmanager's silences, which are among the holds: how well they are known
    silences_awaited: str = ""
    silences_doubt: str = ""
    # the target once more
    held: str = ""  # "stands so already, by E1 (errors)": which other episodes hold it
    # what would be restored; all as they are here where the action restores nothing
    anchor_margin: float | None = None  # seconds; None: no age is asked for
    anchor: str = ""  # its digest
    anchor_known_by: float | None = None  # wall time by which all of it existed
    first_bad: float | None = None  # wall time from which samples may have been bad
    quarantined: str = ""  # the episode that rolled this very content back
    # deploys of the target: those that keep it back, and what the breach is attributed to
    deploys: tuple[str, ...] = ()
    attribute_within: float | None = None  # seconds; None: it is not asked for
    change: str = ""
    # what people said, where they are asked
    approved_by: tuple[str, ...] = ()
    approvals_needed: int = 0
    unfinished_by: str = ""  # the daemons of other versions that could not take it over

    @property
    def approved(self) -> bool:
        """Whether as many as must have said yes."""
        return len(self.approved_by) >= max(1, self.approvals_needed)


def lowest(modes: tuple[ModeLimit, ...]) -> ModeLimit:
    """The one that counts; of equals the first."""
    return min(modes, key=lambda limit: limit.mode)


def evidence(x: GateInputs) -> GateAnswer:
    """A breach, seen now, for long enough, and not alone where company is asked for."""
    if x.status is not Status.BREACHED:
        return _refuse("evidence", f"{x.status.value}{': ' + x.blind if x.blind else ''}")
    if x.held_seconds + FLOAT_DUST < x.for_seconds:
        return _refuse("evidence", f"breached for less than {duration(x.for_seconds)}")
    silent = [f"{rule} is {status}" for rule, status in x.corroboration if status != "breached"]
    if silent:
        return _refuse("evidence", "not corroborated: " + ", ".join(silent))
    return _pass("evidence", f"breached for at least {duration(x.for_seconds)}")


def environment(x: GateInputs) -> GateAnswer:
    """The policy is this process's, and the clock is right where that is required."""
    if x.environment != x.environment_here:
        return _refuse(
            "environment", f"the policy is for {x.environment}, this is {x.environment_here}"
        )
    if x.time_synced is not None and x.time_synced is not Truth.TRUE:
        return _refuse("environment", "the clock is not known to be synchronised")
    return _pass("environment", x.environment)


def stops(x: GateInputs) -> GateAnswer:
    """Holds, silences, ours and Alertmanager's, and maintenance windows.

    Before Alertmanager was asked once it is waited for, for as long as one look may take; and an
    Alertmanager that does not answer refuses nothing.
    """
    if x.holds and not x.through_hold:
        return _refuse("hold", "; ".join(x.holds))
    if x.windows and not x.through_hold:
        return _refuse("hold", "maintenance window " + ", ".join(x.windows))
    if x.silences_awaited and not x.through_hold:
        return _refuse("hold", x.silences_awaited)
    if x.through_hold and (x.holds or x.windows):
        return _pass("hold", f"{x.through_hold} acts through it")
    return _pass("hold", f"none is known; {x.silences_doubt}" if x.silences_doubt else "none")


def deploy(x: GateInputs) -> GateAnswer:
    """Nothing runs into a deploy; what begins during one is judged by what is seen after it."""
    if x.deploys and not x.through_hold:
        return _refuse("deploy", "; ".join(x.deploys))
    said = f"{x.through_hold} acts through it" if x.deploys else "none under way"
    return _pass("deploy", said)


def burning(x: GateInputs) -> GateAnswer:
    """A breach that began while the rule was not allowed to act fires nothing by itself."""
    return _refuse("burning", x.barred) if x.barred else _pass("burning", "began while allowed")


def target(x: GateInputs) -> GateAnswer:
    """One action per target at a time, and no action of an episode twice."""
    if x.already:
        return _refuse("target", x.already)
    if x.busy:
        return _refuse("target", x.busy)
    return _pass("target", f"{x.target} {x.held or 'is free'}")


def ready(x: GateInputs) -> GateAnswer:
    """The action would work here and now, as its preflight last saw."""
    if x.host not in {"any", x.host_here}:
        return _refuse(
            "ready", f"belongs to host {x.host}, whose daemon is not there; this is {x.host_here}"
        )
    if x.unfinished_by:
        return _refuse("ready", f"not ready: {x.unfinished_by}")
    if x.ready is not Truth.TRUE:
        return _refuse("ready", f"not ready: {x.ready_reason}")
    return _pass("ready", x.ready_reason or "ready")


def anchor(x: GateInputs) -> GateAnswer:
    """What is restored was proven, is older than the trouble, and was not rolled back itself."""
    if x.quarantined:
        return _refuse("anchor", f"its content was rolled back by {x.quarantined}: quarantined")
    if x.anchor_margin is None:
        return _pass("anchor", f"content {x.anchor[:12]}" if x.anchor else "restores nothing")
    if x.anchor_known_by is None:
        return _refuse("anchor", "nothing to restore was proven yet")
    known = _utc(x.anchor_known_by)
    if x.first_bad is None:
        return _pass("anchor", f"content {x.anchor[:12]}, known by {known}")
    needed = x.first_bad - x.anchor_margin
    if x.anchor_known_by > needed:
        return _refuse(
            "anchor",
            f"content {x.anchor[:12]} is known only by {known}, and must be by {_utc(needed)}, "
            f"{duration(x.anchor_margin)} before what may be the first bad sample",
        )
    return _pass("anchor", f"content {x.anchor[:12]}, known by {known}, before {_utc(needed)}")


def change(x: GateInputs) -> GateAnswer:
    """Where that is asked for: something was deployed that may have led to the breach."""
    if x.attribute_within is None:
        return _pass("change", "not asked for")
    if not x.change:
        return _refuse(
            "change",
            f"nothing was deployed to {x.target} within {duration(x.attribute_within)} before "
            "the breach, so that there is nothing to attribute it to",
        )
    return _pass("change", f"attributed to {x.change}")


def cooldown(x: GateInputs) -> GateAnswer:
    if x.cooldown_until is None:
        return _pass("cooldown", "none runs")
    if x.cooldown_exempt:
        return _pass("cooldown", "exempt: follows an undo")
    return _refuse("cooldown", f"until {_utc(x.cooldown_until)}")


def blast_radius(x: GateInputs) -> GateAnswer:
    """Many targets at once is more likely the metrics than the services."""
    if len(x.breaching_targets) > x.blast_radius:
        return _refuse(
            "blast_radius",
            f"{len(x.breaching_targets)} targets breach at once, more than {x.blast_radius}: "
            + ", ".join(x.breaching_targets),
        )
    return _pass("blast_radius", f"{len(x.breaching_targets)} of at most {x.blast_radius} targets")


def mode(x: GateInputs) -> GateAnswer:
    """The lowest mode counts. Shadow and approve pass here; `rule_on` turns them into theirs."""
    if x.beyond:
        return _refuse("mode", x.beyond)
    limit = lowest(x.modes)
    if limit.mode is Mode.OBSERVE:
        return _refuse("mode", f"observe, by {limit.who}")
    return _pass("mode", f"{limit.mode.word}, by {limit.who}")


def budget(x: GateInputs) -> GateAnswer:
    """The last to be asked: its slot is taken only when nothing else refuses."""
    used = f"{x.budget_used} of {x.budget_actions} in {duration(x.budget_seconds)}"
    if x.budget_used >= x.budget_actions:
        return _refuse("budget", f"spent: {used}")
    return _pass("budget", used)


GATES: tuple[Callable[[GateInputs], GateAnswer], ...] = (
    evidence,
    environment,
    stops,
    deploy,
    burning,
    target,
    ready,
    anchor,
    change,
    cooldown,
    blast_radius,
    mode,
    budget,
)
"""In the order in which the first refusal counts."""

FOR_PEOPLE = (environment, target, ready, anchor)
"""What a person's own command cannot overrule; holds it must name (`through_hold`)."""


ONCE_MORE = (evidence, environment, stops, deploy, burning, blast_radius, mode)
"""Asked again right before the effect of an automatic start, which may have waited meanwhile. Its
own start answers the others by then: it has the target, the cooldown and the slot, and whether the
action is ready shows in trying it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    ruling: Ruling
    reason: str
    gates: tuple[GateAnswer, ...]


def rule_on(x: GateInputs) -> Judgement:
    """Ask every gate; the first refusal rules, else the lowest mode does."""
    answers = tuple(gate(x) for gate in GATES)
    refused = next((a for a in answers if not a.passed), None)
    if refused is not None:
        return Judgement(Ruling.REFUSED, f"{refused.gate}: {refused.reason}", answers)
    limit = lowest(x.modes)
    match limit.mode:
        case Mode.SHADOW:
            return Judgement(Ruling.WOULD_ACT, f"shadow, by {limit.who}", answers)
        case Mode.APPROVE if not x.approved:
            return Judgement(Ruling.NEEDS_APPROVAL, f"approve, by {limit.who}", answers)
        case _:
            said = _approved(x) if x.approved_by else "every gate passed"
            said += f"; attributed to {x.change}" if x.change else ""
            return Judgement(Ruling.ALLOWED, said, answers)


def refused_by_now(x: GateInputs) -> str:
    """Why what was allowed may not take effect any more, as its gate says it; "" when it may."""
    refused = next((a for a in (gate(x) for gate in ONCE_MORE) if not a.passed), None)
    if refused is not None:
        return f"{refused.gate}: {refused.reason}"
    limit = lowest(x.modes)
    may = limit.mode is Mode.ARMED or (limit.mode is Mode.APPROVE and x.approved)
    return "" if may else f"mode: {limit.mode.word}, by {limit.who}"


def rule_on_command(x: GateInputs) -> Judgement:
    """A person's own rollback: holds count unless acted through; evidence and mode do not."""
    answers = tuple(gate(x) for gate in (*FOR_PEOPLE, stops, deploy))
    refused = next((a for a in answers if not a.passed), None)
    if refused is not None:
        return Judgement(Ruling.REFUSED, f"{refused.gate}: {refused.reason}", answers)
    if x.approvals_needed and not x.approved:
        people = "1 person" if x.approvals_needed == 1 else f"{x.approvals_needed} people"
        return Judgement(Ruling.NEEDS_APPROVAL, f"needs the yes of {people}", answers)
    said = _approved(x) if x.approved_by else "commanded by a person"
    said += f"; {x.target} {x.held}" if x.held else ""
    return Judgement(Ruling.ALLOWED, said, answers)


def command_refused_by_now(x: GateInputs) -> str:
    """Why a person's rollback that others approved may not take effect any more."""
    answers = (gate(x) for gate in (environment, stops, deploy))
    refused = next((a for a in answers if not a.passed), None)
    if refused is not None:
        return f"{refused.gate}: {refused.reason}"
    return "" if x.approved else "it is not approved"


def _approved(x: GateInputs) -> str:
    return f"approved by {', '.join(x.approved_by)}"


def _utc(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _pass(gate: str, reason: str) -> GateAnswer:
    return GateAnswer(gate, passed=True, reason=reason)


def _refuse(gate: str, reason: str) -> GateAnswer:
    return GateAnswer(gate, passed=False, reason=reason)
