"""Whatever the expression of the subset: the same answer as a real Prometheus gives."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.promql.agreement import Agreement
from tests.core.promql.asking import Asked
from tests.core.promql.grammar import expressions
from tests.core.promql.traffic import BEGIN, EVERY_SECONDS, FAILED_POLLS, POLLS, poll_time
from watchdog.core.series import SeriesStore

END = BEGIN + EVERY_SECONDS * POLLS + 330  # a little beyond the look-back

# Spread all over: `integers` alone keeps to the simplest.
times = st.integers(0, END - BEGIN - 20).map(lambda n: BEGIN + 20 + n * 1009 % (END - BEGIN - 20))
generated = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def agreement(prometheus: Asked, store: SeriesStore) -> Agreement:
    return Agreement(store, prometheus)


def test_generated_expressions_have_the_values_prometheus_gives(
    prometheus: Asked, store: SeriesStore
) -> None:
    agreement = _compared(Agreement(store, prometheus), 300)
    assert agreement.empty + agreement.refused + agreement.stricter < agreement.expressions / 2
    assert set(agreement.odd_values) == {"nan", "inf", "-inf"}


@pytest.mark.sim
def test_very_many_generated_expressions_have_the_values_prometheus_gives(
    prometheus: Asked, store: SeriesStore
) -> None:
    agreement = _compared(Agreement(store, prometheus), 20000)
    print(agreement)  # noqa: T201  # what was compared is this test's result


def _compared(agreement: Agreement, examples: int) -> Agreement:
    @settings(generated, max_examples=examples)
    @given(expression=expressions, at=times)
    def compare(expression: str, at: int) -> None:
        agreement.hold(expression, at)

    compare()
    return agreement


@pytest.mark.parametrize("selector", ["requests_total", "errors_total", "temperature", "up"])
def test_every_second_shows_the_same_series(agreement: Agreement, selector: str) -> None:
    """Births, gaps, failed scrapes and the end: staleness is seen at each of its edges."""
    for at in range(BEGIN, END, 11):
        agreement.hold(selector, at)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(requests_total[40s])",
        "increase(requests_total[2m])",
        "increase(errors_total[10m] offset 40s)",
        "irate(requests_total[1m])",
        "delta(temperature[1m])",
        "deriv(requests_total[3m])",
    ],
)
def test_ranges_agree_wherever_they_begin(agreement: Agreement, expression: str) -> None:
    for at in range(BEGIN, END, 17):
        agreement.hold(expression, at)


def test_gauges_that_fall_below_zero_are_extrapolated_alike(agreement: Agreement) -> None:
    """Before the first gap, where both versions must agree whatever the values."""
    for at in range(BEGIN + 80, int(poll_time(min(FAILED_POLLS))), 3):
        agreement.hold("rate(temperature[1m])", at)


@pytest.mark.parametrize(
    "function",
    [
        *("min_over_time", "max_over_time", "sum_over_time", "count_over_time", "avg_over_time"),
        *("last_over_time", "present_over_time", "changes", "resets", "deriv", "irate"),
        *("absent_over_time", "quantile_over_time"),
    ],
)
def test_a_sample_on_the_left_edge_lies_outside_of_a_range(
    agreement: Agreement, function: str
) -> None:
    """As in Prometheus 3. In 2.42 it lies inside; there a range that is 1 ms shorter says it."""
    first = "0.4, " if function == "quantile_over_time" else ""
    for poll in range(3, POLLS, 3):
        for ours, its in (("15s", "14999ms"), ("1m", "59s999ms"), ("5m", "4m59s999ms")):
            agreement.hold(
                f"{function}({first}temperature[{ours}])",
                poll_time(poll),
                asked=f"{function}({first}temperature[{its}])",
            )


@pytest.mark.parametrize("offset", [0, 45])
def test_a_sample_of_five_minutes_ago_is_out_of_sight(agreement: Agreement, offset: int) -> None:
    """As in Prometheus 3. In 2.42 it goes out of sight 1 ms later."""
    expression = f"requests_total offset {offset}s" if offset else "requests_total"
    seen = poll_time(POLLS - 1) + 300 + offset
    agreement.hold(expression, seen - 0.001)
    agreement.hold(expression, seen, asked_at=seen + 0.001)
    assert agreement.elements, "a millisecond before it is still in sight"


@pytest.mark.parametrize(
    "expression",
    [
        'absent(nosuch{a="1", b="2", b="3", c=~"x"})',
        'absent((nosuch{a="1"}))',
        'absent(sum(nosuch{a="1"}))',
        'absent_over_time((nosuch{a="1"}[5m]))',
        "timestamp((temperature offset 1m))",
        "timestamp(temperature + 0)",
        "requests_total > on (code, method) errors_total",
        "requests_total > ignoring (nosuch) errors_total",
        "requests_total > bool on (code, method) errors_total",
        "temperature == on (__name__, zone, rack) temperature",
        "temperature * on (zone) group_left (version, __name__) version_info",
        'version_info{zone="a"} < on (zone) group_right (version) temperature',
        "temperature + on (zone) version_info",
        "temperature + on (zone) temperature",
        "sum by (zone) (temperature) * on (zone) group_left () version_info",
        "5 > requests_total",
        "-2 ^ 2 * temperature",
        "temperature and on () up == 0",
        "temperature or ignoring (rack) ceiling",
        "temperature unless on (zone) version_info",
        "requests_total and ignoring (method) errors_total",
        "histogram_quantile(0.9, sum by (le, method) (rate(wait_seconds_bucket[2m])))",
        'histogram_quantile(0.9, {__name__=~"wait.*|idle.*", method="GET"})',
        'histogram_quantile(0.5, sum without (method) ({__name__=~"wait.*|size.*"}))',
        "clamp(temperature, 3, 1)",
        "clamp(temperature, NaN, 1)",
        "round(temperature, 0)",
        "1 / ceil(-0.5 * (temperature != 0) / temperature)",
    ],
)
def test_odd_corners_agree(agreement: Agreement, expression: str) -> None:
    for at in range(BEGIN + 20, END, 333):
        agreement.hold(expression, at)
