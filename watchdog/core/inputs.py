"""Collects what the gates look at, as plain values, from policy, book and the process's facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from watchdog.core.approvals import needed_by_hand, restores_system
from watchdog.core.book import Book, Episode
from watchdog.core.capabilities import Fellow, unfinished_by
from watchdog.core.deploying import deployed, keeping_back
from watchdog.core.draft import Draft
from watchdog.core.drilled import undrilled
from watchdog.core.evidence import limit_of
from watchdog.core.gates import GateInputs, ModeLimit
from watchdog.core.keeping import held_already
from watchdog.core.naming import family_of
from watchdog.core.restorable import first_bad_of, restorable
from watchdog.core.samples import Point
from watchdog.core.spec import ActionSpec, Policy, RuleSpec, Rung
from watchdog.core.starts import slots_taken
from watchdog.core.stops import (
    NOBODY,
    Consent,
    Subject,
    acts_through,
    standing_holds,
    standing_silences,
    standing_windows,
)
from watchdog.core.words import Instant, Mode, Status, Truth, Verdict, World

PROCESS = "process max_mode"


@dataclass(frozen=True, slots=True)
class SilencesRead:
    """How well Alertmanager's silences are known. Both empty: as well as can be, or not asked for.

    `awaited` refuses: the first look since the start is still under way. `doubt` refuses nothing.
    """

    awaited: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the process knows of itself and of the other rules."""

    environment: str
    host: str
    max_mode: Mode
    time_synced: Truth | None = None  # None: not required
    statuses: Mapping[str, Status] = field(default_factory=dict)
    shadow_seconds: float | None = None  # needed to be armed by evidence; None: none is asked for
    silences: SilencesRead = field(default_factory=SilencesRead)
    elsewhere: frozenset[str] = frozenset()  # other hosts whose daemons do what is bound to them
    fellows: tuple[Fellow, ...] = ()  # the other daemons, each of which may have to take over

    def hands_of(self, host: str) -> str:
        """The host whose daemon would do what is bound to `host`: that one, or only our own."""
        return host if host in self.elsewhere else self.host


@dataclass(frozen=True, slots=True)
class Sight:
    """A rule's verdict and how long it has been so, by valid samples only."""

    verdict: Verdict
    held_seconds: float  # breached, as the `for` clock counts
    quiet_seconds: float  # healthy, without a break
    recovered_since_undo: Truth = Truth.UNKNOWN  # while watched: by events after the undo alone
    points: tuple[Point, ...] = ()  # what a rule that judges numbers as they stand was given
    told_elsewhere: bool = (
        False  # of its blindness people are told by another rule's, or not at all
    )
    first_bad: Instant | None = None  # when a breach began, by its first bad sample
    breached: Instant | None = None  # since when it is seen


@dataclass(frozen=True, slots=True)
class Scene:
    """What every rule of one pass is judged against; the draft grows as they are."""

    policy: Policy
    facts: Facts
    draft: Draft


def gate_inputs(
    rule: RuleSpec,
    ep: Episode,
    rung: Rung,
    sight: Sight,
    scene: Scene,
    consent: Consent = NOBODY,
) -> GateInputs:
    """Everything the gates ask of, for one rung of one episode, now."""
    policy, facts = scene.policy, scene.facts
    book, now = scene.draft.book, scene.draft.now
    action = policy.actions[rung.action]
    subject = Subject.of(rule, ep, action.target, policy)
    ready, ready_reason = readiness(action, book)
    return GateInputs(
        world=ep.world,
        status=sight.verdict.status,
        blind=sight.verdict.blind or "",
        held_seconds=sight.held_seconds,
        for_seconds=rule.for_seconds,
        corroboration=tuple(
            (name, facts.statuses.get(name, Status.BLIND).value) for name in rule.corroborate
        ),
        environment=policy.environment,
        environment_here=facts.environment,
        time_synced=facts.time_synced,
        holds=standing_holds(subject, book, now) + standing_silences(subject, book, now),
        windows=standing_windows(subject, policy, now),
        through_hold=acts_through(ep, subject, policy, book, now)
        or consent.goes_through(subject, policy, book, now),
        barred=ep.barred,
        target=action.target,
        busy=busy(action, book),
        already=f"{action.name} was already started for {ep.id}"
        if action.name in ep.effected
        else "",
        ready=ready,
        ready_reason=ready_reason,
        host=action.host,
        host_here=facts.hands_of(action.host),
        cooldown_until=_cooldown_until(rule, rung, ep.world, book, now),
        cooldown_exempt=bool(ep.reopens),
        breaching_targets=_breaching_targets(ep, scene),
        blast_radius=policy.limits.blast_radius,
        modes=mode_limits(rule, ep, ep.rung, policy, facts, book, now),
        beyond=f"up_to {rule.up_to}" if ep.rung > last_rung(rule, policy) else "",
        budget_used=slots_taken(
            book.acted, ep.world, now, within_seconds=policy.limits.budget_seconds
        ),
        budget_actions=policy.limits.budget_actions,
        budget_seconds=policy.limits.budget_seconds,
        silences_awaited=facts.silences.awaited,
        silences_doubt=facts.silences.doubt,
        held=held_already(action, policy, book, besides=ep.id),
        approved_by=consent.by,
        approvals_needed=consent.needed or rung.approvals,
        unfinished_by=unfinished_by(action, facts.fellows),
        **asdict(restorable(action, book, first_bad_of(rule, ep))),
        **asdict(deployed(rule, ep, rung, sight.verdict, policy, scene.draft)),
    )


def command_inputs(
    action: ActionSpec,
    person: str,
    scene: Scene,
    *,
    through_hold: bool,
    consent: Consent = NOBODY,
) -> GateInputs:
    """The same for a person's own rollback, which has no rule, no evidence and no mode."""
    book, now = scene.draft.book, scene.draft.now
    scope = Subject("", "", action.target)
    through = consent.goes_through(scope, scene.policy, book, now)
    return GateInputs(
        world=World.LIVE,
        status=Status.BLIND,
        blind="",
        held_seconds=0.0,
        for_seconds=0.0,
        corroboration=(),
        environment=scene.policy.environment,
        environment_here=scene.facts.environment,
        time_synced=None,
        holds=standing_holds(scope, book, now),
        windows=standing_windows(scope, scene.policy, now),
        through_hold=person if through_hold else through,
        barred="",
        target=action.target,
        busy=busy(action, book),
        already="",
        ready=readiness(action, book)[0],
        ready_reason=readiness(action, book)[1],
        host=action.host,
        host_here=scene.facts.hands_of(action.host),
        cooldown_until=None,
        cooldown_exempt=True,
        breaching_targets=(),
        blast_radius=scene.policy.limits.blast_radius,
        modes=(ModeLimit(PROCESS, scene.facts.max_mode),),
        beyond="",
        budget_used=0,
        budget_actions=scene.policy.limits.budget_actions,
        budget_seconds=scene.policy.limits.budget_seconds,
        approved_by=consent.by,
        approvals_needed=consent.needed or needed_by_hand(action, scene.policy),
        unfinished_by=unfinished_by(action, scene.facts.fellows),
        held=held_already(action, scene.policy, book),
        **asdict(restorable(action, book, None)),
        deploys=keeping_back(action.target, scene.policy, book, now),
    )


def next_rung(rule: RuleSpec, ep: Episode, policy: Policy) -> Rung | None:
    """The rung that the episode stands before, if the playbook has it."""
    if rule.playbook is None:
        return None
    rungs = policy.playbooks[rule.playbook].rungs
    return rungs[ep.rung] if ep.rung < len(rungs) else None


def rung_target(rule: RuleSpec, ep: Episode, policy: Policy) -> str:
    rung = next_rung(rule, ep, policy)
    return policy.actions[rung.action].target if rung else ""


def last_rung(rule: RuleSpec, policy: Policy) -> int:
    """The highest rung that the rule may reach, counted from 0; -1 without a playbook."""
    if rule.playbook is None:
        return -1
    names = [rung.action for rung in policy.playbooks[rule.playbook].rungs]
    ends = [n for n, name in enumerate(names) if rule.up_to in {name, family_of(name)}]
    return ends[-1] if ends else len(names) - 1


def readiness(action: ActionSpec, book: Book) -> tuple[Truth, str]:
    """What the last preflight saw."""
    found = book.readiness.get(action.name)
    return (found[0], found[1]) if found else (Truth.UNKNOWN, "no preflight has run yet")


def busy(action: ActionSpec, book: Book) -> str:
    """Why the target is not free, if it is not: an open intent on it, be it this episode's undo."""
    for held in book.intents.values():
        entry = held.entry
        if entry.target == action.target:
            return (
                f"{entry.intent} ({entry.direction.value} {entry.action} for {entry.episode}) "
                f"is under way on {action.target}"
            )
    return ""


def mode_limits(
    rule: RuleSpec,
    ep: Episode | None,
    number: int,
    policy: Policy,
    facts: Facts,
    book: Book,
    now: Instant,
) -> tuple[ModeLimit, ...]:
    """All that limits how far a rule goes on the rung with this number, counted from 0.

    The gates judge by it, and what people are shown is taken from it. `ep` is the rule's open
    episode, if it has one.
    """
    limits = [ModeLimit(PROCESS, facts.max_mode), ModeLimit(f"rule {rule.name}", rule.mode)]
    rungs = policy.playbooks[rule.playbook].rungs if rule.playbook is not None else ()
    if number < len(rungs):
        limits.append(ModeLimit(f"rung {number + 1} of {rule.playbook}", rungs[number].mode))
        action = policy.actions[rungs[number].action]
        aged = undrilled(action, book.drills, now)
        limits += [aged] if aged is not None else []
        if restores_system(action):
            limits.append(ModeLimit("a system restore, which is never automatic", Mode.APPROVE))
    earned = earned_limit(rule, book, facts)
    if earned is not None:
        limits.append(earned)
    if ep is not None and ep.world is World.SHADOW:
        limits.append(ModeLimit(f"{ep.id}, which began in shadow", Mode.SHADOW))
    return tuple(limits)


def _cooldown_until(
    rule: RuleSpec, rung: Rung, world: World, book: Book, now: Instant
) -> float | None:
    """The wall time at which it ends; whether it runs is told by the steady clock."""
    last = max(
        (
            a.at
            for a in book.acted
            if (a.world, a.rule, a.action) == (world, rule.name, rung.action)
        ),
        default=None,
        key=lambda at: at.steady,
    )
    if last is None or now.steady - last.steady >= rule.cooldown_seconds:
        return None
    return last.wall + rule.cooldown_seconds


def _breaching_targets(asking: Episode, scene: Scene) -> tuple[str, ...]:
    """Distinct targets of the breaches that began within the blast window of this one.

    Measured from its own beginning and not from now: a long `for`, or being held for this very
    reason, must not let the crowd age out of sight. A rule that is breached and has no episode yet
    gets one in this very pass, after its turn: it begins now. A live decision counts live ones
    alone: shadow must not alter it.
    """
    policy, facts, book = scene.policy, scene.facts, scene.draft.book
    found = set()
    for rule in _judged_rules(policy, book):
        if rule.playbook is None:
            continue
        ep = book.open_episode(rule.name)
        if ep is None and facts.statuses.get(rule.name) is not Status.BREACHED:
            continue
        world = ep.world if ep else opening_world(rule, facts, book)
        began = ep.opened if ep else scene.draft.now
        near = abs(began.steady - asking.opened.steady) <= policy.limits.blast_seconds
        if near and world in {World.LIVE, asking.world}:
            first = policy.playbooks[rule.playbook].rungs[0].action
            found.add(policy.actions[first].target)
    return tuple(sorted(found))


def _judged_rules(policy: Policy, book: Book) -> Iterator[RuleSpec]:
    """All that may have an episode: in a family's place its members."""
    for rule in policy.rules.values():
        if not rule.each:
            yield rule
            continue
        members = (policy.rule(name) for name in book.members.of(rule.name))
        yield from (member for member in members if member is not None)


def earned_limit(rule: RuleSpec, book: Book, facts: Facts) -> ModeLimit | None:
    """What its evidence limits the rule to; None where it limits nothing."""
    if rule.mode <= Mode.SHADOW:
        return None
    merits = book.merits
    evidence, fall = merits.evidence.get(rule.proof), merits.falls.get(rule.family)
    return limit_of(rule, evidence, fall, asked=facts.shadow_seconds is not None)


def opening_world(rule: RuleSpec, facts: Facts, book: Book) -> World:
    """Where an episode of the rule would begin now."""
    earned = earned_limit(rule, book, facts)
    mode = min(rule.mode, facts.max_mode, earned.mode if earned else Mode.ARMED)
    return World.SHADOW if mode is Mode.SHADOW else World.LIVE
