"""The variants of a rule: every combination of a grid that could be written in a rule file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from watchdog.core.spec import PRESENT, BurnPair, RatioThreshold, RuleSpec, Slo, ValueThreshold
from watchdog.core.text import duration, number

MOST = 200
_FEWEST_POLLS = 4  # a shorter window shows single polls


@dataclass(frozen=True, slots=True)
class Grid:
    """What is tried. Factors and windows scale the rule's own; None stands for the rule's own."""

    factors: tuple[float, ...] = (0.5, 1.0, 2.0)
    windows: tuple[float, ...] = (0.5, 1.0, 2.0)
    fors: tuple[float | None, ...] = (None,)
    minimum_events: tuple[float | None, ...] = (None,)

    @property
    def size(self) -> int:
        return len(self.factors) * len(self.windows) * len(self.fors) * len(self.minimum_events)


@dataclass(frozen=True, slots=True)
class Variant:
    """`text` says what is other than in the file; empty for the rule as it stands."""

    rule: RuleSpec
    text: str
    present: bool = field(default=False)


def variants(rule: RuleSpec, grid: Grid) -> tuple[list[Variant], list[str]]:
    """All that can be written, the rule as it stands first, and why others cannot."""
    found: dict[RuleSpec, Variant] = {rule: Variant(rule, "", present=True)}
    refused: dict[str, None] = {}
    for factor, window, held, least in product(
        grid.factors, _windows(rule, grid), grid.fors, grid.minimum_events
    ):
        signal = _signal(rule, factor, window)
        if isinstance(signal, str):
            refused[signal] = None
            continue
        other = replace(
            rule,
            signal=signal,
            for_seconds=rule.for_seconds if held is None else held,
            minimum_events=rule.minimum_events if least is None else least,
        )
        found.setdefault(other, Variant(other, ", ".join(_differences(rule, other))))
    return list(found.values()), list(refused)


def _windows(rule: RuleSpec, grid: Grid) -> Sequence[float]:
    return grid.windows if isinstance(rule.signal, Slo | RatioThreshold) else (1.0,)


Signal = Slo | RatioThreshold | ValueThreshold


def _signal(rule: RuleSpec, factor: float, window: float) -> Signal | str:
    """The scaled signal, or why it cannot be."""
    least = _FEWEST_POLLS * rule.every_seconds
    match rule.signal:
        case Slo() as slo:
            pairs = tuple(_pair(pair, slo, factor, window) for pair in slo.pairs)
            refused = [why for pair in pairs if (why := _impossible(pair, slo, least))]
            return refused[0] if refused else replace(slo, pairs=pairs)
        case RatioThreshold() as ratio:
            return _ratio(ratio, factor, window, least)
        case ValueThreshold() as value if value.bound.op == PRESENT:
            return "any result of it breaches: there is no number to tune"
        case ValueThreshold(bound=bound) as value:
            limit = bound.limit * factor
            text = _bound_text(bound.op, bound.text, limit)
            return replace(value, bound=replace(bound, limit=limit, text=text))
        case _:
            return "this kind of rule has no number to tune"


def _impossible(pair: BurnPair, slo: Slo, least_seconds: float) -> str:
    if pair.factor * (1 - slo.objective) >= 1:
        return f"a factor of {number(pair.factor)} could never be reached"
    if pair.budget >= 1:
        return f"{number(pair.budget * 100)}% of the budget is all of it"
    if pair.short_seconds < least_seconds:
        return f"a window of {duration(pair.short_seconds)} is under four polls"
    if pair.long_seconds > slo.period_seconds:
        return f"a window of {duration(pair.long_seconds)} is longer than the period"
    return ""


def _ratio(
    ratio: RatioThreshold, factor: float, window: float, least_seconds: float
) -> RatioThreshold | str:
    bound, over = ratio.bound, ratio.over_seconds * window
    limit = bound.limit * factor
    if not 0 <= limit <= 1:
        return f"a share of {number(limit * 100)}% does not exist"
    if over < least_seconds:
        return f"a window of {duration(over)} is under four polls"
    scaled = replace(bound, limit=limit, text=_bound_text(bound.op, bound.text, limit))
    return replace(ratio, over_seconds=_whole(over), bound=scaled)


def _pair(pair: BurnPair, slo: Slo, factor: float, window: float) -> BurnPair:
    """Scaled as it would be written: the factor follows from budget, period and long window."""
    if factor == window == 1:
        return pair
    long, short = _whole(pair.long_seconds * window), _whole(pair.short_seconds * window)
    budget = float(f"{pair.factor * factor * long / slo.period_seconds:.6g}")
    return BurnPair(budget, long, short, budget * slo.period_seconds / long)


def _whole(seconds: float) -> float:
    return float(max(1, round(seconds)))


def _bound_text(operator: str, written: str, limit: float) -> str:
    return f"{operator} {limit * 100:.12g}%" if "%" in written else f"{operator} {limit:.12g}"


def _differences(old: RuleSpec, new: RuleSpec) -> Iterator[str]:
    match old.signal, new.signal:
        case Slo(pairs=before), Slo(pairs=after) if before != after:
            yield "burn " + ", ".join(
                f"{number(p.factor)} over {duration(p.long_seconds)}/{duration(p.short_seconds)}"
                for p in after
            )
        case RatioThreshold(), RatioThreshold() as ratio if old.signal != new.signal:
            yield f"{ratio.bound.text} over {duration(ratio.over_seconds)}"
        case ValueThreshold(), ValueThreshold() as value if old.signal != new.signal:
            yield value.bound.text
        case _:
            pass
    if old.for_seconds != new.for_seconds:
        yield f"for {duration(new.for_seconds)}"
    if old.minimum_events != new.minimum_events:
        yield f"minimum_events {number(new.minimum_events)}"
