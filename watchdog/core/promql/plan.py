"""From the parser's tree to something that can be run again and again.

Each kind of node has one builder in _BUILDERS; each operator, aggregation and function its entry
in the table of its own module. What has neither is refused by name when the expression is
checked, never when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import promql_parser as parser

from watchdog.core.promql.aggregations import AGGREGATIONS, aggregate
from watchdog.core.promql.arithmetic import ARITHMETIC, combine, negated
from watchdog.core.promql.faults import Unsupported
from watchdog.core.promql.ranges import RANGE_FUNCTIONS, RangeFunction, Window
from watchdog.core.promql.selector import Selector
from watchdog.core.promql.vector import Element, Moment, Value, Vector, unique

Run = Callable[[Moment], Value]


def plan(node: Any) -> Run:
    """How to evaluate this node. Raises Refused."""
    build = _BUILDERS.get(type(node).__name__)
    if build is None:
        construct = _REFUSED_NODES.get(type(node).__name__, type(node).__name__)
        raise Unsupported(construct, node.prettify())
    return build(node)


def _number(node: Any) -> Run:
    value = float(node.val)
    return lambda _moment: value


def _inner(node: Any) -> Run:
    return plan(node.expr)


def _minus(node: Any) -> Run:
    inner = plan(node.expr)
    return lambda moment: negated(inner(moment))


def _instant(node: Any) -> Run:
    selector = Selector.of(node)

    def run(moment: Moment) -> Vector:
        vector: Vector = []
        for series in moment.store.matching(selector):
            sample = series.instant(moment.at)
            if sample is not None:
                vector.append(Element(series.name, series.labels, sample[1], sample[0]))
        moment.saw(selector, (element.at for element in vector))
        return vector

    return run


def _over_range(node: Any, apply: RangeFunction) -> Run:
    selector = Selector.of(node.vector_selector)
    seconds = node.range.total_seconds()

    def run(moment: Moment) -> Vector:
        vector: Vector = []
        newest: list[float] = []
        for series in moment.store.matching(selector):
            times, values = series.window(moment.at, seconds)
            if not times:
                continue
            newest.append(times[-1])
            value = apply(Window(times, values, moment.at, seconds))
            if value is not None:
                vector.append(Element(None, series.labels, value, times[-1]))
        moment.saw(selector, newest)
        return unique(vector)

    return run


def _call(node: Any) -> Run:
    name = node.func.name
    apply = RANGE_FUNCTIONS.get(name)
    if apply is None:
        raise Unsupported(f"the function `{name}`", node.prettify())
    argument = node.args[0]
    while isinstance(argument, parser.ParenExpr):
        argument = argument.expr
    if not isinstance(argument, parser.MatrixSelector):
        return plan(argument)  # a subquery, which says itself that it is none of ours
    return _over_range(argument, apply)


def _aggregation(node: Any) -> Run:
    name = str(node.op)
    apply = AGGREGATIONS.get(name)
    if apply is None:
        raise Unsupported(f"the aggregation `{name}`", node.prettify())
    inner = plan(node.expr)
    modifier = node.modifier
    keep = modifier is None or modifier.type == parser.AggModifierType.By
    labels = frozenset(modifier.labels if modifier else ())

    def run(moment: Moment) -> Vector:
        vector = inner(moment)
        if isinstance(vector, float):  # the parser lets only vectors through
            raise TypeError(f"{name} of a scalar")
        return aggregate(apply, vector, labels, keep=keep)

    return run


def _binary(node: Any) -> Run:
    name = str(node.op)
    apply = ARITHMETIC.get(name)
    found = node.prettify()
    if apply is None:
        raise Unsupported(f"the operator `{name}`", found)
    modifier = node.modifier
    if modifier is not None:
        if modifier.card != parser.VectorMatchCardinality.OneToOne:
            left = modifier.card == parser.VectorMatchCardinality.ManyToOne
            raise Unsupported(f"the modifier `group_{'left' if left else 'right'}`", found)
        if modifier.matching is not None:
            on = modifier.matching.type == parser.LabelModifierType.Include
            raise Unsupported(f"the modifier `{'on' if on else 'ignoring'}`", found)
        fill = modifier.fill_values
        if fill.lhs is not None or fill.rhs is not None:
            raise Unsupported("the modifier `fill`", found)
    lhs, rhs = plan(node.lhs), plan(node.rhs)
    return lambda moment: combine(apply, lhs(moment), rhs(moment))


_BUILDERS: Mapping[str, Callable[[Any], Run]] = {
    "NumberLiteral": _number,
    "ParenExpr": _inner,
    "UnaryExpr": _minus,
    "VectorSelector": _instant,
    "Call": _call,
    "AggregateExpr": _aggregation,
    "BinaryExpr": _binary,
}

_REFUSED_NODES = {
    "MatrixSelector": "a range without a function around it",
    "SubqueryExpr": "a subquery",
    "StringLiteral": "a text as the value",
}
