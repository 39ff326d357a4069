"""Numbers and errors that must come out as Prometheus has them, without a Prometheus at hand."""

from __future__ import annotations

import math
import time

import pytest

from watchdog.core.promql import check, evaluate
from watchdog.core.samples import Fault, Labels, Reading, Sample
from watchdog.core.series import SeriesStore
from watchdog.core.words import Blind, Instant


def _store(*series: tuple[str, Labels, float]) -> SeriesStore:
    store = SeriesStore(max_series=2000, keep_seconds=600)
    samples = tuple(Sample(name, labels, value, 100.0) for name, labels, value in series)
    store.ingest(Reading("app", Instant(100.0, 100.0), 0.1, samples=samples))
    return store


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("0 / 0", math.nan),
        ("1 / -0", -math.inf),
        ("NaN / 0", math.nan),
        ("-7 % 3", -1.0),
        ("7 % 0", math.nan),
        ("Inf % 3", math.nan),
        ("3 % Inf", 3.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 ^ 2", -4.0),
        ("(-8) ^ 0.5", math.nan),
        ("0 ^ -1", math.inf),
        ("10 ^ 400", math.inf),
        ("(-10) ^ 401", -math.inf),
        ("1e308 * 10", math.inf),
        ("Inf - Inf", math.nan),
    ],
)
def test_no_arithmetic_raises(expression: str, value: float) -> None:
    (point,) = evaluate(check(expression), _store(), 100.0).points
    assert point.value == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ('-{__name__=~"a|b"}', "same labelset"),
        ('{__name__=~"a|b"} * 2', "same labelset"),
        ('rate({__name__=~"a|b"}[1m]) + 1', None),  # one sample each: no rates, no duplicates
        ('a + {__name__=~"a|b"}', "duplicate series for the match group"),
        ('{__name__=~"a|b"} + a', "multiple matches"),
        ('{__name__=~"a|b"} + nosuch', None),
        ('sum by (x) ({__name__=~"a|b"})', None),
    ],
)
def test_what_would_be_ambiguous_is_an_error(expression: str, reason: str | None) -> None:
    store = _store(("a", (("x", "1"),), 1.0), ("b", (("x", "1"),), 2.0))
    failure = evaluate(check(expression), store, 100.0).failure
    if reason is None:
        assert failure is None
    else:
        assert failure is not None
        assert (failure.fault, failure.blind) == (Fault.PROVIDER, Blind.QUERY_ERROR)
        assert reason in failure.reason


def test_a_mean_too_large_to_add_up_is_still_a_mean() -> None:
    store = _store(("a", (("x", "1"),), 1.5e308), ("a", (("x", "2"),), 1.5e308))
    (mean,) = evaluate(check("avg(a)"), store, 100.0).points
    assert mean.value == pytest.approx(1.5e308)


def test_buckets_that_differ_by_rounding_alone_are_alike() -> None:
    """As in Prometheus 3; 2.42 takes the last bit for observations."""
    counts = {"1": 10.0, "2": 10.00000000000001, "+Inf": 10.00000000000001}
    store = _store(*(("a", (("le", bound),), count) for bound, count in counts.items()))
    (highest,) = evaluate(check("histogram_quantile(1, a)"), store, 100.0).points
    assert highest.value == 1.0


@pytest.mark.parametrize("bound", ["", "x", "1_000", " 1", "nan", "1e"])
def test_a_bucket_without_a_bound_is_an_error_and_not_left_out(bound: str) -> None:
    """Prometheus leaves it out with a warning, and an answer with warnings is blind too."""
    store = _store(("a", (("le", bound),), 1.0), ("a", (("le", "+Inf"),), 2.0))
    failure = evaluate(check("histogram_quantile(0.5, a)"), store, 100.0).failure
    assert failure is not None
    assert failure.blind is Blind.QUERY_ERROR
    assert f"le={bound!r}" in failure.reason


@pytest.mark.parametrize(
    "expression",
    [
        "a > ignoring (y) b",
        "b < ignoring (y) group_right () c",
        "b > on (x) group_left () a",
        "a + on (x) b",
        "sum by (x) (a) * on (x) group_left () b",
    ],
)
def test_a_match_that_is_ambiguous_is_an_error_also_where_nothing_passes(expression: str) -> None:
    """As in Prometheus 3; 2.42 does not look at what a comparison drops."""
    store = _store(
        ("a", (("x", "1"), ("y", "1")), 1.0),
        ("a", (("x", "1"), ("y", "2")), 1.0),
        ("b", (("x", "1"),), 5.0),
        ("c", (("x", "1"), ("y", "1")), 1.0),
    )
    failure = evaluate(check(expression), store, 100.0).failure
    unambiguous = expression.startswith(("sum", "b <"))
    assert (failure is None) is unambiguous


def test_small_numbers_are_not_lost_beside_large_ones() -> None:
    store = _store(
        ("a", (("x", "1"),), 1e16), ("a", (("x", "2"),), 1.0), ("a", (("x", "3"),), -1e16)
    )
    (total,) = evaluate(check("sum(a)"), store, 100.0).points
    assert total.value == 1.0


def test_selectors_that_match_nothing_are_named() -> None:
    answer = evaluate(check('a + sum(b{x="1"}) * rate(c[1m])'), _store(("a", (), 1.0)), 100.0)
    assert answer.missing == ('b{x="1"}', "c")
    assert answer.newest == 100.0


def test_a_pass_over_hundreds_of_rules_is_short() -> None:
    store = SeriesStore(max_series=2000, keep_seconds=600)
    for poll in range(60):
        at = 100.0 + 5 * poll
        samples = tuple(
            Sample(f"m{name}", (("code", str(code)),), float(poll), at)
            for name in range(40)
            for code in range(10)
        )
        store.ingest(Reading("app", Instant(at, at), 0.1, samples=samples))
    rules = [
        check(f'sum(rate(m{n % 40}{{code=~"[5-9]"}}[{1 + n // 40}m])) / sum(rate(m{n % 40}[5m]))')
        for n in range(200)
    ]
    began = time.process_time()
    answers = [evaluate(rule, store, 395.0) for rule in rules]
    took = time.process_time() - began
    assert all(answer.points[0].value == pytest.approx(0.5, rel=0.05) for answer in answers)
    assert took < 1.0
