"""Expressions whose result is the alarm: what is returned, what is not, and what nobody heard."""

from __future__ import annotations

from math import inf, nan

import pytest

from tests.core.judge.scene import instant, labels, rule
from watchdog.core.judge import Judge
from watchdog.core.judge.presence import Need, needs
from watchdog.core.promql import check, evaluate
from watchdog.core.samples import Answer, Labels, Point, Reading
from watchdog.core.series import SeriesStore
from watchdog.core.spec import Bound, ValueThreshold
from watchdog.core.words import Blind, Status, Verdict

PRESENT = Bound("present", 0.0, "present")
NO_LABELS: Labels = ()


def look(
    expr: str,
    *values: float,
    missing: tuple[str, ...] = (),
    age: float | None = 0.0,
    of: Labels = NO_LABELS,
) -> Verdict:
    """`age` is that of the newest sample behind the answer; None where nothing was matched."""
    now = instant(0)
    newest = None if age is None else now.wall - age
    answer = Answer(tuple(Point(of, value) for value in values), newest, missing)
    judge = Judge(rule(ValueThreshold(expr, PRESENT)))
    return judge.observe(Reading("prom", now, 0.1), {expr: answer}, now)


def test_whatever_is_returned_is_a_breach() -> None:
    verdict = look("queue > 5 and on () paused == 0", 7.0, of=labels(job="a"))
    assert verdict.status is Status.BREACHED
    assert verdict.reason == 'queue > 5 and on () paused == 0 returns 1 series: {job="a"}'
    assert (verdict.value, verdict.bound) == (7.0, "present")


def test_several_series_are_one_breach() -> None:
    verdict = look("queue > 5 and on () paused == 0", 7.0, 8.0, of=labels(job="a"))
    assert verdict.status is Status.BREACHED


def test_nothing_returned_on_fresh_samples_is_health() -> None:
    verdict = look("queue > 5 and on () paused == 0")
    assert verdict.status is Status.HEALTHY
    assert verdict.clear


@pytest.mark.parametrize("silent", ["queue", "paused", "queue{}", 'queue{job="other"}'])
def test_nothing_returned_by_what_nobody_heard_is_blindness(silent: str) -> None:
    verdict = look("queue > 5 and on () paused == 0", missing=(silent,))
    assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.NO_DATA)
    assert silent in verdict.reason


def test_nothing_returned_on_old_samples_is_blindness() -> None:
    verdict = look("queue > 5 and on () paused == 0", age=40.0)
    assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.STALE)


def test_something_returned_on_old_samples_is_blindness() -> None:
    verdict = look("queue > 5 and on () paused == 0", 7.0, age=40.0)
    assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.STALE)


def test_what_is_absent_breaches_where_its_absence_is_asked_for() -> None:
    verdict = look('absent(up{job="a"})', 1.0, missing=('up{job="a"}',), age=None)
    assert verdict.status is Status.BREACHED


def test_what_is_not_absent_is_healthy_while_its_samples_are_fresh() -> None:
    assert look('absent(up{job="a"})').status is Status.HEALTHY
    assert look('absent(up{job="a"})', age=40.0).blind is Blind.STALE


def test_a_range_that_still_holds_old_samples_proves_no_presence() -> None:
    """`absent_over_time` returns nothing, and the selector shows nothing now."""
    verdict = look("absent_over_time(up[1h])", missing=("up",), age=None)
    assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.NO_DATA)


def test_a_silence_behind_unless_neither_hides_nor_makes_trouble() -> None:
    guarded = "queue > 5 unless on () maintenance == 1"
    assert look(guarded, 7.0, missing=("maintenance",)).status is Status.BREACHED
    assert look(guarded, missing=("maintenance",)).status is Status.HEALTHY
    assert look(guarded, missing=("queue", "maintenance")).status is Status.BLIND


def test_one_arm_of_an_or_speaks_for_itself_and_is_not_silent_for_the_other() -> None:
    either = "queue > 5 or errors > 5"
    assert look(either, 7.0, missing=("errors",)).status is Status.BREACHED
    assert look(either, missing=("errors",)).status is Status.BLIND


def test_a_result_of_half_the_data_is_none() -> None:
    half = "sum(queue or backlog) < 3 and on () up == 1"
    assert look(half, 2.0, missing=("backlog",)).status is Status.BLIND


def test_not_a_number_is_blindness_and_infinity_is_a_result() -> None:
    assert look("a / b > 1 and c", nan).blind is Blind.NAN
    assert look("a / b > 1 and c", inf).status is Status.BREACHED


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("a > 1 and b", {"a": Need.VITAL, "b": Need.VITAL}),
        ("a or (b and c)", {"a": Need.ARM, "b": Need.ARM, "c": Need.ARM}),
        ("a unless b", {"a": Need.VITAL, "b": Need.ASKED}),
        ("a unless (b unless c)", {"b": Need.ASKED, "c": Need.VITAL}),
        ("a unless absent(b)", {"a": Need.VITAL, "b": Need.VITAL}),
        ("absent(absent(a))", {"a": Need.VITAL}),
        ("absent(a) == 1 and b", {"a": Need.ASKED, "b": Need.VITAL}),
        ("count(a unless b) > 1", {"a": Need.VITAL, "b": Need.VITAL}),
        ("a / (b or c) > 1", {"a": Need.VITAL, "b": Need.VITAL, "c": Need.VITAL}),
        ("x or sum(a or b) < 3", {"x": Need.ARM, "a": Need.VITAL, "b": Need.VITAL}),
        ("a and a offset 1h", {"a": Need.VITAL, "a offset 1h": Need.VITAL}),
        ("a unless a offset 1h", {"a": Need.VITAL, "a offset 1h": Need.ASKED}),
        ("absent(a) or a > 5", {"a": Need.ARM}),
        ("-rate(a[5m]) > 1 or b", {"a": Need.ARM}),
        ("max_over_time((a > 1)[5m:]) and b", {"a": Need.VITAL}),
        ("topk(scalar(k), a) > 1", {"k": Need.VITAL, "a": Need.VITAL}),
    ],
)
def test_what_the_silence_of_each_selector_means(expr: str, expected: dict[str, Need]) -> None:
    known = needs(expr)
    assert {name: known.of(name) for name in expected} == expected


def test_a_selector_that_nobody_wrote_is_vital() -> None:
    assert needs("a unless b").of("c") is Need.VITAL
    assert needs("a unless b").of("not(PromQL") is Need.VITAL
    assert needs("a unless b").of("sum(b)") is Need.VITAL


def test_the_embedded_evaluator_names_selectors_as_they_are_known() -> None:
    """Otherwise each `absent` of a scraped source would be blind instead of breached."""
    plain = check('sum(up{job="a", code=~"5\\\\d"}) / sum({__name__="other"})')
    answer = evaluate(plain, SeriesStore(1, 0), 0.0)
    known = needs(f"absent({plain.text})")
    assert len(answer.missing) == 2
    assert {known.of(name) for name in answer.missing} == {Need.ASKED}
