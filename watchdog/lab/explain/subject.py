"""A rule as its explanation needs it: ratios to exceed, windows, the rhythm of its samples."""

from __future__ import annotations

from dataclasses import dataclass, replace

from watchdog.core.channels import Channel
from watchdog.core.naming import values_in
from watchdog.core.spec import (
    Policy,
    PrometheusApi,
    RatioThreshold,
    RuleSpec,
    Slo,
    SourceSpec,
)
from watchdog.lab.explain.formulae import Pair, divides, lasting_seconds, window


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When what happened can be seen at the earliest and at the latest."""

    every: float  # between two samples
    wait: float  # between an event and the poll that shows it, at most
    answer: float  # what that poll may take
    lasting: float  # what `for` adds
    uneven: float = 0.0  # what it may add more, where samples do not come at the polls' rhythm


def pairs_of(rule: RuleSpec) -> tuple[Pair, ...]:
    """The rule's windows and the ratio each pair of them must exceed; none without ratios."""
    signal, every = rule.signal, rule.every_seconds
    if isinstance(signal, RatioThreshold):
        alone = window(every, signal.over_seconds)
        return (Pair(alone, alone, signal.bound.limit, inclusive=signal.bound.op == ">="),)
    if isinstance(signal, Slo):
        return tuple(
            Pair(
                window(every, pair.long_seconds),
                window(every, pair.short_seconds),
                pair.factor * (1 - signal.objective),
            )
            for pair in signal.pairs
        )
    return ()


def rhythm_of(rule: RuleSpec, source: SourceSpec) -> Rhythm:
    """A Prometheus has samples of its own rhythm, and ours comes on top."""
    lasting = lasting_seconds(rule.for_seconds, rule.every_seconds)
    # A probe must have failed so many times before it is breached at all.
    lasting += (getattr(rule.signal, "fails", 1) - 1) * rule.every_seconds
    wait = rule.every_seconds
    if isinstance(source.how, Channel):  # looks fall when something is told, and so do not divide
        return Rhythm(rule.every_seconds, wait, 0.0, rule.for_seconds)
    if isinstance(source.how, PrometheusApi):
        wait = source.how.scraped_every_seconds + source.every_seconds
        polled, every = source.every_seconds, rule.every_seconds
        if rule.for_seconds and not divides(polled, every):
            # Fresh samples reach our polls at uneven times, each up to a poll late: j of them lie
            # at least j x every - polled apart.
            most = lasting_seconds(rule.for_seconds + polled, every)
            answer, least = source.deadline_seconds, rule.for_seconds
            return Rhythm(every, wait, answer, least, most - least)
    return Rhythm(rule.every_seconds, wait, source.deadline_seconds, lasting)


def rule_of(policy: Policy, name: str) -> tuple[RuleSpec, SourceSpec]:
    """A family as one of its members is: as a plain rule, whose labels do not matter here."""
    rule = policy.rules[name]
    if rule.each:
        rule = replace(_first_member(policy, rule), name=name, each=(), member=())
    return rule, policy.sources[rule.source]


def _first_member(policy: Policy, family: RuleSpec) -> RuleSpec:
    """One that may do something, where the playbook's actions are for listed values."""
    own = f"{family.playbook}{{"
    of_values = next((book for book in policy.playbooks if book.startswith(own)), "")
    values = dict(values_in(of_values))
    return policy.member(family, tuple((label, values.get(label, "x")) for label in family.each))
