"""Whatever the expression of the subset: the same answer as a real Prometheus gives."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.promql.agreement import Agreement, sum_of
from tests.core.promql.asking import Asked
from tests.core.promql.grammar import expressions
from tests.core.promql.traffic import (
    BEGIN,
    FAILED_POLLS,
    POLLS,
    USUAL,
    Traffic,
    made_up,
    poll_time,
)
from watchdog.core.series import SeriesStore

END = USUAL.end
Several = list[tuple[Traffic, Agreement]]

generated = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="session")
def several(prometheus: Asked) -> Several:
    """Services made up by chance, one a day, in the one server."""
    return [_filled(prometheus, seed) for seed in range(4)]


@pytest.fixture(scope="session")
def many(prometheus: Asked, several: Several) -> Several:
    return [*several, *(_filled(prometheus, seed) for seed in range(4, 24))]


def _filled(prometheus: Asked, seed: int) -> tuple[Traffic, Agreement]:
    traffic = made_up(seed)
    prometheus.write(traffic.written())
    return traffic, Agreement(traffic.store(), prometheus)


@pytest.fixture(scope="module")
def agreement(prometheus: Asked, store: SeriesStore) -> Agreement:
    return Agreement(store, prometheus)


def test_generated_expressions_have_the_values_prometheus_gives(
    prometheus: Asked, store: SeriesStore
) -> None:
    agreement = _compared([(USUAL, Agreement(store, prometheus))], 250)
    assert agreement.empty + agreement.refused + agreement.stricter < agreement.expressions / 2
    assert agreement.odd_values.keys() == {"nan", "inf", "-inf"}


def test_generated_expressions_agree_on_generated_data(several: Several) -> None:
    _compared(several, 150)


@pytest.mark.sim
@pytest.mark.timeout(1800)
def test_very_many_generated_expressions_agree_on_much_generated_data(many: Several) -> None:
    agreement = _compared(many, 10_000)
    samples = sum(one.store.samples for _, one in many)
    print(f"\n{agreement} over {samples} samples")  # noqa: T201  # this test's result
    assert agreement.expressions >= 10_000
    assert agreement.empty + agreement.refused + agreement.stricter < agreement.expressions / 2
    assert agreement.odd_values.keys() == {"nan", "inf", "-inf"}


def _compared(several: Several, examples: int) -> Agreement:
    @settings(generated, max_examples=examples)
    @given(expression=expressions, which=st.integers(0, 10**6))
    def compare(expression: str, which: int) -> None:
        traffic, agreement = several[which % len(several)]
        # Spread all over: `integers` alone keeps to the simplest.
        at = traffic.begin + 20 + which * 1009 % (traffic.end - traffic.begin - 20)
        agreement.hold(expression, at)

    compare()
    return sum_of(agreement for _, agreement in several)


@pytest.mark.parametrize("selector", ["requests_total", "errors_total", "temperature", "up"])
def test_every_second_shows_the_same_series(agreement: Agreement, selector: str) -> None:
    """Births, gaps, failed scrapes and the end: staleness is seen at each of its edges."""
    for at in range(BEGIN, END, 23):
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
    for at in range(BEGIN, END, 37):
        agreement.hold(expression, at)


def test_gauges_that_fall_below_zero_are_extrapolated_alike(agreement: Agreement) -> None:
    """Before the first gap, where both versions must agree whatever the values."""
    for at in range(BEGIN + 80, int(poll_time(min(FAILED_POLLS))), 7):
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
    for poll in range(3, POLLS, 8):
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
        "clamp_max(temperature, -Inf)",
        "clamp_min(temperature, Inf)",
        'changes(temperature{zone="e"}[5m])',
        'resets(temperature{zone=~"b|e"}[5m])',
        "clamp(temperature, NaN, 1)",
        "round(temperature, 0)",
        "1 / ceil(-0.5 * (temperature != 0) / temperature)",
    ],
)
def test_odd_corners_agree(agreement: Agreement, expression: str) -> None:
    for at in range(BEGIN + 20, END, 421):
        agreement.hold(expression, at)
