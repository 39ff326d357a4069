"""Expressions that are checked once and evaluated at every pass."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdog.core.looks import LOOKBACK_SECONDS
from watchdog.core.promql.bare import bare, glance
from watchdog.core.promql.calls import Run
from watchdog.core.promql.faults import EvaluationFault, ParseFault
from watchdog.core.promql.outline import Outline, outlined
from watchdog.core.promql.parsing import parsed
from watchdog.core.promql.plan import plan
from watchdog.core.promql.selector import Selector, no_room
from watchdog.core.promql.vector import NO_SAMPLE, Moment
from watchdog.core.samples import Answer, Failure, Fault, Point
from watchdog.core.series import SeriesStore
from watchdog.core.text import shortened
from watchdog.core.words import Blind


@dataclass(frozen=True, slots=True)
class Expression(Outline):
    """An expression of the subset that is evaluated here, ready to run."""

    run: Run = field(compare=False, repr=False)
    bare: Selector | None = field(default=None, compare=False, repr=False)


def check(expr: str) -> Expression:
    """Parse, and refuse what is not evaluated here. Raises ParseFault or Unsupported."""
    tree = parsed(expr)
    try:
        run = plan(tree)
    except RecursionError:
        raise ParseFault(f"the expression is nested too deeply: {shortened(expr)}") from None
    facts = outlined(expr, tree)
    return Expression(
        text=facts.text,
        names=facts.names,
        selectors=facts.selectors,
        range_seconds=facts.range_seconds,
        lag_seconds=facts.lag_seconds,
        filters=facts.filters,
        run=run,
        bare=bare(tree),
    )


def evaluate(expression: Expression, store: SeriesStore, at: float) -> Answer:
    """The expression's value at `at` (wall seconds), with Prometheus 3 semantics.

    A scalar is one point without labels. What has no value says why in `failure`: an ambiguous
    result, samples that lie ahead of `at`, or series that found no room in the store.
    """
    if expression.bare is not None:
        answer = glance(expression.bare, store, at)
        if answer is not None:
            return answer
    range_seconds = expression.range_seconds - LOOKBACK_SECONDS
    for name in expression.names if expression.names is not None else (None,):
        full = no_room(name, store, at, range_seconds)
        if full is not None:
            return Answer(failure=full)
    moment = Moment(store, float(at))
    try:
        value = expression.run(moment)
    except EvaluationFault as fault:
        return Answer(failure=Failure(Fault.PROVIDER, Blind.QUERY_ERROR, str(fault)))
    if moment.ahead:
        reason = "samples lie ahead of our clock: " + ", ".join(moment.ahead)
        return Answer(failure=Failure(Fault.PROVIDER, Blind.FUTURE, reason))
    if isinstance(value, float):
        points: tuple[Point, ...] = (Point((), value),)
    else:
        points = tuple(Point(e.labels, e.value, None if e.at == NO_SAMPLE else e.at) for e in value)
    return Answer(
        points=points,
        newest=min(moment.newest, default=None),
        missing=tuple(dict.fromkeys(view.text for view in moment.missing)),
        unwatched=tuple(dict.fromkeys(moment.unwatched)),
    )
