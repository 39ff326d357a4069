"""From the parser's tree to something that can be run again and again.

Each kind of node has one builder in _BUILDERS; each operator, aggregation and function its entry
in the table of its own module. What has neither is refused by name when the expression is
checked, never when it runs. The parser has checked the types before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import promql_parser as parser

from watchdog.core.promql.aggregations import AGGREGATIONS, aggregate
from watchdog.core.promql.arithmetic import ARITHMETIC, COMPARISONS, quantile
from watchdog.core.promql.calls import Run, bare, call, scalar_of, share, shown, vector_of
from watchdog.core.promql.faults import Unsupported
from watchdog.core.promql.matching import SETS, Combine, Matching, Side, combine
from watchdog.core.promql.selector import view_of
from watchdog.core.promql.vector import NO_SAMPLE, Element, Moment, Value, Vector, unique

_MANY = {
    str(parser.VectorMatchCardinality.ManyToOne): Side.LEFT,
    str(parser.VectorMatchCardinality.OneToMany): Side.RIGHT,
}


def plan(node: Any) -> Run:
    """How to evaluate this node. Raises Refused."""
    build = _BUILDERS.get(type(node).__name__)
    if build is None:
        raise Unsupported(*_REFUSED_NODES[type(node).__name__](node))
    return build(node)


def _number(node: Any) -> Run:
    value = float(node.val)
    return lambda _moment: value


def _inner(node: Any) -> Run:
    return plan(node.expr)


def _minus(node: Any) -> Run:
    inner = plan(node.expr)

    def run(moment: Moment) -> Value:
        value = inner(moment)
        if isinstance(value, float):
            return -value
        return unique([Element(None, e.labels, -e.value, e.at) for e in value])

    return run


def _instant(node: Any) -> Run:
    view = view_of(node)
    return lambda moment: shown(view, moment)


def _call(node: Any) -> Run:
    return call(node, plan)


def _aggregation(node: Any) -> Run:
    name = str(node.op)
    if name not in AGGREGATIONS and name != "quantile":
        raise Unsupported(f"the aggregation `{name}`", node.prettify())
    inner = plan(node.expr)
    modifier = node.modifier
    keep = modifier is None or modifier.type == parser.AggModifierType.By
    labels = frozenset(modifier.labels if modifier else ())
    if name == "quantile":
        of = share(node.param, plan, name)

        def run(moment: Moment) -> Vector:
            part = scalar_of(of, moment)
            vector = vector_of(inner, moment)
            return aggregate(lambda values: quantile(part, values), vector, labels, keep=keep)

        return run
    apply = AGGREGATIONS[name]
    return lambda moment: aggregate(apply, vector_of(inner, moment), labels, keep=keep)


def _binary(node: Any) -> Run:
    name = str(node.op)
    modifier = node.modifier
    as_bool = modifier is not None and modifier.return_bool
    if name in SETS:
        return _set(node, _matching(node))
    lhs, rhs = plan(node.lhs), plan(node.rhs)
    if name in ARITHMETIC:
        apply: Combine = ARITHMETIC[name]
        matching = _matching(node)
    elif name in COMPARISONS:
        apply = _truth(name) if as_bool else _filter(name)
        matching = _matching(node, keeps_name=not as_bool)
    else:
        raise Unsupported(f"the operator `{name}`", node.prettify())
    return lambda moment: combine(apply, lhs(moment), rhs(moment), matching)


def _truth(name: str) -> Combine:
    test = COMPARISONS[name]
    return lambda left, right: float(test(left, right))


def _filter(name: str) -> Combine:
    test = COMPARISONS[name]
    return lambda left, right: left if test(left, right) else None


def _matching(node: Any, *, keeps_name: bool = False) -> Matching:
    modifier = node.modifier
    if modifier is None:
        return Matching(keeps_name=keeps_name)
    fill = modifier.fill_values
    if fill.lhs is not None or fill.rhs is not None:
        raise Unsupported("the modifier `fill`", node.prettify())
    by = modifier.matching
    return Matching(
        labels=frozenset(by.labels if by is not None else ()),
        on=by is not None and by.type == parser.LabelModifierType.Include,
        many=_MANY.get(str(modifier.card), Side.NEITHER),
        include=tuple(modifier.group_labels or ()),
        keeps_name=keeps_name,
    )


def _set(node: Any, matching: Matching) -> Run:
    name = str(node.op)
    apply = SETS[name]
    lhs, rhs = plan(node.lhs), plan(node.rhs)
    alternatives = name == "or" and falls_back(node)

    def run(moment: Moment) -> Vector:
        right_aside = moment.aside()
        if not alternatives:
            left = vector_of(lhs, moment)
            right = vector_of(rhs, right_aside)
            moment.take(right_aside, absence_counts=name == "unless")
            return apply(left, right, matching)
        left_aside = moment.aside()
        left, right = vector_of(lhs, left_aside), vector_of(rhs, right_aside)
        _fall_back(moment, (left, left_aside), (right, right_aside))
        return apply(left, right, matching)

    return run


def falls_back(node: Any) -> bool:
    """Whether the sides of an `or` stand in for one another as a whole, and not by labels."""
    by = node.modifier.matching if node.modifier is not None else None
    on_nothing = by is not None and by.type == parser.LabelModifierType.Include and not by.labels
    return on_nothing or (_single(node.lhs) and _single(node.rhs))


def _fall_back(moment: Moment, left: tuple[Vector, Moment], right: tuple[Vector, Moment]) -> None:
    """Notes of an `or` whose sides stand in for one another: one is enough, if it is measured.

    `sum(errors) or 0 * sum(requests)` is whole without errors, `sum(errors) or vector(0)` is not:
    that zero would be there without any service.
    """
    for (_, aside), (other, _) in ((left, right), (right, left)):
        if any(element.at != NO_SAMPLE for element in other):
            moment.absent(aside.missing)
            aside.missing.clear()
        moment.take(aside, absence_counts=False)


def _single(node: Any) -> bool:
    """Whether the result is one element without labels, or none."""
    match bare(node):
        case parser.AggregateExpr(modifier=modifier):
            return modifier is None or (
                modifier.type == parser.AggModifierType.By and not modifier.labels
            )
        case parser.Call(func=function):
            return bool(function.name == "vector")
        case parser.UnaryExpr(expr=inner):
            return _single(inner)
        case parser.BinaryExpr(lhs=lhs, rhs=rhs):
            return all(
                _single(side) or isinstance(side, parser.NumberLiteral) for side in (lhs, rhs)
            )
        case _:
            return False


_BUILDERS: Mapping[str, Callable[[Any], Run]] = {
    "NumberLiteral": _number,
    "ParenExpr": _inner,
    "UnaryExpr": _minus,
    "VectorSelector": _instant,
    "Call": _call,
    "AggregateExpr": _aggregation,
    "BinaryExpr": _binary,
}

_REFUSED_NODES: Mapping[str, Callable[[Any], tuple[str, ...]]] = {
    "MatrixSelector": lambda node: (
        "a range without a function around it",
        node.prettify(),
        f"say what of it: rate({node.prettify()}), or max_over_time(...)",
    ),
    "SubqueryExpr": lambda node: ("a subquery", node.prettify()),
    "StringLiteral": lambda node: ("a text as the value", node.prettify(), "select a metric"),
}
