"""Lints of windows and ratios: too few events, too few samples, pairs that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

from watchdog.core.persistence import longest_gap_seconds
from watchdog.core.spec import BurnPair, Liveness, RatioThreshold, RuleSpec, Slo
from watchdog.core.words import Mode
from watchdog.policy.laws import seconds_text
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground
from watchdog.policy.problem import Path
from watchdog.policy.scalars import duration, ratio

FEWEST_POLLS = 4
_DUST = 1e-9


@dataclass(frozen=True, slots=True)
class _Pair:
    rule: RuleSpec
    spec: BurnPair
    path: tuple[str | int, ...]  # where it is written in the rule


def _pairs(ground: Ground) -> Iterator[_Pair]:
    """Every pair of every slo with its place: a loaded rule has them in order of their length."""
    for rule in ground.policy.rules.values():
        signal = rule.signal
        if not isinstance(signal, Slo):
            continue
        written = ground.rules[rule.name].node.plain()["slo"]["burn"]
        order = sorted(
            range(len(written)),
            key=lambda i: (
                duration(written[i]["long"]),
                duration(written[i]["short"]),
                ratio(written[i]["budget"]),
            ),
        )
        for pair, index in zip(signal.pairs, order, strict=True):
            yield _Pair(rule, pair, ("slo", "burn", index))


def _one_event_fires(ground: Ground) -> Iterator[Hit]:
    for rule in ground.policy.rules.values():
        lowest = min(_levels(rule), default=None, key=lambda level: level.ratio)
        least = max(1.0, rule.minimum_events)
        if lowest is None or rule.mode is Mode.OBSERVE or not lowest.breached_by(1 / least):
            continue
        enough = ceil(1 / lowest.ratio - _DUST)
        enough += lowest.breached_by(1 / enough)
        yield Hit(
            ground.at(rule, "minimum_events"),
            f"one bad event of {least:g} in {lowest.window} is {100 / least:.3g} %, and "
            f"{rule.name} breaches at {lowest.ratio * 100:.3g} %",
            f"Write `minimum_events: {enough}` or more.",
        )


@dataclass(frozen=True, slots=True)
class _Level:
    ratio: float
    inclusive: bool
    window: str

    def breached_by(self, ratio: float) -> bool:
        near = abs(ratio - self.ratio) < _DUST
        return self.inclusive if near else ratio > self.ratio


def _levels(rule: RuleSpec) -> Iterator[_Level]:
    """The ratios that breach. A bound of nothing is meant for one event."""
    signal = rule.signal
    if isinstance(signal, RatioThreshold) and signal.bound.limit > 0:
        over = seconds_text(signal.over_seconds)
        yield _Level(signal.bound.limit, signal.bound.op == ">=", over)
    if isinstance(signal, Slo):
        for pair in signal.pairs:
            ratio_above = pair.factor * (1 - signal.objective)
            yield _Level(ratio_above, inclusive=False, window=seconds_text(pair.long_seconds))


def _few_polls(ground: Ground) -> Iterator[Hit]:
    for rule, seconds, path in _short_windows(ground):
        least = FEWEST_POLLS * rule.every_seconds
        if seconds < least:
            yield Hit(
                ground.at(rule, *path),
                f"a window of {seconds_text(seconds)} holds {seconds / rule.every_seconds:g} "
                f"samples of {rule.source}, which come every {seconds_text(rule.every_seconds)}",
                f"Write {seconds_text(least)} or longer, or read {rule.source} more often.",
            )


def _short_windows(ground: Ground) -> Iterator[tuple[RuleSpec, float, Path]]:
    for pair in _pairs(ground):
        yield pair.rule, pair.spec.short_seconds, (*pair.path, "short")
    for rule in ground.policy.rules.values():
        if isinstance(rule.signal, RatioThreshold):
            yield rule, rule.signal.over_seconds, ("threshold", "over")


def _within_budget(ground: Ground) -> Iterator[Hit]:
    for pair in _pairs(ground):
        spec = pair.spec
        if spec.factor < 1:
            yield Hit(
                ground.at(pair.rule, *pair.path),
                f"{spec.budget * 100:g} % in {seconds_text(spec.long_seconds)} is a burn of "
                f"{spec.factor:.3g}: {pair.rule.name} breaches while its objective is kept",
                "Write a larger budget or a shorter `long`, so that the burn is at least 1.",
            )


def _without_effect(ground: Ground) -> Iterator[Hit]:
    pairs = list(_pairs(ground))
    for pair in pairs:
        for other in pairs:
            if other.rule is pair.rule and other is not pair and _sooner(other.spec, pair.spec):
                yield Hit(
                    ground.at(pair.rule, *pair.path),
                    f"the pair of {seconds_text(other.spec.long_seconds)} fires at a burn of "
                    f"{other.spec.factor:.3g}, and this longer one only at {pair.spec.factor:.3g}",
                    "Remove this pair, or give the longer window the smaller burn.",
                )
                break


def _sooner(one: BurnPair, other: BurnPair) -> bool:
    """Whether `one` fires no later than `other`, at whatever steady error ratio."""
    shorter = one.long_seconds <= other.long_seconds and one.short_seconds <= other.short_seconds
    return shorter and one.factor <= other.factor and one != other


def _hung_polls(ground: Ground) -> Iterator[Hit]:
    for rule in ground.policy.rules.values():
        source = ground.source_of(rule)
        every, deadline = source.every_seconds, source.deadline_seconds
        apart = every * (floor(deadline / every) + 1) if deadline >= every else every
        never = isinstance(rule.signal, Liveness) and rule.for_seconds > 0
        if (
            never
            and source.name in ground.sources
            and apart > longest_gap_seconds(rule.every_seconds)
        ):
            yield Hit(
                ground.sources[source.name].at("deadline"),
                f"a target that hangs is asked every {seconds_text(apart)}, and `for` of "
                f"{rule.name} adds up gaps of at most two intervals of {seconds_text(every)}",
                f"Write a deadline below {seconds_text(2 * every)}.",
            )


LINTS = (
    Lint(
        "one-event-fires",
        Level.WARNING,
        "One bad event is enough",
        "With so few events a single failure, which says nothing, would start a rollback.",
        _one_event_fires,
    ),
    Lint(
        "few-samples-in-window",
        Level.WARNING,
        "A window holds fewer than four samples",
        "One missed poll is then a large part of the window, and its ratio jumps.",
        _few_polls,
    ),
    Lint(
        "breaches-within-budget",
        Level.WARNING,
        "A burn below 1 breaches",
        "A burn of 1 spends the budget exactly over the period; below it the promise is kept.",
        _within_budget,
    ),
    Lint(
        "pair-without-effect",
        Level.WARNING,
        "A pair that another one always forestalls",
        "It can never be the first to fire, so it adds nothing but the look of being careful.",
        _without_effect,
    ),
    Lint(
        "hung-target-unseen",
        Level.ERROR,
        "A hanging target never reaches `for`",
        "Polls that run into their deadline come too seldom for `for` to count, so a target that "
        "hangs, and does not refuse, is never breached for long enough.",
        _hung_polls,
    ),
)
