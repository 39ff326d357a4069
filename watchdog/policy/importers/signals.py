"""What an alert's expression becomes: an slo, a ratio, a value against a bound, or a presence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import add, mul, sub, truediv
from typing import Any

import promql_parser as parser

from watchdog.core.promql.selector import exact_name
from watchdog.core.spec import PRESENT
from watchdog.policy.importers.burn import burn_alert
from watchdog.policy.importers.each import series_labels
from watchdog.policy.importers.numbers import decimal_text, percent_text
from watchdog.policy.importers.promql import (
    bare,
    bare_text,
    matching_text,
    selectors,
    tree_of,
    written,
)
from watchdog.policy.importers.ratios import Counted, error_ratio, good_ratio
from watchdog.policy.importers.shape import (
    COMPARISONS,
    MIRRORED,
    constant,
    is_filter,
    is_scalar,
    may_vanish,
    one,
)
from watchdog.policy.importers.writing import Duration, Signal

_ANY = {">": "max", ">=": "max", "<": "min", "<=": "min"}
"""How several series become one that breaches when any of them does."""


_DOUBLES: Mapping[str, Callable[[float, float], float]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": truediv,
    "^": pow,
}


@dataclass(frozen=True, slots=True)
class Read:
    """The signal, and what it does not say in the same words as the expression did."""

    signal: Signal
    changes: tuple[str, ...] = ()
    several: bool = False
    """The original raises an alert for each series."""
    each: tuple[str, ...] = ()
    """The labels by which these differ, and the rule tells them apart; none where unknown."""


@dataclass(frozen=True, slots=True)
class _Comparison:
    """`value op limit`, the value on the left."""

    value: Any
    op: str
    limit: Any
    modifier: Any = field(default=None, compare=False)


class NoSignal(Exception):  # an answer that is no signal, named by what it is
    """The expression can be judged by no rule; the message says why."""


def signal_of(tree: Any) -> Read:
    """Raises NoSignal."""
    if not selectors(tree):
        raise NoSignal("it reads no metric, so it says nothing about a service")
    root = bare(tree)
    burn = burn_alert(root)
    if burn is not None:
        return Read(burn.signal, burn.changes)
    comparison = _comparison(root)
    if comparison is None:
        if not may_vanish(root) and not isinstance(root, parser.VectorSelector):
            raise NoSignal("it returns something whenever there is data, so it would always breach")
        return _presence(root)
    return _up(comparison) or _ratio(comparison) or _value(comparison) or _presence(root)


def _comparison(root: Any) -> _Comparison | None:
    if not isinstance(root, parser.BinaryExpr) or str(root.op) not in COMPARISONS:
        return None
    if not is_filter(root):
        return None
    op = str(root.op)
    if is_scalar(root.lhs) and not is_scalar(root.rhs):
        return _Comparison(bare(root.rhs), MIRRORED[op], root.lhs, root.modifier)
    return _Comparison(bare(root.lhs), op, root.rhs, root.modifier)


def _presence(root: Any) -> Read:
    signal: Signal = ("threshold", {"expr": written(root), "breach_when": PRESENT})
    several = one(root) is None
    return Read(signal, several=several, each=series_labels(root) if several else ())


def _up(comparison: _Comparison) -> Read | None:
    """`up{...} == 0` is what liveness means."""
    node = comparison.value
    if not isinstance(node, parser.VectorSelector) or exact_name(node) != "up":
        return None
    if comparison.op != "==" or constant(comparison.limit) != 0:
        return None
    if node.offset or node.at is not None or node.matchers.or_matchers:
        return None
    return Read(("liveness", {"up": written(node)}), several=True)


# -- ratios ----------------------------------------------------------------------------------------


def _ratio(comparison: _Comparison) -> Read | None:
    """A bad share of counters above a bound, or a good one below it."""
    limit = constant(comparison.limit)
    if limit is None:
        return None
    node, scale = _scaled(comparison.value)
    limit /= scale
    op = comparison.op
    found = error_ratio(node) if op in {">", ">="} else None
    if found is None and op in {"<", "<="}:
        found, limit, op = good_ratio(node), 1 - limit, MIRRORED[op]
    if found is None or not _judges(op, limit):
        return None
    bound = percent_text(limit)
    if bound is None:
        return None
    signal = {**found.written, "over": Duration(found.window_seconds)}
    changes = (counted_here(found),)
    return Read(("threshold", {**signal, "breach_when": f"{op} {bound}"}), changes)


def counted_here(found: Counted) -> str:
    return (
        f"`{found.function}` is not asked for: the increase of the raw counters is summed here, "
        "without extrapolation, and the part of the window without history counts as good"
    )


def _scaled(node: Any) -> tuple[Any, Decimal]:
    """`100 * x`, `x * 100` and `100 * a / b` are ratios in per cent."""
    node = bare(node)
    whole = _hundredfold(node)
    if whole is not None:
        return bare(whole), Decimal(100)
    if isinstance(node, parser.BinaryExpr) and str(node.op) == "/" and node.modifier is None:
        above = _hundredfold(bare(node.lhs))
        if above is not None:
            return tree_of(f"({written(above)}) / ({written(node.rhs)})"), Decimal(100)
    return node, Decimal(1)


def _hundredfold(node: Any) -> Any:
    if isinstance(node, parser.BinaryExpr) and str(node.op) == "*":
        for number, rest in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
            if constant(number) == 100:
                return rest
    return None


def _judges(op: str, limit: Decimal) -> bool:
    """Whether a ratio from 0 to 1 can be on both sides of the bound."""
    return 0 <= limit < 1 if op == ">" else 0 < limit <= 1


# -- values ----------------------------------------------------------------------------------------


def _value(comparison: _Comparison) -> Read | None:
    """The value beside its bound. None where the value itself may be empty in health."""
    if may_vanish(comparison.value) or may_vanish(comparison.limit):
        return None
    limit = constant(comparison.limit)
    bound = None
    several = one(comparison.value) is None
    unlabelled = _unlabelled(comparison.value)
    each = series_labels(unlabelled) if several else ()
    value, op = written(unlabelled), comparison.op
    if limit is not None:
        if limit < 0 and op in MIRRORED:
            value, op, limit = f"-({value})", MIRRORED[op], -limit
        bound = decimal_text(limit)
        if bound is not None and not _same(bound, comparison.limit):
            bound = None  # binary arithmetic gives another number than decimal
    if bound is None or (several and not each and op not in _ANY):
        return _as_truth(comparison, several=several)
    changes: tuple[str, ...] = ()
    if several and not each:
        value = f"{_ANY[op]}({value})"
    signal: Signal = ("threshold", {"expr": value, "breach_when": f"{op} {bound}"})
    return Read(signal, changes, several=several, each=each)


def _unlabelled(node: Any) -> Any:
    """Without the fixed labels of recording rules around it: they change no value."""
    node = bare(node)
    while isinstance(node, parser.Call) and node.func.name == "label_replace":
        source, regex = bare(node.args[3]), bare(node.args[4])
        if bare_text(source) or bare_text(regex):
            break
        node = bare(node.args[0])
    return node


def _same(bound: str, limit: Any) -> bool:
    try:
        return float(bound) == abs(_as_promql(limit))
    except ArithmeticError:
        return False


def _as_promql(node: Any) -> float:
    """A constant computed as PromQL does, in doubles."""
    match node:
        case parser.NumberLiteral():
            return float(node.val)
        case parser.UnaryExpr():
            return -_as_promql(node.expr)
        case parser.ParenExpr():
            return _as_promql(node.expr)
        case _:
            return _DOUBLES[str(node.op)](_as_promql(node.lhs), _as_promql(node.rhs))


def _as_truth(comparison: _Comparison, *, several: bool) -> Read:
    """Compared inside, 1 or 0: where the bound is no number that a rule could say."""
    between_vectors = not is_scalar(comparison.limit)
    several = several or (between_vectors and one(comparison.limit) is None)
    matching = matching_text(comparison.modifier)
    left, right = _side(comparison.value), _side(comparison.limit)
    value = f"{left} {comparison.op} bool{matching} {right}"
    each = series_labels(tree_of(value)) if several else ()
    if several and not each:
        value = f"max({value})"
    signal: Signal = ("threshold", {"expr": value, "breach_when": "== 1"})
    return Read(signal, several=several, each=each)


def _side(node: Any) -> str:
    text = written(node)
    node = bare(node)
    return f"({text})" if isinstance(node, parser.BinaryExpr) else text
