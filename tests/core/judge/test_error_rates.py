"""Shares of bad events over one window, judged as DESIGN section 4 says."""

from __future__ import annotations

import pytest

from tests.core.judge.scene import BAD, TOTAL, error_rate, instant, labels, rule, watched
from watchdog.core.judge import Judge, queries
from watchdog.core.samples import Answer, Failure, Fault, Point, Reading
from watchdog.core.spec import Bound, Counters, RatioThreshold
from watchdog.core.words import Blind, Status


def test_half_of_the_redemptions_fail_and_the_rule_is_breached() -> None:
    service = watched(error_rate())
    service.run(6, ok=20)
    verdict = service.run(6, ok=10, failed=10)
    assert verdict.status is Status.BREACHED
    assert verdict.reason == "50% of 120 events bad over 30s > 5%"
    assert verdict.value == 0.5
    assert verdict.bound == "> 5%"
    assert verdict.evidence[0].coverage == 1.0


def test_a_quiet_service_with_its_whole_window_watched_is_clear() -> None:
    service = watched(error_rate())
    early = service.run(2, ok=20)
    assert early.status is Status.HEALTHY
    assert not early.clear
    assert (
        early.reason
        == "0% of 120 events (40 seen, the others taken as good) bad over 30s, not > 5%"
    )
    late = service.run(5, ok=20)
    assert late.clear
    assert late.reason == "0% of 120 events bad over 30s, not > 5%"


def test_a_ratio_is_not_rounded_before_it_is_compared() -> None:
    service = watched(error_rate(bound=Bound(">", 0.05, "> 5%")))
    service.run(5, ok=200_000)
    verdict = service.run(1, ok=140_000 - 1, failed=60_001)
    assert verdict.status is Status.BREACHED
    assert verdict.reason == "5.0001% of 1200000 events bad over 30s > 5%"


def test_a_missing_error_series_beside_a_live_total_is_zero_errors() -> None:
    assert watched(error_rate()).run(3, ok=20).value == 0.0


def test_the_first_failure_counts_after_an_earlier_look() -> None:
    service = watched(error_rate(), minimum_events=1)
    verdict = service.run(1, ok=1, failed=1)
    assert verdict.evidence[0].bad == 1


def test_failures_that_stood_there_at_the_first_look_do_not_count() -> None:
    service = watched(error_rate())
    service.judge = Judge(rule(error_rate()))
    service.failed = 500.0
    assert service.poll().blind is Blind.NEWBORN
    assert service.run(3, ok=20).value == 0.0


def test_a_restart_blinds_once_and_its_new_series_are_unknown() -> None:
    service = watched(error_rate())
    service.run(6, ok=20)
    service.restart()
    service.failed = 3.0
    verdict = service.run(1, ok=20)
    assert verdict.blind is Blind.RESTARTED
    assert verdict.reason == "app restarted"
    after = service.run(1, ok=20)
    assert after.status is Status.HEALTHY
    assert after.evidence[0].bad == 0
    assert after.evidence[0].coverage < 1


def test_a_series_that_vanished_goes_on_from_its_last_value() -> None:
    service = watched(error_rate())
    service.run(1, ok=20, failed=2)
    held, service.failed = service.failed, None
    service.run(2, ok=20)
    service.failed = held
    service.serve(0, failed=1)
    assert service.run(1, ok=20).evidence[0].bad == 3


def test_too_few_events_say_nothing() -> None:
    verdict = watched(error_rate(), minimum_events=20).run(1, ok=0, failed=1)
    assert verdict.blind is Blind.TOO_FEW_EVENTS
    assert verdict.reason == "1 event over 30s, fewer than 20"


def test_no_traffic_says_nothing() -> None:
    verdict = watched(error_rate()).run(6, ok=0)
    assert verdict.blind is Blind.NO_TRAFFIC
    assert verdict.reason == "no events over 30s"


@pytest.mark.parametrize(
    ("up", "blind"),
    [({"app": True}, Blind.NO_TRAFFIC), ({"app": False}, Blind.SOURCE_DOWN), ({}, Blind.NO_DATA)],
)
def test_a_missing_total_depends_on_whether_the_target_is_up(
    up: dict[str, bool], blind: Blind
) -> None:
    at = instant(0)
    answers = {BAD: Answer(missing=(BAD,)), TOTAL: Answer(missing=(TOTAL,))}
    verdict = Judge(rule(error_rate())).observe(Reading("app", at, 0.01, up=up), answers, at)
    assert verdict.blind is blind


def test_the_first_request_ever_is_born_at_zero_where_the_target_was_up_before() -> None:
    service = watched(error_rate(), minimum_events=1)
    judge = service.judge = Judge(rule(error_rate(), minimum_events=1))
    empty = {BAD: Answer(missing=(BAD,)), TOTAL: Answer(missing=(TOTAL,))}
    judge.observe(Reading("app", instant(0), 0.01, up={"app": True}), empty, instant(0))
    service.ok = 0.0
    verdict = service.run(1, ok=0, failed=1)
    assert (verdict.evidence[0].bad, verdict.evidence[0].total) == (1, 1)


def test_more_bad_than_total_is_a_contradiction() -> None:
    service = watched(error_rate())
    at = instant(5)
    answers = {
        BAD: Answer((Point(labels(code="500"), 30, at.wall),), at.wall),
        TOTAL: Answer((Point(labels(code="200"), 1020, at.wall),), at.wall),
    }
    verdict = service.judge.observe(Reading("app", at, 0.01, up={"app": True}), answers, at)
    assert verdict.blind is Blind.CONTRADICTION
    assert "30 bad events of only 20" in verdict.reason


def test_failures_without_any_total_are_a_contradiction() -> None:
    at = instant(0)
    answers = {BAD: Answer((Point((), 5, at.wall),), at.wall), TOTAL: Answer(missing=(TOTAL,))}
    reading = Reading("app", at, 0.01, up={"app": True})
    assert Judge(rule(error_rate())).observe(reading, answers, at).blind is Blind.CONTRADICTION


def latency_judge() -> Judge:
    return Judge(
        rule(RatioThreshold(Counters("fast", "all", good=True), 30, Bound(">", 0.1, "> 10%")))
    )


def latency(judge: Judge, at_seconds: float, fast: float | None, every: float) -> object:
    at = instant(at_seconds)
    answers = {
        "fast": Answer(() if fast is None else (Point((), fast, at.wall),), at.wall),
        "all": Answer((Point((), every, at.wall),), at.wall),
    }
    return judge.observe(Reading("app", at, 0.01, up={"app": True}), answers, at)


def test_slow_requests_are_those_that_are_not_fast() -> None:
    judge = latency_judge()
    latency(judge, 0, 100, 100)
    verdict = judge.tick(instant(0))
    latency(judge, 5, 170, 200)
    verdict = judge.tick(instant(5))
    assert verdict.evidence[0].bad == 30
    assert verdict.status is Status.HEALTHY  # 30 of 600: most of the window counts as good


def test_a_missing_good_series_is_a_contradiction() -> None:
    judge = latency_judge()
    latency(judge, 0, 100, 100)
    latency(judge, 5, None, 200)
    assert judge.tick(instant(5)).blind is Blind.CONTRADICTION


@pytest.mark.parametrize(
    ("value", "blind"),
    [(float("nan"), Blind.NAN), (float("inf"), Blind.INFINITE), (-1.0, Blind.ODD_ANSWER)],
)
def test_what_no_counter_can_show_blinds(value: float, blind: Blind) -> None:
    service = watched(error_rate())
    service.run(6, ok=20)
    service.ok = value
    service.at += 5
    assert service.poll().blind is blind
    service.ok = 1140.0
    assert service.run(1, ok=0).evidence[0].total >= 100  # and was never counted


def test_the_source_fails_and_the_rule_is_blind_with_its_reason() -> None:
    service = watched(error_rate())
    service.run(6, ok=10, failed=10)
    service.at += 5
    verdict = service.poll_in_vain()
    assert verdict.blind is Blind.UNREACHABLE
    assert verdict.reason == "app: connection refused"
    assert service.run(1, ok=10, failed=10).status is Status.BREACHED


def test_a_failed_query_blinds_naming_the_query() -> None:
    at = instant(0)
    failure = Failure(Fault.PROVIDER, Blind.PARTIAL, "the provider warns of missing shards")
    answers = {BAD: Answer(failure=failure), TOTAL: Answer()}
    verdict = Judge(rule(error_rate())).observe(Reading("app", at, 0.01), answers, at)
    assert verdict.blind is Blind.PARTIAL
    assert verdict.reason == f"{BAD}: the provider warns of missing shards"


def test_a_query_that_nobody_asked_is_our_own_fault() -> None:
    verdict = Judge(rule(error_rate())).observe(Reading("app", instant(0), 0.01), {}, instant(0))
    assert verdict.blind is Blind.OURS


def test_two_series_with_the_same_labels_are_an_odd_answer() -> None:
    at = instant(0)
    twice = Answer((Point((), 1, at.wall), Point((), 2, at.wall)), at.wall)
    answers = {BAD: Answer(), TOTAL: twice}
    verdict = Judge(rule(error_rate())).observe(Reading("app", at, 0.01), answers, at)
    assert verdict.blind is Blind.ODD_ANSWER


def test_a_rule_asks_for_its_two_selectors() -> None:
    assert queries(rule(error_rate())) == (BAD, TOTAL)
