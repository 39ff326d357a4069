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
_ABSENT = frozenset({"absent", "absent_over_time"})


@dataclass(frozen=True, slots=True)
class Outline:
    text: str
    names: tuple[str, ...] | None
    """The metric names wanted, sorted; None when some selector has no exact name."""
    selectors: tuple[str, ...]
    """Every instant selector as text, without ranges, offsets and repetitions."""
    range_seconds: float
    """How far back samples are wanted: the longest range with its offset, and the look-back."""
    lag_seconds: float
    """The least `offset`: what is younger than this does not show in the result yet."""
    filters: bool
    """Whether a comparison without `bool` filters the result, so that true looks like no data."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One selector, and the seconds that it looks back on top of the look-back."""

    node: parser.VectorSelector
    reach: float
    lag: float


def outline(text: str) -> Outline:
    """Raises ParseFault."""
    return outlined(text, parsed(text))


def outlined(text: str, tree: Any) -> Outline:
    found = list(_selectors(tree, 0.0, 0.0))
    names = {exact_name(each.node) for each in found}
    known = tuple(sorted(name for name in names if name is not None))
    return Outline(
        text=text,
        names=None if None in names else known,
        selectors=tuple(dict.fromkeys(selector_text(each.node) for each in found)),
        range_seconds=max((each.reach for each in found), default=0.0) + LOOKBACK_SECONDS,
        lag_seconds=min((each.lag for each in found), default=0.0),
        filters=own_filter(tree) is not None,
    )


def _selectors(node: Any, reach: float, lag: float) -> Iterator[_Wanted]:
    """Every selector below."""
    match node:
        case parser.VectorSelector():
            back = _back(node.offset)
            yield _Wanted(node, reach + back, lag + back)
        case parser.MatrixSelector():
            yield from _selectors(node.vector_selector, reach + node.range.total_seconds(), lag)
        case parser.SubqueryExpr():
            back = _back(node.offset)
            yield from _selectors(node.expr, reach + _back(node.range) + back, lag + back)
        case parser.AggregateExpr():
            yield from _selectors(node.expr, reach, lag)
            yield from _selectors(node.param, reach, lag)
        case parser.BinaryExpr():
            yield from _selectors(node.lhs, reach, lag)
            yield from _selectors(node.rhs, reach, lag)
        case parser.Call():
            for argument in node.args:
                yield from _selectors(argument, reach, lag)
        case parser.ParenExpr() | parser.UnaryExpr():
            yield from _selectors(node.expr, reach, lag)
        case _:
            return


def _back(span: timedelta | None) -> float:
    return max(0.0, span.total_seconds()) if span is not None else 0.0


def own_filter(node: Any) -> Any:
    """The comparison by which an expression filters its own result, or None.

    What filters inside an aggregation filters what is aggregated; and an `or` gives a result as
    long as one side does.
    """
    return _filter(node, inside=False)


def inner_filter(node: Any) -> Any:
    """The comparison, or the `absent`, that can leave an expression without any result, or None.

    From inside an aggregation too: a sum of nothing is nothing, and not 0.
    """
    return _filter(node, inside=True)


def _filter(node: Any, *, inside: bool) -> Any:
    found: Any = None
    match node:
        case parser.ParenExpr() | parser.UnaryExpr():
            found = _filter(node.expr, inside=inside)
        case parser.BinaryExpr():
            found = _filter_of_two(node, inside=inside)
        case parser.AggregateExpr() if inside:
            found = _filter(node.expr, inside=inside)
        case parser.Call() if node.func.name in _ABSENT:
            found = node if inside else None
        case parser.Call():
            filters = (_filter(argument, inside=inside) for argument in node.args)
            found = next((each for each in filters if each is not None), None)
        case _:
            pass
    return found


def _filter_of_two(node: Any, *, inside: bool) -> Any:
    operator = str(node.op)
    bool_asked = node.modifier is not None and node.modifier.return_bool
    if operator in _COMPARISONS and not bool_asked:
        return node
    left, right = _filter(node.lhs, inside=inside), _filter(node.rhs, inside=inside)
    if operator == "or":
        return left if right is not None else None
    return left if left is not None else right
