"""The numbers of the procedure as people and metrics are shown them: plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchdog.core.book import MANUAL
from watchdog.core.measures import Act, Ended, Measure
from watchdog.core.naming import family_of
from watchdog.core.periods import (
    PERIODS,
    feature_stretches,
    in_time_ratio,
    proof_of,
    rollbacks_within,
    service_stretches,
    target_stretches,
    together,
    within,
)
from watchdog.core.spec import RatioThreshold, Slo
from watchdog.core.text import duration, number
from watchdog.core.words import Instant
from watchdog.engine.shapes import AffectedShape, MeasureShape, RollbackShape
from watchdog.engine.shapes_around import LastedShape, PeriodShape
from watchdog.engine.verdict_view import utc

if TYPE_CHECKING:  # the engine itself shows what an episode has cost, to those who are told of it
    from watchdog.engine.engine import Engine

FAILED_EVENTS = "failed events"


Keyed = Mapping[tuple[str, ...], float]
"""By names, the last of which is the period."""


@dataclass(frozen=True, slots=True)
class MeasuresNow:
    """What metrics tell of the record."""

    proof_ages: Mapping[str, float]  # action -> seconds; infinite where it is not proven
    preflight_age: float | None
    service: Keyed  # by rule
    feature: Keyed  # by target
    target: Keyed
    together: Keyed
    rollbacks: Keyed  # by action and rule
    in_time: Keyed  # by action
    affected: Mapping[tuple[str, ...], float]  # by rule and what is counted


def measures_now(engine: Engine) -> MeasuresNow:
    """From the record, so that no restart loses any of it."""
    measures, now, policy = engine.book.measures, engine.ports.clock.now(), engine.in_force()
    proofs = {action: proof_of(measures, spec) for action, spec in policy.actions.items()}
    looked = engine.preflight.looked_at
    service, target = service_stretches(measures, now), target_stretches(measures, now)
    feature = feature_stretches(measures, now)
    frequency: Counter[tuple[str, ...]] = Counter()
    ends: dict[tuple[str, ...], Counter[Ended]] = {}
    for period, seconds in PERIODS.items():
        for (action, rule, ended), count in rollbacks_within(measures, now, seconds).items():
            frequency[action, rule, period] += count
            ends.setdefault((action, period), Counter())[ended] += count
    ratios = {key: in_time_ratio(found) for key, found in ends.items()}

    def sums(stretches: Mapping[str, list[tuple[float, float]]]) -> Keyed:
        return {
            (name, period): lasted
            for period, seconds in PERIODS.items()
            for name, lasted in within(stretches, now, seconds).items()
        }

    return MeasuresNow(
        proof_ages={
            action: float("inf") if proof is None else now.steady - proof.at.steady
            for action, proof in proofs.items()
        },
        preflight_age=None if looked is None else now.steady - looked.steady,
        service=sums(service),
        feature=sums(feature),
        target=sums(target),
        together={
            (period,): together((service, target), now, seconds)
            for period, seconds in PERIODS.items()
        },
        rollbacks=dict(frequency),
        in_time={key: ratio for key, ratio in ratios.items() if ratio is not None},
        affected=_affected(engine),
    )


def measures_view(engine: Engine) -> dict[str, PeriodShape]:
    """The whole, by period: what was down, and what was rolled back."""
    measures, now = engine.book.measures, engine.ports.clock.now()
    service, target = service_stretches(measures, now), target_stretches(measures, now)
    feature = feature_stretches(measures, now)
    return {
        period: {
            "downtime_seconds": together((service, target), now, seconds),
            "services": _named(within(service, now, seconds)),
            "features": _named(within(feature, now, seconds)),
            "targets": _named(within(target, now, seconds)),
            "rollbacks": [
                {"action": action, "rule": rule, "ended": ended.value, "number": count}
                for (action, rule, ended), count in sorted(
                    rollbacks_within(measures, now, seconds).items()
                )
            ],
        }
        for period, seconds in PERIODS.items()
    }


def _named(sums: Mapping[str, float]) -> list[LastedShape]:
    return [{"name": name, "seconds": lasted} for name, lasted in sums.items()]


def measure_view(engine: Engine, episode: str) -> MeasureShape | None:
    """One episode's numbers; None where they are not kept: it began before the record's oldest."""
    one, now = engine.book.measures.episodes.get(episode), engine.ports.clock.now()
    if one is None:
        return None
    affected = _cost(engine, one)
    return {
        "told": list(_told(one, affected, now)),
        "first_bad": utc(one.first_bad) if one.first_bad else None,
        "contained": utc(one.contained) if one.contained else None,
        "recovered": utc(one.recovered) if one.recovered else None,
        "service": None if one.rule == MANUAL else one.service.value,
        "service_downtime_seconds": one.downtime(now) if one.lasted else 0.0,
        "seconds_breach_to_contained": _since(one.breached, one.contained),
        "seconds_breach_to_recovered": _since(one.breached, one.recovered),
        "seconds_first_bad_to_contained": _since(one.first_bad, one.contained),
        "seconds_first_bad_to_recovered": _since(one.first_bad, one.recovered),
        "rollbacks": [_rollback(one, act) for act in one.acts],
        "affected": affected,
    }


def _told(one: Measure, affected: AffectedShape, now: Instant) -> Iterator[str]:
    """What of it people ask for first, in words; nothing of a breach that did not last."""
    for act in one.acts:
        if act.seconds is not None:
            promised = f" of {duration(act.sla_seconds)} promised" if act.sla_seconds else ""
            late = ", late" if act.ended is Ended.LATE else ""
            yield f"{act.action} took {duration(act.seconds)}{promised}{late}"
    if not one.lasted or one.rule == MANUAL:
        return
    contained, recovered = (_since(one.breached, end) for end in (one.contained, one.recovered))
    if contained is not None:
        yield f"contained {duration(contained)} after the breach"
    if recovered is not None:
        yield f"recovered {duration(recovered)} after it"
    elif one.ended is None:
        yield "not proven to have recovered"
    failed = "has failed" if one.failing_since is not None else "failed"
    yield f"its service {failed} for {duration(one.downtime(now))}"
    if affected["number"] is None:
        yield f"who was affected is not known: {affected['reason']}"
    else:
        yield f"{number(affected['number'])} {affected['of']}{one.as_of}"


def _rollback(one: Measure, act: Act) -> RollbackShape:
    done = act.effect_at if act.seconds is not None else None
    return {
        "intent": act.intent,
        "action": act.action,
        "target": act.target,
        "outcome": act.outcome.value if act.outcome else None,
        "ended": act.ended.value if act.ended else None,
        "seconds": act.seconds,
        "sla_seconds": act.sla_seconds,
        "seconds_first_bad_to_effect": _since(one.first_bad, done),
    }


def _cost(engine: Engine, one: Measure) -> AffectedShape:
    """`number` of `of`; None with the reason where it is not known."""
    told = one.impact
    known = told is not None and told.affected is not None
    failed = told.failed_events if told is not None else None
    count, of = (told.affected, told.of) if told is not None and known else (failed, FAILED_EVENTS)
    return {
        "number": count,
        "of": of if count is not None else "",
        "by": "impact" if known else "counters" if failed is not None else "unknown",
        "failed_events": failed,
        "as_of": utc(one.impact_at) if one.impact_at else None,
        "reason": _why_unknown(engine, one) if count is None else told.reason if told else "",
    }


def _why_unknown(engine: Engine, one: Measure) -> str:
    """Why nobody can say who is affected."""
    rule = engine.in_force().rule(one.rule)
    if one.rule == MANUAL or rule is None:
        return "no rule counts it"
    if one.impact is not None and one.impact.reason:
        return f"impact: {one.impact.reason}"
    if rule.impact is not None or isinstance(rule.signal, RatioThreshold | Slo):
        return "not counted yet"
    return "the rule counts no events and has no impact"


def _affected(engine: Engine) -> Mapping[tuple[str, ...], float]:
    """Of each rule's newest episode that cost something."""
    found: dict[str, tuple[str, float]] = {}
    for one in engine.book.measures.episodes.values():
        told = one.impact
        if told is not None and told.affected is not None:
            found[family_of(one.rule)] = told.of, told.affected
        elif told is not None and told.failed_events is not None:
            found[family_of(one.rule)] = FAILED_EVENTS, told.failed_events
    return {(rule, of): count for rule, (of, count) in found.items()}


def _since(begin: Instant | None, end: Instant | None) -> float | None:
    return None if begin is None or end is None else max(0.0, end.steady - begin.steady)
