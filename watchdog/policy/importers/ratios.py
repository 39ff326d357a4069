"""Error ratios of counters, recognised in expressions: bad over total, or one less good over total.

Only what means the same is recognised: one window, one function, sums over everything, plain
selectors. What differs in the least stays an expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import promql_parser as parser

from watchdog.policy.importers.promql import bare, written
from watchdog.policy.importers.shape import constant, one

_RATES = frozenset({"rate", "increase"})


@dataclass(frozen=True, slots=True)
class Counted:
    """Two counters over one window. `good`: `events` counts the good ones."""

    events: str
    total: str
    good: bool
    window_seconds: float
    function: str

    @property
    def counters(self) -> tuple[str, str, bool]:
        return self.events, self.total, self.good

    @property
    def written(self) -> dict[str, object]:
        return {("good" if self.good else "bad"): self.events, "total": self.total}


@dataclass(frozen=True, slots=True)
class _Sum:
    selector: str
    window_seconds: float
    function: str


def counted(bad: Any, total: Any) -> Counted | None:
    """From the expressions of bad (or total less good) and of all events."""
    every = _sum(total)
    events = _sum(_or_zero(bad))
    good = events is None
    if events is None:
        events = _rest_of(every, bad)
    if every is None or events is None or events.selector == every.selector:
        return None
    if (events.window_seconds, events.function) != (every.window_seconds, every.function):
        return None
    return Counted(events.selector, every.selector, good, every.window_seconds, every.function)


def error_ratio(node: Any) -> Counted | None:
    """`bad / total`, `(total - good) / total` or `1 - good / total`."""
    node = single(node)
    if not isinstance(node, parser.BinaryExpr):
        return None
    if str(node.op) == "/" and node.modifier is None:
        return counted(bare(node.lhs), bare(node.rhs))
    if str(node.op) == "-" and constant(node.lhs) == 1:
        share = good_ratio(node.rhs)
        if share is not None:
            return share
    return None


def good_ratio(node: Any) -> Counted | None:
    """`good / total`; whoever asks knows that the events are good ones."""
    node = single(node)
    if not (isinstance(node, parser.BinaryExpr) and str(node.op) == "/" and node.modifier is None):
        return None
    good, every = _sum(node.lhs), _sum(node.rhs)
    if good is None or every is None or good.selector == every.selector:
        return None
    if (good.window_seconds, good.function) != (every.window_seconds, every.function):
        return None
    return Counted(good.selector, every.selector, True, every.window_seconds, every.function)  # noqa: FBT003  # a field


def single(node: Any) -> Any:
    """Without what does nothing to one series but rename it: parentheses, `max`, static labels."""
    while True:
        node = bare(node)
        if isinstance(node, parser.AggregateExpr) and str(node.op) in {"max", "min", "sum", "avg"}:
            if one(node.expr) is None:
                return node
            node = node.expr
        elif isinstance(node, parser.Call) and node.func.name == "label_replace":
            if one(node) is None:
                return node
            node = node.args[0]
        else:
            return node


def _sum(node: Any) -> _Sum | None:
    """`sum(rate(selector[window]))` over everything."""
    node = bare(node)
    if not isinstance(node, parser.AggregateExpr) or str(node.op) != "sum":
        return None
    if node.modifier is not None and one(node) != {}:
        return None
    call = bare(node.expr)
    if not isinstance(call, parser.Call) or call.func.name not in _RATES:
        return None
    ranged = bare(call.args[0])
    if not isinstance(ranged, parser.MatrixSelector):
        return None
    selector = ranged.vector_selector
    if selector.offset or selector.at is not None or selector.matchers.or_matchers:
        return None
    return _Sum(written(selector), ranged.range.total_seconds(), call.func.name)


def _or_zero(node: Any) -> Any:
    """`x or vector(0)` is x: a counter of bad events that is not there yet has counted none."""
    node = bare(node)
    if isinstance(node, parser.BinaryExpr) and str(node.op) == "or":
        other = bare(node.rhs)
        plain = node.modifier is None or node.modifier.matching is None
        zero = isinstance(other, parser.Call) and other.func.name == "vector"
        if plain and zero and constant(other.args[0]) == 0:
            return node.lhs
    return node


def _rest_of(every: _Sum | None, bad: Any) -> _Sum | None:
    """The good ones, where bad is total less good."""
    node = bare(bad)
    if not isinstance(node, parser.BinaryExpr) or str(node.op) != "-" or node.modifier is not None:
        return None
    return _sum(node.rhs) if every is not None and _sum(node.lhs) == every else None
