"""Rules that judge a number as it stands."""

from __future__ import annotations

from math import inf, nan

import pytest

from tests.core.judge.scene import instant, labels, rule
from watchdog.core.judge import Judge, queries
from watchdog.core.judge.value import breaches, reach_seconds
from watchdog.core.samples import Answer, Failure, Fault, Labels, Point, Reading
from watchdog.core.spec import Bound, Liveness, ValueThreshold
from watchdog.core.words import Blind, Status, Truth, Verdict

EXPR = "mycelia_collateralization_ratio"
PEG = ValueThreshold(EXPR, Bound("<", 1.0, "< 1"))
UP = 'up{job="mycelia"}'


def look(
    judge: Judge,
    *values: tuple[float, Labels],
    at: float = 0.0,
    age: float = 0.0,
    missing: tuple[str, ...] = (),
    failure: Failure | None = None,
) -> Verdict:
    (expression,) = queries(judge.rule)
    now = instant(at)
    newest = now.wall - age if values else None
    answer = Answer(tuple(Point(of, value) for value, of in values), newest, missing)
    return judge.observe(Reading("status", now, 0.2, failure=failure), {expression: answer}, now)


def peg(value: float, at: float = 0.0, age: float = 0.0) -> Verdict:
    return look(Judge(rule(PEG)), (value, ()), at=at, age=age)


def test_the_peg_breaks_and_the_rule_says_by_how_much() -> None:
    verdict = peg(0.97)
    assert verdict.status is Status.BREACHED
    assert verdict.reason == f"{EXPR} is 0.97, < 1"
    assert (verdict.value, verdict.bound) == (0.97, "< 1")
    assert verdict.sampled_at == instant(0).wall


def test_a_healthy_value_on_a_fresh_sample_is_clear() -> None:
    verdict = peg(1.02)
    assert verdict.status is Status.HEALTHY
    assert verdict.clear
    assert verdict.reason == f"{EXPR} is 1.02, not < 1"


def test_a_value_is_not_rounded_before_it_is_compared() -> None:
    verdict = peg(0.99999999)
    assert verdict.status is Status.BREACHED
    assert verdict.reason == f"{EXPR} is 0.99999999, < 1"


def test_a_bound_in_per_cent_is_answered_in_per_cent() -> None:
    share = ValueThreshold("connections / limit", Bound(">", 0.9, "> 90%"))
    verdict = look(Judge(rule(share)), (0.934, ()))
    assert verdict.reason == "connections / limit is 93.4%, > 90%"


@pytest.mark.parametrize(
    ("op", "value", "truth"),
    [
        *((">", 1, False), (">=", 1, True), ("<", 1, False), ("<=", 1, True), ("==", 1, True)),
        *(("!=", 1, False), (">", 2, True), ("<", 0, True), ("==", 2, False), ("!=", 2, True)),
    ],
)
def test_bounds_compare_as_written(op: str, value: float, truth: bool) -> None:  # noqa: FBT001  # a table's column
    assert breaches(value, Bound(op, 1, f"{op} 1")) is truth


def test_nothing_found_is_blind_and_neither_breach_nor_health() -> None:
    assert look(Judge(rule(PEG))).blind is Blind.NO_DATA


def test_a_selector_that_matches_nothing_blinds_whatever_stands_beside_it() -> None:
    hidden = ValueThreshold("count(nosuch) or vector(0)", Bound(">", 5, "> 5"))
    verdict = look(Judge(rule(hidden)), (0.0, ()), missing=("nosuch",))
    assert verdict.blind is Blind.NO_DATA
    assert verdict.reason == "nothing matches nosuch"


def test_a_number_behind_which_no_sample_stands_is_blind() -> None:
    judge = Judge(rule(ValueThreshold("vector(1)", Bound("<", 1, "< 1"))))
    answer = Answer((Point((), 1.0),), None)
    verdict = judge.observe(Reading("s", instant(0), 0.1), {"vector(1)": answer}, instant(0))
    assert verdict.blind is Blind.NO_DATA


def test_nan_is_blind() -> None:
    assert peg(nan).blind is Blind.NAN


@pytest.mark.parametrize("value", [inf, -inf])
def test_infinity_is_blind_unless_the_rule_allows_it(value: float) -> None:
    assert peg(value).blind is Blind.INFINITE
    allowed = ValueThreshold(EXPR, Bound("<", 1, "< 1"), allow_infinite=True)
    expected = Status.HEALTHY if value > 0 else Status.BREACHED
    assert look(Judge(rule(allowed)), (value, ())).status is expected


def test_several_series_where_one_is_expected_are_named() -> None:
    verdict = look(Judge(rule(PEG)), (0.9, labels(chain="btc")), (1.1, labels(chain="eth")))
    assert verdict.blind is Blind.TOO_MANY_SERIES
    assert verdict.reason == (
        f'{EXPR} gives 2 series where one is expected: {{chain="btc"}}, {{chain="eth"}}'
    )


def test_of_very_many_series_a_few_are_named() -> None:
    verdict = look(Judge(rule(PEG)), *((1.0, labels(n=str(i))) for i in range(40)))
    assert verdict.reason.endswith('{n="4"} and 35 more')


def test_an_old_sample_is_stale() -> None:
    assert peg(0.9, age=10).status is Status.BREACHED
    verdict = peg(0.9, age=10.5)
    assert verdict.blind is Blind.STALE
    assert verdict.reason == "the newest sample is 10.5s old, more than 10s"


def test_a_reading_that_took_too_long_to_arrive_is_stale() -> None:
    judge, at = Judge(rule(PEG)), instant(0)
    answer = Answer((Point((), 0.9),), at.wall)
    verdict = judge.observe(Reading("status", at, 11, failure=None), {EXPR: answer}, instant(11))
    assert verdict.blind is Blind.STALE


def test_a_sample_from_the_future_is_blind() -> None:
    assert peg(0.9, age=-1.0).status is Status.BREACHED  # written while we were asking
    verdict = peg(0.9, age=-60)
    assert verdict.blind is Blind.FUTURE
    assert verdict.reason == "the newest sample is 1m ahead of our clock"


def test_a_timestamp_that_never_moves_is_frozen_however_the_wall_clock_is_set() -> None:
    judge, stuck = Judge(rule(PEG)), instant(0).wall
    for tick in range(4):
        at = instant(tick * 5)
        at = type(at)(stuck, at.steady)  # somebody sets the clock back before every look
        answer = Answer((Point((), 0.9),), stuck)
        verdict = judge.observe(Reading("status", at, 0.1), {EXPR: answer}, at)
        assert verdict.blind is (Blind.FROZEN if tick == 3 else None)
    assert verdict.reason == "the newest sample has had the same timestamp for 15s"


def test_a_failed_source_blinds_with_its_reason() -> None:
    failure = Failure(Fault.PROVIDER, Blind.ODD_ANSWER, "200 with text/html")
    verdict = look(Judge(rule(PEG)), failure=failure)
    assert (verdict.blind, verdict.reason) == (Blind.ODD_ANSWER, "status: 200 with text/html")


def test_a_target_that_is_down_breaches_its_liveness_and_is_named() -> None:
    judge = Judge(rule(Liveness(UP)))
    verdict = look(judge, (1, labels(instance="a:1")), (0, labels(instance="b:1")))
    assert verdict.status is Status.BREACHED
    assert verdict.reason == '1 of 2 down: {instance="b:1"}'


def test_all_targets_up_is_healthy_and_clear() -> None:
    verdict = look(Judge(rule(Liveness(UP))), (1, labels(instance="a:1")))
    assert (verdict.status, verdict.clear, verdict.reason) == (Status.HEALTHY, True, "1 of 1 up")


def test_nothing_to_tell_liveness_by_is_blind() -> None:
    assert look(Judge(rule(Liveness(UP)))).blind is Blind.NO_DATA


SILENT = Failure(Fault.SERVICE, Blind.SOURCE_DOWN, "connection refused")


def test_a_silent_service_breaches_liveness_and_blinds_every_other_rule() -> None:
    down = look(Judge(rule(Liveness("up"))), (0, ()), failure=SILENT)
    assert (down.status, down.reason) == (Status.BREACHED, "1 of 1 down: up")
    assert look(Judge(rule(PEG)), (0.5, ()), failure=SILENT).blind is Blind.SOURCE_DOWN


def test_a_silent_provider_is_never_the_services_fault() -> None:
    failure = Failure(Fault.PROVIDER, Blind.UNREACHABLE, "connection refused")
    assert look(Judge(rule(Liveness("up"))), (0, ()), failure=failure).blind is Blind.UNREACHABLE


def test_a_silent_service_without_any_up_leaves_liveness_blind() -> None:
    judge, at = Judge(rule(Liveness("up"))), instant(0)
    verdict = judge.observe(Reading("app", at, 0.1, failure=SILENT), {}, at)
    assert verdict.blind is Blind.SOURCE_DOWN


def test_recovery_of_a_value_needs_a_sample_after_the_effect() -> None:
    judge = Judge(rule(PEG))
    look(judge, (1.1, ()), at=0)
    assert judge.recovered_since(instant(1), instant(2)).truth is Truth.UNKNOWN
    look(judge, (0.9, ()), at=5)
    assert judge.recovered_since(instant(1), instant(6)).truth is Truth.FALSE
    look(judge, (1.1, ()), at=10)
    assert judge.recovered_since(instant(1), instant(11)).truth is Truth.TRUE
    assert judge.recovered_since(instant(1), instant(99)).truth is Truth.UNKNOWN  # stale


def test_an_expression_that_looks_back_before_the_effect_proves_no_failure_yet() -> None:
    judge = Judge(rule(ValueThreshold("rate(errors_total[1m])", Bound(">", 1, "> 1"))))
    look(judge, (4.0, ()), at=30)
    assert judge.recovered_since(instant(1), instant(31)).truth is Truth.UNKNOWN
    look(judge, (4.0, ()), at=62)
    assert judge.recovered_since(instant(1), instant(62)).truth is Truth.FALSE


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("up", 0),
        ("rate(x[5m])", 300),
        ("rate(x[1h30m] offset 5m)", 5700),
        ("max_over_time(rate(x[5m])[1h:1m])", 3900),
        ('x{path="/a[5m]"}', 0),
        ("x offset 500ms", 0.5),
    ],
)
def test_how_far_an_expression_looks_back(expression: str, seconds: float) -> None:
    assert reach_seconds(expression) == seconds
