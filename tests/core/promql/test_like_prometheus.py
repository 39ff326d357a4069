"""Whatever the expression of the subset: the same answer as a real Prometheus gives."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.promql.asking import Asked
from tests.core.promql.traffic import BEGIN, EVERY_SECONDS, FAILED_POLLS, POLLS, poll_time
from watchdog.core.promql import check, evaluate
from watchdog.core.samples import Answer, Labels, labels_of
from watchdog.core.series import SeriesStore
from watchdog.core.words import Blind

Found = dict[Labels, list[float]]

END = BEGIN + EVERY_SECONDS * POLLS + 330  # a little beyond the look-back

times = st.integers(BEGIN + 20, END)
ranges = st.sampled_from(["20s", "40s", "1m", "90s", "2m30s", "5m", "10m", "1h"])
labels = st.sampled_from(["code", "method", "zone", "rack", "nosuch"])

counter_matchers = st.sampled_from(
    [
        "",
        '{code="200"}',
        '{code!="200"}',
        '{code=~"5.."}',
        '{code!~"5..|404"}',
        '{method=~"GET|POST"}',
        '{method=~".*T"}',
        '{rack=""}',
        '{rack!=""}',
        '{code=~".+",method!="GET"}',
        '{code=~"(?i)2[0-9]{2}"}',
        '{nosuch=~".*"}',
        '{code=~"0"}',
    ]
)
gauge_matchers = st.sampled_from(
    [
        "",
        '{zone="a"}',
        '{zone!="a"}',
        '{zone=~"[a-b]"}',
        '{zone!~"b|c"}',
        '{rack=""}',
        '{rack!=""}',
        '{rack=~"1?"}',
        '{rack!~".+"}',
        '{zone=~"a.*|d"}',
    ]
)
nameless = st.sampled_from(
    ['{__name__=~"temp.*|ceiling"}', '{zone="a"}', '{code="200"}', '{__name__!~"up|c.*",zone="d"}']
)
numbers = st.sampled_from(["0", "1", "2", "-3", "0.5", "1e3", "NaN", "Inf", "-Inf", "0x10"])


def _join(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    texts = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*texts).map("".join)


counters = _join(st.sampled_from(["requests_total", "errors_total"]), counter_matchers)
gauges = st.one_of(
    _join(st.sampled_from(["temperature", "ceiling"]), gauge_matchers), counters, nameless
) | st.just("up")
# Not the gauges: after a gap they begin somewhere in between, see traffic.py.
countable = st.sampled_from(["up", '{code="200"}', '{code=~"5.*",__name__!=""}', "nosuch"])
rates = st.one_of(
    _join(st.sampled_from(["rate(", "increase("]), counters, "[", ranges, "])"),
    _join(st.sampled_from(["rate(", "increase("]), countable, "[", ranges, "])"),
)
leaves = st.one_of(gauges, rates, numbers.map(lambda number: f"({number})"))
grouping = st.one_of(
    st.just(""),
    st.lists(labels, max_size=2, unique=True).map(lambda names: f" by ({','.join(names)}) "),
    st.lists(labels, max_size=2, unique=True).map(lambda names: f" without ({','.join(names)}) "),
    st.just(" by (__name__, zone) "),
)
# Vectors divided, raised and reduced are leaves: were they sums themselves, the last bit of a
# sum (2.42 adds up plainly, 3 compensates) would decide between a number and infinity.
pointed = st.one_of(
    _join("(", leaves, st.sampled_from([" / ", " % ", " ^ "]), leaves, ")"),
)


@st.composite
def _alike(draw: st.DrawFn) -> str:
    """Two sides grouped by the same labels, as ratios are written, so that they do match."""
    apply, group = draw(st.sampled_from(["sum", "max", "avg"])), draw(grouping)
    left, right = draw(st.sampled_from(["errors_total", "temperature"])), "requests_total"
    if left == "temperature":
        right = "ceiling"
    operator = draw(st.sampled_from(["+", "-", "*", "/"]))
    if left == "errors_total" and draw(st.booleans()):
        left, right = (f"rate({name}[{draw(ranges)}])" for name in (left, right))
    return f"({apply}{group}({left}) {operator} {apply}{group}({right}))"


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    vectors = inner.filter(_is_vector)
    return st.one_of(
        _join("(", inner, st.sampled_from([" + ", " - ", " * "]), inner, ")"),
        _join("(", inner, " / ", leaves, ")"),
        _join("-", inner),
        _alike(),
        _join(st.sampled_from(["sum", "min", "max", "avg", "count"]), grouping, "(", vectors, ")"),
    )


def _is_vector(text: str) -> bool:
    return any(name in text for name in ("total", "temp", "ceiling", "zone", "code", "up"))


expressions = st.recursive(st.one_of(leaves, pointed), _wider, max_leaves=4)


def _real(server: Asked, expression: str, at: int) -> Found | None:
    data = server.query(expression, at)
    if data is None:
        return None
    if data["resultType"] == "scalar":
        return {(): [float(data["result"][1])]}
    found: Found = defaultdict(list)
    for element in data["result"]:
        found[labels_of(element["metric"])].append(float(element["value"][1]))
    return found


def _ours(answer: Answer) -> Found | None:
    if answer.failure is not None:
        assert answer.failure.blind is Blind.QUERY_ERROR
        return None
    found: Found = defaultdict(list)
    for point in answer.points:
        found[point.labels].append(point.value)
    return found


def _order(value: float) -> tuple[bool, float]:
    return (True, 0.0) if math.isnan(value) else (False, value)


def _same(ours: float, real: float) -> bool:
    if math.isnan(real):
        return math.isnan(ours)
    return math.isclose(ours, real, rel_tol=1e-9, abs_tol=1e-9)


def agree(store: SeriesStore, server: Asked, expression: str, at: int) -> None:
    real = _real(server, expression, at)
    ours = _ours(evaluate(check(expression), store, float(at)))
    if real is None or ours is None:
        assert ours == real, "one refuses, the other does not"
        return
    assert ours.keys() == real.keys()
    for series, values in real.items():
        pairs = zip(sorted(ours[series], key=_order), sorted(values, key=_order), strict=True)
        assert all(_same(mine, its) for mine, its in pairs), (series, ours[series], values)


@settings(
    max_examples=1500,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(expression=expressions, at=times)
def test_generated_expressions_have_the_values_prometheus_gives(
    prometheus: Asked, store: SeriesStore, expression: str, at: int
) -> None:
    agree(store, prometheus, expression, at)


@pytest.mark.parametrize("selector", ["requests_total", "errors_total", "temperature", "up"])
def test_every_second_shows_the_same_series(
    prometheus: Asked, store: SeriesStore, selector: str
) -> None:
    """Births, gaps, failed scrapes and the end: staleness is seen at each of its edges."""
    for at in range(BEGIN, END, 7):
        agree(store, prometheus, selector, at)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(requests_total[40s])",
        "increase(requests_total[2m])",
        "increase(errors_total[10m])",
    ],
)
def test_extrapolation_agrees_wherever_the_range_begins(
    prometheus: Asked, store: SeriesStore, expression: str
) -> None:
    for at in range(BEGIN, END, 11):
        agree(store, prometheus, expression, at)


def test_gauges_that_fall_below_zero_are_extrapolated_alike(
    prometheus: Asked, store: SeriesStore
) -> None:
    """Before the first gap, where both versions must agree whatever the values."""
    for at in range(BEGIN + 80, int(poll_time(min(FAILED_POLLS))), 3):
        agree(store, prometheus, "rate(temperature[1m])", at)
