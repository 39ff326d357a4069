"""Functions that are called: from the parser's node to something that runs.

Each function's name leads to a builder, in CALLS. What a function does with numbers stands in the
tables of functions.py and ranges.py; what it does with samples, labels and time stands here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import promql_parser as parser

from watchdog.core.promql.arithmetic import quantile
from watchdog.core.promql.faults import ParseFault, Unsupported
from watchdog.core.promql.functions import ELEMENTWISE
from watchdog.core.promql.histogram import histogram_quantile
from watchdog.core.promql.ranges import (
    KEEPS_NAME,
    RANGE_FUNCTIONS,
    WHATEVER_IS_THERE,
    RangeFunction,
    Window,
)
from watchdog.core.promql.selector import Selector, View, view_of
from watchdog.core.promql.vector import NO_SAMPLE, Element, Moment, Value, Vector, unique
from watchdog.core.samples import Labels

Run = Callable[[Moment], Value]
Plan = Callable[[Any], Run]
Build = Callable[[list[Any], Plan], Run]


def call(node: Any, plan: Plan) -> Run:
    """How to evaluate a function call. Raises Refused."""
    name = node.func.name
    build = CALLS.get(name)
    if build is None:
        raise Unsupported(f"the function `{name}`", node.prettify())
    return build([bare(argument) for argument in node.args], plan)


def bare(node: Any) -> Any:
    """The node without the parentheses around it."""
    while isinstance(node, parser.ParenExpr):
        node = node.expr
    return node


def shown(view: View, moment: Moment) -> Vector:
    """What an instant selector shows."""
    at = moment.at - view.offset_seconds
    vector: Vector = []
    for series in moment.store.matching(view.selector):
        sample = series.instant(at)
        if sample is not None:
            vector.append(Element(series.name, series.labels, sample[1], sample[0]))
    moment.saw(view, (element.at for element in vector))
    return vector


def vector_of(run: Run, moment: Moment) -> Vector:
    value = run(moment)
    if isinstance(value, float):  # the parser lets only vectors through
        raise TypeError("a scalar where a vector belongs")
    return value


def scalar_of(run: Run, moment: Moment) -> float:
    value = run(moment)
    if not isinstance(value, float):  # the parser lets only scalars through
        raise TypeError("a vector where a scalar belongs")
    return value


def share(node: Any, plan: Plan, function: str) -> Run:
    """A quantile's share. One that is written as a number is checked at once."""
    run = plan(node)
    number = bare(node)
    sign = 1.0
    while isinstance(number, parser.UnaryExpr):
        number, sign = bare(number.expr), -sign
    if isinstance(number, parser.NumberLiteral) and not 0 <= sign * number.val <= 1:
        raise ParseFault(
            f"{function} of {sign * number.val:g}: a quantile lies between 0 and 1; "
            "write 0.95 for 95 %"
        )
    return run


def over_range(
    node: Any,
    plan: Plan,
    function: Callable[[Moment], RangeFunction],
    *,
    keeps_name: bool = False,
    whatever_is_there: bool = False,
) -> Run:
    """A function of the samples of each series in the range that `node` selects."""
    if not isinstance(node, parser.MatrixSelector):
        return plan(node)  # a subquery, which says itself that it is none of ours
    view, seconds = view_of(node.vector_selector), node.range.total_seconds()

    def run(moment: Moment) -> Vector:
        at = moment.at - view.offset_seconds
        apply = function(moment)
        vector: Vector = []
        newest: list[float] = []
        for series in moment.store.matching(view.selector):
            times, values = series.window(at, seconds)
            if not times:
                continue
            newest.append(times[-1])
            value = apply(Window(times, values, at, seconds))
            if value is not None:
                name = series.name if keeps_name else None
                vector.append(Element(name, series.labels, value, times[-1]))
        moment.saw(view, newest)
        if newest and not whatever_is_there:
            moment.ranged(view, seconds)
        return unique(vector)

    return run


def _range_function(name: str) -> Build:
    def build(arguments: list[Any], plan: Plan) -> Run:
        (selected,) = arguments
        return over_range(
            selected,
            plan,
            lambda _moment: RANGE_FUNCTIONS[name],
            keeps_name=name in KEEPS_NAME,
            whatever_is_there=name in WHATEVER_IS_THERE,
        )

    return build


def _quantile_over_time(arguments: list[Any], plan: Plan) -> Run:
    asked, selected = arguments
    of = share(asked, plan, "quantile_over_time")

    def function(moment: Moment) -> RangeFunction:
        part = scalar_of(of, moment)
        return lambda window: quantile(part, window.values)

    return over_range(selected, plan, function)


def _elementwise(name: str) -> Build:
    make = ELEMENTWISE[name]

    def build(arguments: list[Any], plan: Plan) -> Run:
        inner, *scalars = [plan(argument) for argument in arguments]

        def run(moment: Moment) -> Vector:
            vector = vector_of(inner, moment)
            apply = make(*(scalar_of(scalar, moment) for scalar in scalars))
            if apply is None:
                return []
            return unique([Element(None, e.labels, apply(e.value), e.at) for e in vector])

        return run

    return build


def _time(_arguments: list[Any], _plan: Plan) -> Run:
    return lambda moment: moment.at


def _timestamp(arguments: list[Any], plan: Plan) -> Run:
    """The samples' own times where a selector is asked, else the time of the evaluation."""
    (argument,) = arguments
    inner = plan(argument)
    sampled = isinstance(argument, parser.VectorSelector)

    def run(moment: Moment) -> Vector:
        vector = vector_of(inner, moment)
        return unique(
            [Element(None, e.labels, e.at if sampled else moment.at, e.at) for e in vector]
        )

    return run


def _vector(arguments: list[Any], plan: Plan) -> Run:
    (scalar,) = [plan(argument) for argument in arguments]
    return lambda moment: [Element(None, (), scalar_of(scalar, moment), NO_SAMPLE)]


def _scalar(arguments: list[Any], plan: Plan) -> Run:
    (inner,) = [plan(argument) for argument in arguments]

    def run(moment: Moment) -> float:
        vector = vector_of(inner, moment)
        return vector[0].value if len(vector) == 1 else math.nan

    return run


def _histogram_quantile(arguments: list[Any], plan: Plan) -> Run:
    of = share(arguments[0], plan, "histogram_quantile")
    buckets = plan(arguments[1])
    return lambda moment: histogram_quantile(scalar_of(of, moment), vector_of(buckets, moment))


def _absent(arguments: list[Any], plan: Plan) -> Run:
    (argument,) = arguments
    selects = isinstance(argument, parser.VectorSelector)
    labels = _labels_of_the_absent(Selector.of(argument)) if selects else ()
    return _unless_there(plan(argument), labels)


def _absent_over_time(arguments: list[Any], plan: Plan) -> Run:
    (argument,) = arguments
    if not isinstance(argument, parser.MatrixSelector):
        return plan(argument)
    present = over_range(
        argument,
        plan,
        lambda _moment: RANGE_FUNCTIONS["present_over_time"],
        keeps_name=True,  # series that differ in their names alone are no ambiguity here
        whatever_is_there=True,
    )
    view, seconds = view_of(argument.vector_selector), argument.range.total_seconds()

    def run(moment: Moment) -> Value:
        moment.ranged(view, seconds)
        return present(moment)

    return _unless_there(run, _labels_of_the_absent(view.selector))


def _unless_there(inner: Run, labels: Labels) -> Run:
    """1 where `inner` shows nothing. That somebody looked and saw nothing is what it rests on."""

    def run(moment: Moment) -> Vector:
        aside = moment.aside()
        vector = vector_of(inner, aside)
        before = len(moment.newest)
        moment.take(aside, absence_counts=not vector)
        if vector:
            return []
        return [Element(None, labels, 1.0, min(moment.newest[before:], default=NO_SAMPLE))]

    return run


def _labels_of_the_absent(selector: Selector) -> Labels:
    """What the selector says by equality, each label once; the rest nobody knows."""
    known: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in selector.matchers:
        if matcher.label == "__name__":
            continue
        if matcher.operator == "=" and matcher.label not in seen:
            known[matcher.label] = matcher.value
            seen.add(matcher.label)
        else:
            known.pop(matcher.label, None)
    return tuple(sorted((label, value) for label, value in known.items() if value))


CALLS: Mapping[str, Build] = {
    **{name: _range_function(name) for name in RANGE_FUNCTIONS},
    "quantile_over_time": _quantile_over_time,
    **{name: _elementwise(name) for name in ELEMENTWISE},
    "time": _time,
    "timestamp": _timestamp,
    "vector": _vector,
    "scalar": _scalar,
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "histogram_quantile": _histogram_quantile,
}
