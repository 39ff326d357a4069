"""Measures a rule's open episode beside its turn: does the service work again, what did it cost?

Laws
* It decides nothing: with it or without it, the turn and all that follows are the same.
* The service has recovered when events after the effect, or after the undo, say so alone; without
  an effect, when the rule is healthy and clear for as long as it keeps firing. It fails again when
  the rule is breached for its `for`, by events after that.
* What it cost is recorded when the episode has moved, when the service turned, and else every
  RECORD_EVERY_SECONDS while it fails. So the record holds it, and few entries of it.
"""

from __future__ import annotations

from typing import Protocol

from watchdog.core.book import Episode
from watchdog.core.draft import Draft
from watchdog.core.gates import FLOAT_DUST
from watchdog.core.impact import Cost
from watchdog.core.inputs import Scene, Sight
from watchdog.core.measured import ImpactMeasured, Service, ServiceTurned
from watchdog.core.measures import Measure
from watchdog.core.spec import RuleSpec
from watchdog.core.states import State
from watchdog.core.turn import take_turn
from watchdog.core.words import CheckReading, Instant, Status, Truth

RECORD_EVERY_SECONDS = 900.0
MOST_TURNS = 40
"""Of one episode: a service that flaps more often is left as it was seen last."""


class Eyes(Protocol):
    """What can be asked of a rule's samples; `Memory` is one."""

    def recovered_since(self, rule: str, effect: Instant, now: Instant) -> CheckReading: ...

    def cost(self, rule: str, since: float) -> Cost: ...


def take_measured_turn(rule: RuleSpec, sight: Sight, scene: Scene, eyes: Eyes) -> None:
    """The rule's turn, and the numbers of the episode that it had or has."""
    book = scene.draft.book
    before = book.open_episode(rule.name)
    take_turn(rule, sight, scene)
    after = book.open_episode(rule.name)
    if before is not None and before is not after:
        _measure(rule, before, sight, scene.draft, eyes)
    if after is not None:
        _measure(rule, after, sight, scene.draft, eyes)


def _measure(rule: RuleSpec, ep: Episode, sight: Sight, draft: Draft, eyes: Eyes) -> None:
    one = draft.book.measures.episodes.get(ep.id)
    if one is None or not one.lasted:
        return
    turned = _turned(rule, ep, one, sight, draft.now, eyes)
    if turned is not None:
        draft.add(turned)
    cost = _cost(rule, ep, one, draft.now, eyes)
    if cost is not None:
        draft.add(cost)


def _turned(
    rule: RuleSpec, ep: Episode, one: Measure, sight: Sight, now: Instant, eyes: Eyes
) -> ServiceTurned | None:
    """What events say of the service that was not known yet."""
    if ep.state is State.OK or one.turns >= MOST_TURNS:
        return None
    judged = _relapsed if one.service is Service.RECOVERED else _recovered
    return judged(rule, ep, one, sight, now, eyes)


def _recovered(
    rule: RuleSpec, ep: Episode, one: Measure, sight: Sight, now: Instant, eyes: Eyes
) -> ServiceTurned | None:
    verdict = sight.verdict
    since = ep.moved if ep.state is State.WATCHED else ep.effect_at
    if since is None:
        quiet = sight.quiet_seconds >= rule.keep_firing_seconds
        if verdict.status is Status.HEALTHY and verdict.clear and quiet:
            return ServiceTurned(ep.id, Service.RECOVERED, verdict.reason)
        return None
    seen = eyes.recovered_since(rule.name, since, now)
    if seen.truth is Truth.TRUE:
        return ServiceTurned(ep.id, Service.RECOVERED, seen.reason)
    fails = seen.truth is Truth.FALSE and verdict.status is Status.BREACHED
    if fails and one.service is Service.CONTAINED:  # it never stopped
        return ServiceTurned(ep.id, Service.FAILING, seen.reason, one.turned)
    return None


def _relapsed(
    rule: RuleSpec, ep: Episode, one: Measure, sight: Sight, now: Instant, eyes: Eyes
) -> ServiceTurned | None:
    breached = sight.verdict.status is Status.BREACHED
    if not breached or sight.held_seconds + FLOAT_DUST < rule.for_seconds or one.turned is None:
        return None
    seen = eyes.recovered_since(rule.name, one.turned, now)
    if seen.truth is not Truth.FALSE:
        return None
    since = max(one.turned, sight.first_bad or one.turned, key=lambda at: at.steady)
    return ServiceTurned(ep.id, Service.FAILING, seen.reason, since)


def _cost(
    rule: RuleSpec, ep: Episode, one: Measure, now: Instant, eyes: Eyes
) -> ImpactMeasured | None:
    """What is to be recorded of it now, if anything is."""
    since = one.failing_since
    if since is None:
        if one.told or not one.failed:
            return None
        since = one.failed[-1][0]
    elif one.impact_at is not None:
        last = one.impact_at.steady
        moved = max(ep.moved.steady, one.turned.steady if one.turned is not None else 0.0)
        if moved <= last and now.steady - last < RECORD_EVERY_SECONDS:
            return None
    cost = eyes.cost(rule.name, since)
    if cost.failed_events is None and not cost.of:
        return None
    failed = None if cost.failed_events is None else cost.failed_events + one.failed_before
    return ImpactMeasured(ep.id, failed, _affected(rule, one, cost), cost.of, cost.reason)


def _affected(rule: RuleSpec, one: Measure, cost: Cost) -> float | None:
    """Of the whole episode: increases add up, of values the highest counts."""
    before = one.affected_before
    if cost.affected is None or before is None or rule.impact is None:
        return before if cost.affected is None else cost.affected
    return before + cost.affected if rule.impact.grows else max(before, cost.affected)
