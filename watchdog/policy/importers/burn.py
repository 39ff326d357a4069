"""Burn-rate alerts: windows and factors of others as pairs of ours, and alerts of that shape.

A pair fires when both its windows burn above factor x (1 - objective). We write the factor as the
share of the budget that it burns in the long window: factor = share x period / long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import promql_parser as parser

from watchdog.policy.importers.numbers import decimal_text, percent_text
from watchdog.policy.importers.promql import bare
from watchdog.policy.importers.ratios import Counted, error_ratio, single
from watchdog.policy.importers.shape import constant, is_filter, one
from watchdog.policy.importers.writing import Duration, Signal
from watchdog.policy.laws import seconds_text

DAY = 86_400.0
_PERIODS = (30 * DAY, 28 * DAY, 7 * DAY, 14 * DAY, 90 * DAY)
_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Pair:
    """As others say it: how fast, over which windows."""

    factor: Fraction
    long_seconds: float
    short_seconds: float

    def dead(self, objective: Decimal) -> bool:
        """More than every event would have to be bad."""
        return self.factor * (1 - Fraction(objective)) >= 1

    @property
    def text(self) -> str:
        windows = f"{seconds_text(self.long_seconds)} and {seconds_text(self.short_seconds)}"
        return f"{float(self.factor):g} over {windows}"


@dataclass(frozen=True, slots=True)
class Burn:
    signal: Signal
    changes: tuple[str, ...]


def slo(
    counters: dict[str, object], objective: Decimal, period: float, pairs: Sequence[Pair]
) -> Signal | None:
    """None where a number cannot be written in our files."""
    promised = percent_text(objective)
    burn = []
    for pair in pairs:
        share = _share(pair, period)
        text = None if share is None else percent_text(share)
        if text is None:
            return None
        windows = {"long": Duration(pair.long_seconds), "short": Duration(pair.short_seconds)}
        burn.append({"budget": text, **windows})
    if promised is None:
        return None
    head = {"objective": promised, "period": Duration(period)}
    return ("slo", {**head, **counters, "burn": burn})


def _share(pair: Pair, period: float) -> Decimal | None:
    """The share of the budget, to as many digits as our files take."""
    exact = pair.factor * Fraction(pair.long_seconds) / Fraction(period)
    if not 0 < exact <= 1:
        return None
    percent = round(exact * 100 * 10**_DIGITS)
    return Decimal(percent).scaleb(-_DIGITS - 2)


# -- alerts of that shape --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """`ratio > limit`, the limit as it may be taken apart: one of the numbers is the budget."""

    ratio: Counted
    labels: tuple[tuple[str, str | None], ...]
    parts: tuple[tuple[Decimal, Decimal], ...]  # (budget, factor), as it may be meant


def burn_alert(root: Any) -> Burn | None:
    """Pairs of windows joined by `or`, each `R[long] > F * E and R[short] > F * E`.

    Recognised with certainty or not at all: the same counters in all, the same budget E in all,
    and a period in which every factor is a round share of the budget.
    """
    sides = []
    for arm in _arms(root):
        pair = _pair(arm)
        if pair is None:
            return None
        sides.append(pair)
    every = [side for pair in sides for side in pair]
    if len({side.ratio.counters for side in every}) != 1:
        return None
    budgets = set.intersection(*({budget for budget, _ in side.parts} for side in every))
    if len(budgets) != 1:
        return None
    (budget,) = budgets
    pairs = [_meant(long, short, budget) for long, short in sides]
    if any(pair is None for pair in pairs):
        return None
    return _burn(every[0].ratio, 1 - budget, [pair for pair in pairs if pair is not None])


def _burn(ratio: Counted, objective: Decimal, pairs: list[Pair]) -> Burn | None:
    if any(pair.dead(objective) for pair in pairs):
        return None
    for period in _PERIODS:
        shares = [_share(pair, period) for pair in pairs]
        if all(
            share is not None and _round(share, pair, period)
            for share, pair in zip(shares, pairs, strict=True)
        ):
            signal = slo(ratio.written, objective, period, pairs)
            if signal is None:
                return None
            return Burn(signal, (_told(pairs, period),))
    return None


def _told(pairs: list[Pair], period: float) -> str:
    factors = "; ".join(pair.text for pair in pairs)
    return (
        f"a burn-rate alert, factor {factors}: it is an slo here, counted from the raw counters. "
        "The expression names no period; the shares of the budget are of "
        f"{seconds_text(period)}, and the factors are the same"
    )


def _round(share: Decimal, pair: Pair, period: float) -> bool:
    """A share that somebody would have chosen, and that gives the very factor back."""
    text = decimal_text(share * 100)
    if text is None or len(text.partition(".")[2]) > 4:
        return False
    return Fraction(share) * Fraction(period) / Fraction(pair.long_seconds) == pair.factor


def _arms(node: Any) -> list[Any]:
    """What stands between the `or`s."""
    node = bare(node)
    if not isinstance(node, parser.BinaryExpr) or str(node.op) != "or":
        return [node]
    if node.modifier is not None and node.modifier.matching is not None:
        return [node]
    return [*_arms(node.lhs), *_arms(node.rhs)]


def _pair(arm: Any) -> tuple[_Side, _Side] | None:
    """The long and the short side."""
    if not isinstance(arm, parser.BinaryExpr) or str(arm.op) != "and":
        return None
    left, right = _side(arm.lhs), _side(arm.rhs)
    if left is None or right is None:
        return None
    matching = None if arm.modifier is None else arm.modifier.matching
    if matching is None:
        if left.labels != right.labels:
            return None
    elif list(matching.labels) or matching.type != parser.LabelModifierType.Include:
        return None  # anything but `and on ()`
    if left.ratio.window_seconds == right.ratio.window_seconds:
        return None
    return (
        (left, right) if left.ratio.window_seconds > right.ratio.window_seconds else (right, left)
    )


def _side(node: Any) -> _Side | None:
    labels = one(node)
    node = single(node)
    if labels is None or None in labels.values() or not isinstance(node, parser.BinaryExpr):
        return None
    if str(node.op) != ">" or not is_filter(node):
        return None
    ratio, scaled = _over_budget(node.lhs)
    if ratio is None:
        return None
    limit = constant(node.rhs)
    if limit is None:
        return None
    parts = _parts(node.rhs) if scaled is None else ((scaled, limit),)
    return _Side(ratio, tuple(sorted(labels.items())), parts)


def _over_budget(node: Any) -> tuple[Counted | None, Decimal | None]:
    """`ratio`, or `ratio / E` with E."""
    plain = error_ratio(node)
    if plain is not None:
        return plain, None
    node = single(node)
    if isinstance(node, parser.BinaryExpr) and str(node.op) == "/":
        budget = constant(node.rhs)
        if budget is not None and 0 < budget < 1:
            return error_ratio(node.lhs), budget
    return None, None


def _parts(limit: Any) -> tuple[tuple[Decimal, Decimal], ...]:
    """Each way to read `a * b` as budget and factor."""
    limit = bare(limit)
    if not isinstance(limit, parser.BinaryExpr) or str(limit.op) != "*":
        return ()
    found = []
    for budget, factor in ((limit.rhs, limit.lhs), (limit.lhs, limit.rhs)):
        share, speed = constant(budget), constant(factor)
        if share is None or speed is None or not 0 < share < 1 or speed <= 0:
            continue
        if _one_less(budget):
            return ((share, speed),)
        found.append((share, speed))
    return tuple(found)


def _one_less(node: Any) -> bool:
    """`1 - objective`, which nobody writes for anything else."""
    node = bare(node)
    written_so = isinstance(node, parser.BinaryExpr) and str(node.op) == "-"
    return written_so and constant(node.lhs) == 1


def _meant(long: _Side, short: _Side, budget: Decimal) -> Pair | None:
    factors = {factor for side in (long, short) for share, factor in side.parts if share == budget}
    if len(factors) != 1:
        return None
    (factor,) = factors
    return Pair(Fraction(factor), long.ratio.window_seconds, short.ratio.window_seconds)
