"""The numbers of the procedure, folded from the journal's entries with the book.

They decide nothing. Times are differences on the steady clock, so that no step of the wall clock
and no restart changes them. What each is:

* rollback time: from the decision (its intent) to the read-back that first showed the effect. In
  time where that is within the action's `sla`, as it was when the intent was opened.
* time to effect, to contain, to recover: from the breach; beside each, from the first bad sample.
  Contained is not recovered: that is proven by the rule's own events after the effect.
* service downtime of a rule: from the first bad sample until it is contained or recovered, and
  again from a relapse. Nothing is subtracted, blindness neither; a breach that did not last for
  `for` is none.
* feature downtime of a target: while an episode's claim stands on what an action has set (paused,
  slowed). Where an earlier whole was put back (a release, a configuration) it runs again: none.
* downtime of a target: both together, of all episodes that rolled it back. Whatever overlaps
  counts once.
* a rollback is a change that was started and not abandoned, and whose target did not stand so
  already. A proof of an action is a rollback whose effect was read back, or (later) a drill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from watchdog.core import entries as e
from watchdog.core.measured import ImpactMeasured, Service, ServiceTurned
from watchdog.core.naming import family_of
from watchdog.core.spans import KEPT_SECONDS, Span, Spans
from watchdog.core.standing import MANUAL, Claim
from watchdog.core.states import Event, State
from watchdog.core.trees import DIGEST
from watchdog.core.words import Direction, Instant, Severity, World

KEPT_EPISODES = 300
MOST_ROLLBACKS = 2000

Claims = Mapping[str, Mapping[str, Claim]]
"""Target -> episode -> its claim, as the book has them."""

PROVES_HEALTH = frozenset({Event.HEALTHY, Event.RECOVERED, Event.SPENT, Event.QUIET})


class Ended(StrEnum):
    """How a rollback ended, by its read-back and its SLA."""

    IN_TIME = "in_time"
    LATE = "late"  # done, and not within the SLA
    UNTIMED = "untimed"  # done; recorded before the SLA was
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Act:
    """One action of an episode, from its decision."""

    intent: str
    action: str
    target: str
    at: Instant
    sla_seconds: float | None
    action_sha256: str
    outcome: e.Outcome | None = None
    effect_at: Instant | None = None

    @property
    def seconds(self) -> float | None:
        """The rollback time; None where it was not we who brought the effect about."""
        if self.outcome is not e.Outcome.DONE or self.effect_at is None:
            return None
        return max(0.0, self.effect_at.steady - self.at.steady)

    @property
    def ended(self) -> Ended | None:
        """None where it is no rollback, or not over."""
        if self.outcome is e.Outcome.DONE:
            if self.sla_seconds is None:
                return Ended.UNTIMED
            return Ended.IN_TIME if (self.seconds or 0.0) <= self.sla_seconds else Ended.LATE
        same = {e.Outcome.FAILED: Ended.FAILED, e.Outcome.UNKNOWN: Ended.UNKNOWN}
        return same.get(self.outcome) if self.outcome is not None else None


@dataclass(frozen=True, slots=True)
class Rollback:
    """One that ended, as it is counted for 90 days."""

    at: Instant
    action: str
    rule: str  # of a family's member, the family
    ended: Ended
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Proof:
    """That an action was last seen to work from end to end."""

    at: Instant
    by: str  # "rollback"
    ref: str  # the intent
    seconds: float | None
    action_sha256: str  # of its text then; "": recorded before that was


@dataclass(slots=True)
class Measure:
    """One episode's numbers."""

    episode: str
    rule: str
    severity: Severity
    world: World
    breached: Instant
    first_bad: Instant | None = None
    lasted: bool = False  # for the rule's `for`
    service: Service = Service.FAILING
    failing_since: float | None = None
    failed: list[Span] = field(default_factory=list)
    contained: Instant | None = None
    recovered: Instant | None = None
    ended: Instant | None = None
    turned: Instant | None = None  # since when the service is so
    turns: int = 0
    acts: list[Act] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)  # that it has rolled back
    impact: ImpactMeasured | None = None
    impact_at: Instant | None = None
    told: bool = True  # what the stretch before it stopped failing has cost
    failed_before: float = 0.0  # events that failed before the newest relapse
    affected_before: float | None = None

    @property
    def began(self) -> Instant:
        return self.first_bad or self.breached

    @property
    def as_of(self) -> str:
        """In words up to when its impact was counted, while there may be more; "" once it is all.

        It is recorded every quarter of an hour at most: without this it would seem the present.
        """
        if self.impact_at is None or (self.told and self.failing_since is None):
            return ""
        return f" as of {self.impact_at.utc:%H:%M:%SZ}"

    def downtime(self, now: Instant) -> float:
        """Seconds in which its service failed."""
        past = sum(end - begin for begin, end in self.failed)
        since = self.failing_since
        return past + (max(0.0, now.steady - since) if since is not None else 0.0)


@dataclass(slots=True)
class Measures:
    """Read freely; changed by the book alone."""

    episodes: dict[str, Measure] = field(default_factory=dict)
    rollbacks: list[Rollback] = field(default_factory=list)
    proofs: dict[str, Proof] = field(default_factory=dict)
    services: dict[str, Spans] = field(default_factory=dict)  # rule or family -> when it failed
    targets: dict[str, Spans] = field(default_factory=dict)  # target -> when its episodes failed
    paused: dict[str, Spans] = field(default_factory=dict)  # target -> when it stood as set
    paused_since: dict[str, float] = field(default_factory=dict)

    def take(self, entry: e.Entry, at: Instant, claims: Claims) -> None:
        """Take one entry in, after the book did, whose claims these are. Most are of no concern."""
        match entry:
            case e.EpisodeOpened():
                self._opened(entry, at)
            case e.EpisodeMoved():
                self._moved(entry, at)
                if entry.after is State.OK:
                    self._look_at(claims, at)
            case ServiceTurned():
                self._turned(entry, at)
            case ImpactMeasured():
                self._impact(entry, at)
            case e.IntentOpened():
                self._intent(entry, at)
            case e.IntentEnded():
                self._intent_ended(entry, at)
                self._look_at(claims, entry.effect_at or at)
            case e.ClaimReleased() | e.CameLate():
                self._look_at(claims, at)
            case _:
                pass

    def _opened(self, entry: e.EpisodeOpened, at: Instant) -> None:
        bad = entry.first_bad
        one = Measure(
            episode=entry.episode,
            rule=entry.rule,
            severity=entry.severity,
            world=entry.world,
            breached=entry.breached or at,
            first_bad=bad if bad is not None and bad.steady <= at.steady else None,
        )
        if entry.rule != MANUAL:
            one.failing_since = one.began.steady
        self.episodes[entry.episode] = one
        if len(self.episodes) > KEPT_EPISODES:
            over = (name for name, kept in self.episodes.items() if kept.ended is not None)
            self.episodes.pop(next(over, ""), None)

    def _moved(self, entry: e.EpisodeMoved, at: Instant) -> None:
        one = self.episodes.get(entry.episode)
        if one is not None:
            one.lasted = one.lasted or entry.after not in {State.PENDING, State.OK}
            if entry.event is Event.CONTAINED:
                one.contained = one.contained or at
                if one.service is Service.FAILING:
                    self._turn(one, Service.CONTAINED, at)
            elif entry.event in PROVES_HEALTH and one.service is not Service.RECOVERED:
                self._turn(one, Service.RECOVERED, at)
            if entry.after is State.OK:
                one.ended = at
                self._stop_failing(one, at)

    def _turned(self, entry: ServiceTurned, at: Instant) -> None:
        one = self.episodes.get(entry.episode)
        if one is not None:
            one.turns += 1
            self._turn(one, entry.service, at, entry.since)

    def _impact(self, entry: ImpactMeasured, at: Instant) -> None:
        one = self.episodes.get(entry.episode)
        if one is not None:
            one.impact, one.impact_at = entry, at
            one.told = one.failing_since is None

    def _intent(self, entry: e.IntentOpened, at: Instant) -> None:
        one = self.episodes.get(entry.episode)
        if one is not None and entry.direction is Direction.DO:
            one.acts.append(
                Act(
                    entry.intent,
                    entry.action,
                    entry.target,
                    at,
                    entry.sla_seconds,
                    entry.action_sha256,
                )
            )

    def _intent_ended(self, entry: e.IntentEnded, at: Instant) -> None:
        if entry.direction is Direction.UNDO:
            return
        one = self.episodes.get(entry.episode)
        act = self._ended(one, entry, at)
        if act.ended is not None:
            rule = family_of(one.rule) if one is not None else ""
            self.rollbacks.append(Rollback(at, act.action, rule, act.ended, act.seconds))
            old = [r for r in self.rollbacks if at.steady - r.at.steady <= KEPT_SECONDS]
            self.rollbacks = old[-MOST_ROLLBACKS:]
        if act.outcome is e.Outcome.DONE:
            proof = Proof(at, "rollback", act.intent, act.seconds, act.action_sha256)
            self.proofs[act.action] = proof

    # -- how the service stands --------------------------------------------------------------------

    def _turn(
        self, one: Measure, service: Service, at: Instant, since: Instant | None = None
    ) -> None:
        if one.rule == MANUAL:
            return
        if service is Service.FAILING:
            self._fail_again(one, since or at)
        else:
            self._stop_failing(one, at)
        if service is Service.RECOVERED:
            one.recovered = one.recovered or at
        one.service, one.turned = service, at

    def _stop_failing(self, one: Measure, at: Instant) -> None:
        if one.failing_since is None:
            return
        span = one.failing_since, max(at.steady, one.failing_since)
        one.failing_since = None
        if one.lasted:
            one.told = False
            one.failed.append(span)
            self.services.setdefault(family_of(one.rule), Spans()).add(*span)
            for target in one.targets:
                self.targets.setdefault(target, Spans()).add(*span)

    @staticmethod
    def _fail_again(one: Measure, since: Instant) -> None:
        if one.failing_since is not None:
            return
        if one.service is Service.CONTAINED and one.failed:  # it never stopped
            one.failing_since, _ = one.failed.pop()
            return
        one.failing_since = since.steady
        if one.impact is not None:  # what was counted stays; more comes on top of it
            one.failed_before = one.impact.failed_events or 0.0
            one.affected_before = one.impact.affected

    def _claimed(self, one: Measure, target: str) -> None:
        """What its service failed before is downtime of this target as well."""
        if target not in one.targets:
            one.targets.append(target)
            for span in one.failed:
                self.targets.setdefault(target, Spans()).add(*span)

    # -- actions and targets -----------------------------------------------------------------------

    @staticmethod
    def _ended(one: Measure | None, entry: e.IntentEnded, at: Instant) -> Act:
        acts = one.acts if one is not None else []
        for number, act in enumerate(acts):
            if act.intent == entry.intent:
                acts[number] = replace(act, outcome=entry.outcome, effect_at=entry.effect_at or at)
                return acts[number]
        began = at.plus(-max(0.0, entry.seconds))
        effect = entry.effect_at or at
        return Act(entry.intent, entry.action, entry.target, began, None, "", entry.outcome, effect)

    def _look_at(self, claims: Claims, at: Instant) -> None:
        """Begin and end the feature downtime of every target whose claims are others now."""
        if not claims and not self.paused_since:
            return
        standing = {target for target, held in claims.items() if _is_set(held)}
        for target in standing - self.paused_since.keys():
            self.paused_since[target] = at.steady
        for target in self.paused_since.keys() - standing:
            since = self.paused_since.pop(target)
            self.paused.setdefault(target, Spans()).add(since, at.steady)
        for target, held in claims.items():
            for episode in held:
                if (one := self.episodes.get(episode)) is not None:
                    self._claimed(one, target)


def _is_set(held: Mapping[str, Claim]) -> bool:
    """Whether it stands as an action has set it, rather than as a whole of before."""
    return any(DIGEST not in dict(claim.facts) for claim in held.values())
