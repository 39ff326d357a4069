"""Asking a Prometheus-compatible API, with every query pinned to the poll's own time.

An instant query answers with the query's time, however old the samples behind it are. So
freshness is asked for: `timestamp(selector)` for each selector in a wanted expression, at the
time which that selector looks at, once however many expressions hold it. An expression is as
fresh as its stalest selector (`Answer.newest`); what matches nothing is named (`missing`), unless
another side of an `or` stands in for it. A silence that the expression asks about, or that is stood
in for, was seen when it was asked for, and is as fresh.

A plain selector feeds counter windows, where a value beside another sample's time would be a
false step. Its values and times are therefore asked for in one query, which Prometheus answers
from one snapshot.

0/0 is NaN in Prometheus and absent in VictoriaMetrics: both are handed on as they came. Where a
plain selector's time came without its value, the value is NaN.

When no query at all was answered, a control query (`1`) tells the two apart: is it these
queries (each Answer has its failure), or the whole API (Reading.failure)? A fifth of the total
deadline is kept for it. Nothing that goes wrong here is ever the service's fault.

What nobody judges is asked for afterwards (`Reading.aside`): pinned to the same time, one query
after the other, with a deadline, a size and connections of its own.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from watchdog.core.judge.silence import silence_of
from watchdog.core.samples import Answer, Failure, Fault, Labels, Point, Reading
from watchdog.core.spec import PrometheusApi, SourceSpec
from watchdog.core.words import Blind, Instant
from watchdog.sources.faults import bug
from watchdog.sources.prometheus_api import Outcome, PrometheusQueries, Query, Silence, Vector
from watchdog.sources.selectors import Parsed, Selector, parsed
from watchdog.wire.http import Wire

_AT_ONCE = 8
_FOR_QUERIES = 0.8  # share of the deadline; the rest is the control query's
_LEAST_SECONDS = 0.01
PART = "slo_watchdog_part"
"""The label that tells values from their times in one answer."""
_TOO_LATE = Silence(
    Failure(Fault.PROVIDER, Blind.UNREACHABLE, "not asked: the queries before it took all the time")
)

_Outcomes = Mapping[Query, Outcome]


class PrometheusSource:
    """Implements `ports.MetricSource`."""

    def __init__(self, spec: SourceSpec, wire: Wire) -> None:
        if not isinstance(spec.how, PrometheusApi):
            raise TypeError(f"source {spec.name} is not a Prometheus API")
        self.name = spec.name
        self._deadline_seconds = spec.deadline_seconds
        self._polled, self._beside = (
            PrometheusQueries(
                spec.how.endpoint, line, max_bytes=spec.max_bytes, max_series=spec.max_series
            )
            for line in (wire, wire.apart(f"beside {spec.name}"))
        )

    async def aclose(self) -> None:
        """Nothing to close: connections belong to the wire."""

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        loop = asyncio.get_running_loop()
        began = loop.time()
        answers: dict[str, Answer] = {}
        failure: Failure | None
        try:
            answers, failure = await self._read(at, wanted, began)
        except Exception as error:  # noqa: BLE001  # a failure is in the Reading, never raised
            failure = bug(error)
        took = loop.time() - began
        aside = None if failure is not None else partial(self._ask_aside, at)
        return Reading(self.name, at, took, answers=answers, failure=failure, aside=aside)

    async def _ask_aside(self, at: Instant, wanted: Sequence[str]) -> Reading:
        """Each answer says by itself what went wrong with it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        forms, needed = _needed(wanted, at)
        outcomes = await _ask_all(self._beside, needed, began + self._deadline_seconds, at_once=1)
        answers = _answers(forms, at, outcomes)
        return Reading(self.name, at, loop.time() - began, answers=answers)

    async def _read(
        self, at: Instant, wanted: Sequence[str], began: float
    ) -> tuple[dict[str, Answer], Failure | None]:
        forms, needed = _needed(wanted, at)
        until = began + _FOR_QUERIES * self._deadline_seconds
        outcomes = await _ask_all(self._polled, needed, until, at_once=_AT_ONCE)
        silences = [each for each in outcomes.values() if isinstance(each, Silence)]
        if len(silences) == len(outcomes):
            control = await self._control(at, began + self._deadline_seconds)
            if isinstance(control, Silence):
                return {}, (silences or [control])[0].failure
        return _answers(forms, at, outcomes), None

    async def _control(self, at: Instant, until: float) -> Outcome:
        left_seconds = until - asyncio.get_running_loop().time()
        return await self._polled.ask(Query("1", at.wall), max(_LEAST_SECONDS, left_seconds))


async def _ask_all(
    queries: PrometheusQueries, needed: Iterable[Query], until: float, *, at_once: int
) -> dict[Query, Outcome]:
    loop = asyncio.get_running_loop()
    free = asyncio.Semaphore(at_once)

    async def ask(query: Query) -> Outcome:
        async with free:
            left_seconds = until - loop.time()
            if left_seconds < _LEAST_SECONDS:
                return _TOO_LATE
            return await queries.ask(query, left_seconds)

    async with asyncio.TaskGroup() as group:
        tasks = {query: group.create_task(ask(query)) for query in needed}
    return {query: task.result() for query, task in tasks.items()}


def _needed(wanted: Sequence[str], at: Instant) -> tuple[dict[str, Parsed], list[Query]]:
    """What the expressions are made of, and each query that is to be asked once."""
    forms = {expression: parsed(expression) for expression in wanted}
    queries = (query for text, form in forms.items() for query in _queries_of(text, form, at))
    return forms, list(dict.fromkeys(queries))


def _answers(forms: Mapping[str, Parsed], at: Instant, outcomes: _Outcomes) -> dict[str, Answer]:
    return {
        expression: _plain(form.selectors[0], at, outcomes)
        if form.plain
        else _answer(expression, form, at, outcomes)
        for expression, form in forms.items()
    }


def _queries_of(expression: str, form: Parsed, at: Instant) -> list[Query]:
    if form.plain:
        return [_both(form.selectors[0], at)]
    return [Query(expression, at.wall), *(_times(each, at) for each in form.selectors)]


def _times(selector: Selector, at: Instant) -> Query:
    return Query(f"timestamp({selector.text})", selector.looks_at(at.wall))


def _both(selector: Selector, at: Instant) -> Query:
    return Query(both(selector), at.wall, rows_per_series=2)


def both(selector: Selector) -> str:
    """Values and times in one query, told apart by a label."""
    values = f'label_replace({selector.text}, "{PART}", "value", "", "")'
    times = f'label_replace(timestamp({selector.text}), "{PART}", "at", "", "")'
    return f"{values} or {times}"


def _failure(outcome: Outcome) -> Failure | None:
    if isinstance(outcome, Silence):
        return outcome.failure
    return outcome if isinstance(outcome, Failure) else None


def _answer(expression: str, form: Parsed, at: Instant, outcomes: _Outcomes) -> Answer:
    main = outcomes[Query(expression, at.wall)]
    newest: list[float] = []
    missing: list[str] = []
    for selector in form.selectors:
        query = _times(selector, at)
        times = outcomes[query]
        failure = _failure(main) or _failure(times)
        if failure is not None:
            return Answer(failure=failure)
        # The age counts from the time that the selector looks at, so an `offset` makes none.
        moved_seconds = at.wall - query.at
        seen = [
            time + moved_seconds
            for _, time in (times.points if isinstance(times, Vector) else ())
            if math.isfinite(time)
        ]
        if seen:
            newest.append(max(seen))
        else:
            missing.append(selector.shown)
    if not isinstance(main, Vector):
        return Answer(failure=_failure(main))
    points = tuple(Point(labels, value) for labels, value in main.points)
    silence = silence_of(expression, missing)
    if silence.counts:
        newest.append(at.wall)
    missed = tuple(one for one in missing if one not in silence.replaced)
    return Answer(points, min(newest, default=None), missed)


def _plain(selector: Selector, at: Instant, outcomes: _Outcomes) -> Answer:
    outcome = outcomes[_both(selector, at)]
    if not isinstance(outcome, Vector):
        return Answer(failure=_failure(outcome))
    values: dict[Labels, float] = {}
    times: dict[Labels, float] = {}
    for labels, number in outcome.points:
        own = tuple(pair for pair in labels if pair[0] != PART)
        (times if (PART, "at") in labels else values)[own] = number
    points = tuple(
        Point(labels, values.get(labels, math.nan), times.get(labels))
        for labels in dict.fromkeys([*values, *times])
    )
    if not points:
        return Answer(missing=(selector.shown,))
    return Answer(points, newest=max(times.values(), default=None))
