"""Which labels the result of an expression cannot have, whatever the series it reads have.

Works on all of PromQL, and only says what the expression alone tells: a selector may give anything.
"""

from __future__ import annotations

from typing import Any

import promql_parser as parser

from watchdog.core.promql.parsing import parsed

_KEEPS_SERIES = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_MAKES_LABELS = frozenset({"label_replace", "label_join"})
_GIVES_NONE = frozenset({"scalar", "vector", "time", "pi"})
_ABSENT = frozenset({"absent", "absent_over_time"})


def loses(text: str, label: str) -> str | None:
    """The part of the expression whose result cannot have the label; None where none is known.

    Raises ParseFault.
    """
    found = _loses(parsed(text), label)
    return None if found is None else str(found.prettify())


def _loses(node: Any, label: str) -> Any:
    found: Any = None
    match node:
        case parser.ParenExpr() | parser.UnaryExpr() | parser.SubqueryExpr():
            found = _loses(node.expr, label)
        case parser.AggregateExpr():
            found = _aggregated(node, label)
        case parser.Call():
            found = _called(node, label)
        case parser.BinaryExpr():
            found = _of_two(node, label)
        case parser.NumberLiteral() | parser.StringLiteral():
            found = node
        case _:
            pass
    return found


def _aggregated(node: Any, label: str) -> Any:
    word, modifier = str(node.op), node.modifier
    if word in _KEEPS_SERIES:
        return _loses(node.expr, label)
    if word == "count_values" and label in str(node.param):
        return None
    if modifier is None:
        return node
    by = modifier.type == parser.AggModifierType.By
    if (label in modifier.labels) is not by:
        return node
    return _loses(node.expr, label)


def _called(node: Any, label: str) -> Any:
    name = node.func.name
    if name in _GIVES_NONE:
        return node
    if name in _ABSENT:
        return None  # what its selector asks for by equality
    if name in _MAKES_LABELS:
        made = [argument.val for argument in node.args if isinstance(argument, _TEXT)]
        return None if label in made else _loses(node.args[0], label)
    if name == "histogram_quantile" and label == "le":
        return node
    inner = [argument for argument in node.args if not isinstance(argument, _PLAIN)]
    return _loses(inner[0], label) if inner else node


_TEXT = parser.StringLiteral
_PLAIN = (parser.StringLiteral, parser.NumberLiteral)


def _of_two(node: Any, label: str) -> Any:
    left, right, word = _loses(node.lhs, label), _loses(node.rhs, label), str(node.op)
    if word in {"and", "unless"} or _is_scalar(node.rhs):
        return left
    if _is_scalar(node.lhs):
        return right
    if word != "or" and node.modifier is not None:
        return _matched(node, label, left, right)
    return left if left is not None else right


def _matched(node: Any, label: str, left: Any, right: Any) -> Any:
    """Of an operation between vectors that says by which labels they are matched."""
    many = str(node.modifier.card).rpartition(".")[2]
    if many in {"ManyToOne", "OneToMany"}:
        own, other = (left, right) if many == "ManyToOne" else (right, left)
        return other if label in (node.modifier.group_labels or ()) else own
    by = node.modifier.matching
    if by is not None:
        on = by.type == parser.LabelModifierType.Include
        if (label in by.labels) is not on:
            return node
    return left if left is not None else right


def _is_scalar(node: Any) -> bool:
    match node:
        case parser.NumberLiteral():
            return True
        case parser.ParenExpr() | parser.UnaryExpr():
            return _is_scalar(node.expr)
        case parser.BinaryExpr():
            return _is_scalar(node.lhs) and _is_scalar(node.rhs)
        case _:
            return isinstance(node, parser.Call) and node.func.name in {"scalar", "time", "pi"}


def sums_up(text: str, labels: tuple[str, ...]) -> bool:
    """Whether there can be but one series for each set of these labels. Raises ParseFault."""
    return _sums_up(parsed(text), frozenset(labels))


def _sums_up(node: Any, labels: frozenset[str]) -> bool:
    found = False
    match node:
        case parser.ParenExpr() | parser.UnaryExpr():
            found = _sums_up(node.expr, labels)
        case parser.AggregateExpr() if node.modifier is not None:
            by = node.modifier.type == parser.AggModifierType.By
            plain = str(node.op) not in _KEEPS_SERIES
            found = plain and by and set(node.modifier.labels) <= labels
        case parser.BinaryExpr():
            left, right = _sums_up(node.lhs, labels), _sums_up(node.rhs, labels)
            if str(node.op) == "or":
                found = left and right
            else:
                found = right if _is_scalar(node.lhs) else left
        case parser.Call():
            # One quantile comes of all buckets, so `le` tells no two of its series apart.
            inner = labels | {"le"} if node.func.name == "histogram_quantile" else labels
            found = any(_sums_up(argument, inner) for argument in node.args)
        case _:
            pass
    return found
