"""What can be told of an expression without data: how many series it gives, and what it may hide.

Everything here answers with certainty or not at all.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import promql_parser as parser

from watchdog.policy.importers.promql import bare, nodes

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SETS = frozenset({"and", "or", "unless"})
MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_SCALARS = frozenset({"scalar", "time", "pi"})
_ONE = frozenset({"sum", "min", "max", "avg", "count", "group", "stddev", "stdvar", "quantile"})
"""Aggregations that give one series a group."""
_EACH = frozenset(
    {"abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "sqrt", "exp", "ln"}
    | {"log2", "log10", "sgn", "sort", "sort_desc", "timestamp"}
)
"""Functions of an instant vector that leave its series as they are, but for their names."""

Labels = dict[str, str | None]
"""The labels of the one series that an expression can give; a value that is not known is None."""


def is_scalar(node: Any) -> bool:
    match node:
        case parser.NumberLiteral():
            return True
        case parser.ParenExpr() | parser.UnaryExpr():
            return is_scalar(node.expr)
        case parser.BinaryExpr():
            return is_scalar(node.lhs) and is_scalar(node.rhs)
        case parser.Call():
            return node.func.name in _SCALARS
        case _:
            return False


def constant(node: Any) -> Decimal | None:
    """The value of arithmetic on numbers, in decimal as it is written; None for anything else.

    PromQL computes in binary; who needs the very same number compares the floats.
    """
    match node:
        case parser.NumberLiteral():
            try:
                return Decimal(repr(node.val))
            except InvalidOperation:
                return None
        case parser.ParenExpr():
            return constant(node.expr)
        case parser.UnaryExpr():
            inner = constant(node.expr)
            return None if inner is None else -inner
        case parser.BinaryExpr() if node.modifier is None or not node.modifier.return_bool:
            return _computed(str(node.op), constant(node.lhs), constant(node.rhs))
        case _:
            return None


def _computed(  # noqa: PLR0911  # a return an operator
    operator: str, left: Decimal | None, right: Decimal | None
) -> Decimal | None:
    if left is None or right is None or not (left.is_finite() and right.is_finite()):
        return None
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right:
            return left / right
        case "^" if right == right.to_integral_value() and 0 <= right <= 9:
            return left ** int(right)
        case _:
            return None


def filters(tree: Any) -> bool:
    """Whether a comparison in it drops series, so that the result may be empty in health."""
    return any(
        isinstance(node, parser.BinaryExpr) and is_filter(node) for node in nodes(tree)
    )  # fmt: skip


def is_filter(node: Any) -> bool:
    if str(node.op) not in COMPARISONS:
        return False
    return node.modifier is None or not node.modifier.return_bool


def may_vanish(tree: Any) -> bool:
    """Whether live data can give an empty result."""
    return filters(tree) or any(
        (isinstance(node, parser.BinaryExpr) and str(node.op) in {"and", "unless"})
        or (isinstance(node, parser.Call) and node.func.name in {"absent", "absent_over_time"})
        for node in nodes(tree)
    )


def one(node: Any) -> Labels | None:
    """The labels of the one series that the expression can give; None where it may be several."""
    if is_scalar(node):
        return {}
    match node:
        case parser.ParenExpr() | parser.UnaryExpr():
            return one(node.expr)
        case parser.AggregateExpr():
            return _aggregated(node)
        case parser.Call():
            return _called(node)
        case parser.BinaryExpr():
            return _combined(node)
        case _:
            return None


def _aggregated(node: Any) -> Labels | None:
    if str(node.op) not in _ONE:
        return None
    modifier = node.modifier
    by = modifier is None or modifier.type == parser.AggModifierType.By
    labels = [] if modifier is None else list(modifier.labels)
    if by and not labels:
        return {}
    inner = one(node.expr)
    if inner is None:
        return None
    return {name: value for name, value in inner.items() if (name in labels) == by}


def _called(node: Any) -> Labels | None:  # noqa: PLR0911  # a return a function
    name = node.func.name
    if name == "vector":
        return {}
    if name in _EACH:
        return one(node.args[0])
    if name == "absent":
        return {"": None}  # labels taken from the matchers: one series, not looked at further
    if name == "histogram_quantile":
        inner = bare(node.args[1])
        modifier = getattr(inner, "modifier", None)
        if isinstance(inner, parser.AggregateExpr) and modifier is not None:
            by = modifier.type == parser.AggModifierType.By
            if by and list(modifier.labels) == ["le"]:
                return {}
        return None
    if name == "label_replace":
        inner_labels = one(node.args[0])
        texts = [bare(argument) for argument in node.args[1:]]
        if inner_labels is None or not all(isinstance(t, parser.StringLiteral) for t in texts):
            return None
        target, value, source, regex = (text.val for text in texts)
        static = not source and not regex and "$" not in value
        return {**inner_labels, target: value if static else None}
    return None


def _combined(node: Any) -> Labels | None:  # noqa: PLR0911  # a return an operator
    word, modifier = str(node.op), node.modifier
    if is_scalar(node.lhs):
        return one(node.rhs)
    if is_scalar(node.rhs):
        return one(node.lhs)
    left, right = one(node.lhs), one(node.rhs)
    if word in {"and", "unless"}:
        return left
    if left is None or right is None:
        return None
    matching = None if modifier is None else modifier.matching
    if word == "or":
        return left if left == right and matching is None else None
    if matching is None:
        return left if left == right else None
    if str(modifier.card).rpartition(".")[2] != "OneToOne":
        return None
    on = matching.type == parser.LabelModifierType.Include
    labels = list(matching.labels)
    return {name: value for name, value in left.items() if (name in labels) == on}
