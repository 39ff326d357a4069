"""Lints of expressions: what can never have a value, and what can never meet its bound.

Each is told from the text alone, by what PromQL's operators and functions can give at all, whatever
is measured. What they do not know is taken to give any number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import promql_parser as promql

from watchdog.core.spec import PRESENT, Bound, PrometheusApi, RuleSpec, ValueThreshold
from watchdog.policy.importers.promql import nodes
from watchdog.policy.laws import seconds_text
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground

Reach = tuple[float, float]
"""The least and the largest number that something can give."""

_ANY: Reach = (-math.inf, math.inf)
_NOT_NEGATIVE: Reach = (0.0, math.inf)
_ONE: Reach = (1.0, 1.0)
_OF_TWO_SAMPLES = frozenset({"rate", "increase", "irate", "idelta", "delta", "deriv"})
_COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
_TRUTH: Reach = (0.0, 1.0)
_OF_CALLS: Mapping[str, Reach] = MappingProxyType(
    dict.fromkeys(("absent", "absent_over_time", "present_over_time"), _ONE)
    | dict.fromkeys(
        ("rate", "increase", "irate", "resets", "changes", "count_over_time"), _NOT_NEGATIVE
    )
    | {"abs": _NOT_NEGATIVE, "time": _NOT_NEGATIVE, "timestamp": _NOT_NEGATIVE}
)
_OF_AGGREGATIONS: Mapping[str, Reach] = MappingProxyType(
    {"count": (1.0, math.inf), "group": _ONE, "stddev": _NOT_NEGATIVE, "stdvar": _NOT_NEGATIVE}
)
_KEPT = frozenset({"min", "max", "avg", "topk", "bottomk", "limitk", "limit_ratio"})
_UP = "up"  # 0 or 1, by its meaning


def _written(ground: Ground) -> Iterator[tuple[RuleSpec, Bound, Any]]:
    """Every rule that compares an expression, with its tree."""
    for rule in ground.policy.rules.values():
        if isinstance(rule.signal, ValueThreshold):
            try:
                yield rule, rule.signal.bound, promql.parse(rule.signal.expr)
            except (ValueError, RecursionError):
                continue  # a provider's own dialect: what it means is not known here


def _no_two_samples(ground: Ground) -> Iterator[Hit]:
    for rule, _, tree in _written(ground):
        source = ground.source_of(rule)
        how = source.how
        every = (
            how.scraped_every_seconds if isinstance(how, PrometheusApi) else source.every_seconds
        )
        for call in nodes(tree):
            inside = call.args[0] if isinstance(call, promql.Call) and call.args else None
            if not isinstance(inside, promql.MatrixSelector):
                continue
            seconds = inside.range.total_seconds()
            if call.func.name in _OF_TWO_SAMPLES and seconds <= every:
                yield Hit(
                    ground.at(rule, rule.kind, "expr"),
                    f"{call.func.name} over {seconds_text(seconds)} has one sample of "
                    f"{rule.source} at most, which come every {seconds_text(every)}",
                    f"Write {seconds_text(4 * every)} or longer, or read {rule.source} more often.",
                )


def _no_buckets(ground: Ground) -> Iterator[Hit]:
    for rule, _, tree in _written(ground):
        for call in nodes(tree):
            named = isinstance(call, promql.Call) and call.func.name == "histogram_quantile"
            summed = call.args[1] if named and len(call.args) > 1 else None
            while isinstance(summed, promql.ParenExpr):
                summed = summed.expr
            if isinstance(summed, promql.AggregateExpr) and _drops_le(summed):
                yield Hit(
                    ground.at(rule, rule.kind, "expr"),
                    f"{summed.op} takes the label le away, and without it there are no buckets",
                    "Write `by (le)`, or add le to the labels of `by`.",
                )


def _drops_le(summed: Any) -> bool:
    names = [n.name or "" for n in nodes(summed) if isinstance(n, promql.VectorSelector)]
    if not names or not all(name.endswith("_bucket") for name in names):
        return False  # a native histogram has no such label
    if summed.modifier is None:
        return True
    by = summed.modifier.type == promql.AggModifierType.By
    return bool(by != ("le" in summed.modifier.labels))


def _out_of_reach(ground: Ground) -> Iterator[Hit]:
    for rule, bound, tree in _written(ground):
        low, high = _reach(tree)
        always, never = _met(bound, low, high)
        if always or never:
            least, most = f"{low:.6g}", f"{high:.6g}"
            gives = f"is always {least}" if low == high else f"is never below {least}"
            if low == -math.inf or (never and bound.op in {">", ">="} and low != high):
                gives = f"is never above {most}"
            yield Hit(
                ground.at(rule, rule.kind, "breach_when"),
                f"the expression {gives}, so {bound.text} is "
                + ("true of every value" if always else "never true"),
                "Correct the bound or the expression.",
            )


def _met(bound: Bound, low: float, high: float) -> tuple[bool, bool]:
    """(by everything, by nothing) between low and high."""
    limit = bound.limit
    answers: Mapping[str, tuple[bool, bool]] = {
        ">": (low > limit, high <= limit),
        ">=": (low >= limit, high < limit),
        "<": (high < limit, low >= limit),
        "<=": (high <= limit, low > limit),
        "==": (low == high == limit, not low <= limit <= high),
        "!=": (not low <= limit <= high, low == high == limit),
    }
    return (False, False) if bound.op == PRESENT else answers.get(bound.op, (False, False))


def _reach(node: Any) -> Reach:
    """Between which numbers all that the expression gives must lie."""
    found = _ANY
    match node:
        case promql.NumberLiteral():
            found = node.val, node.val
        case promql.ParenExpr():
            found = _reach(node.expr)
        case promql.VectorSelector() if node.name == _UP:
            found = _TRUTH
        case promql.UnaryExpr():
            low, high = _reach(node.expr)
            found = -high, -low
        case promql.BinaryExpr():
            found = _of_two(node)
        case promql.AggregateExpr():
            found = _of_many(str(node.op), _reach(node.expr))
        case promql.Call():
            found = _of_call(node)
    return found


def _of_two(node: Any) -> Reach:
    op, one, other = str(node.op), _reach(node.lhs), _reach(node.rhs)
    found = _ANY
    if op in _COMPARISONS:
        found = _TRUTH if node.modifier is not None and node.modifier.return_bool else one
    elif op in {"and", "unless"}:
        found = one
    elif op == "or":
        found = min(one[0], other[0]), max(one[1], other[1])
    elif op == "+":
        found = one[0] + other[0], one[1] + other[1]
    elif op == "-":
        found = one[0] - other[1], one[1] - other[0]
    elif op in {"*", "/"}:
        found = _scaled(op, one, other)
    return found


def _scaled(op: str, one: Reach, other: Reach) -> Reach:
    """By a number that is written. A quotient of two measured values may be anything, or NaN."""
    if op == "*" and one[0] == one[1]:
        one, other = other, one
    factor = other[0]
    if other[0] != other[1] or factor == 0 or not math.isfinite(factor):
        return _ANY
    ends = [end * factor if op == "*" else end / factor for end in one]
    return min(ends), max(ends)


def _of_many(op: str, inside: Reach) -> Reach:
    if op in _KEPT:
        return inside
    if op == "sum":
        return (
            inside[0] if inside[0] >= 0 else -math.inf,
            inside[1] if inside[1] <= 0 else math.inf,
        )
    return _OF_AGGREGATIONS.get(op, _ANY)


def _of_call(node: Any) -> Reach:
    name = node.func.name
    if name in _OF_CALLS:
        return _OF_CALLS[name]
    bounded: Mapping[str, Callable[[Reach, list[float]], Reach]] = {
        "clamp_max": lambda r, n: (min(r[0], n[0]), min(r[1], n[0])),
        "clamp_min": lambda r, n: (max(r[0], n[0]), max(r[1], n[0])),
        "clamp": lambda r, n: (min(max(r[0], n[0]), n[1]), min(max(r[1], n[0]), n[1])),
    }
    numbers = [_reach(arg) for arg in node.args[1:]]
    if name in bounded and all(low == high for low, high in numbers):
        return bounded[name](_reach(node.args[0]), [low for low, _ in numbers])
    if name in {"vector", "sort", "sort_desc"}:
        return _reach(node.args[0])
    return _ANY


LINTS = (
    Lint(
        "range-without-two-samples",
        Level.ERROR,
        "A rate over a range that holds one sample",
        "There is no growth in one sample: the expression has no value, and the rule is blind.",
        _no_two_samples,
    ),
    Lint(
        "quantile-without-buckets",
        Level.ERROR,
        "A quantile of a histogram whose `le` was summed away",
        "Its buckets cannot be told apart: the expression has no value, and the rule is blind.",
        _no_buckets,
    ),
    Lint(
        "bound-out-of-reach",
        Level.ERROR,
        "A bound that the expression can never meet, or always meets",
        "The rule would never fire, or always.",
        _out_of_reach,
    ),
)
