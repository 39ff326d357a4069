"""What an expression asks for, whatever it does with it: names, selectors, ranges, filters.

Works on all of PromQL, so that rules against a Prometheus are outlined too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser as parser

from watchdog.core.looks import LOOKBACK_SECONDS
from watchdog.core.promql.parsing import parsed
from watchdog.core.promql.selector import exact_name, selector_text

_COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
_SETS = frozenset({"and", "or", "unless"})


@dataclass(frozen=True, slots=True)
class Outline:
    text: str
    names: tuple[str, ...] | None
    """The metric names wanted, sorted; None when some selector has no exact name."""
    selectors: tuple[str, ...]
    """Every instant selector as text, without ranges, offsets and repetitions."""
    range_seconds: float
    """How far back samples are wanted: the longest range with its offset, and the look-back."""
    filters: bool
    """Whether a comparison without `bool` filters the result, so that true looks like no data."""


def outline(text: str) -> Outline:
    """Raises ParseFault."""
    return outlined(text, parsed(text))


def outlined(text: str, tree: Any) -> Outline:
    found = [(node, reach) for node, reach in _selectors(tree, 0.0)]
    names = {exact_name(node) for node, _ in found}
    known = tuple(sorted(name for name in names if name is not None))
    return Outline(
        text=text,
        names=None if None in names else known,
        selectors=tuple(dict.fromkeys(selector_text(node) for node, _ in found)),
        range_seconds=max((reach for _, reach in found), default=0.0) + LOOKBACK_SECONDS,
        filters=_filters(tree),
    )


def _selectors(node: Any, reach: float) -> Iterator[tuple[parser.VectorSelector, float]]:
    """Every selector below, with the seconds that it looks back on top of the look-back."""
    match node:
        case parser.VectorSelector():
            yield node, reach + _back(node.offset)
        case parser.MatrixSelector():
            yield from _selectors(node.vector_selector, reach + node.range.total_seconds())
        case parser.SubqueryExpr():
            inner = reach + _back(node.range) + _back(node.offset)
            yield from _selectors(node.expr, inner)
        case parser.AggregateExpr():
            yield from _selectors(node.expr, reach)
            yield from _selectors(node.param, reach)
        case parser.BinaryExpr():
            yield from _selectors(node.lhs, reach)
            yield from _selectors(node.rhs, reach)
        case parser.Call():
            for argument in node.args:
                yield from _selectors(argument, reach)
        case parser.ParenExpr() | parser.UnaryExpr():
            yield from _selectors(node.expr, reach)
        case _:
            return


def _back(span: timedelta | None) -> float:
    return max(0.0, span.total_seconds()) if span is not None else 0.0


def _filters(node: Any) -> bool:
    match node:
        case parser.ParenExpr() | parser.UnaryExpr():
            return _filters(node.expr)
        case parser.BinaryExpr():
            operator = str(node.op)
            if operator in _SETS:
                return _filters(node.lhs) or _filters(node.rhs)
            bool_asked = node.modifier is not None and node.modifier.return_bool
            return operator in _COMPARISONS and not bool_asked
        case _:
            return False
