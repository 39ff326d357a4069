"""What a judge remembers: between readings, across restarts, and since an effect."""

from __future__ import annotations

import pytest

from tests.core.judge.scene import (
    BAD,
    TOTAL,
    Service,
    availability,
    error_rate,
    instant,
    labels,
    rule,
    watched,
)
from watchdog.core.judge import Judge
from watchdog.core.samples import Answer, Point, Reading
from watchdog.core.spec import Bound, ValueThreshold
from watchdog.core.words import Blind, Instant, Status, Truth


def test_before_the_first_reading_there_is_no_verdict_yet() -> None:
    verdict = Judge(rule(error_rate())).tick(instant(0))
    assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.NOT_YET)


def test_without_new_samples_a_verdict_stands_until_it_is_stale() -> None:
    service = watched(error_rate())
    breached = service.run(6, ok=10, failed=10)
    assert service.judge.tick(instant(service.at + 10)) is breached
    verdict = service.judge.tick(instant(service.at + 10.5))
    assert verdict.blind is Blind.STALE
    assert verdict.sampled_at == breached.sampled_at
    assert service.run(1, ok=10, failed=10).status is Status.BREACHED


def test_a_blind_verdict_keeps_its_own_reason() -> None:
    service = watched(error_rate())
    service.run(6, ok=20)
    service.at += 5
    service.poll_in_vain()
    assert service.judge.tick(instant(service.at + 60)).blind is Blind.UNREACHABLE


def test_a_step_of_the_wall_clock_alone_makes_nothing_stale() -> None:
    service = watched(error_rate())
    service.run(6, ok=20)
    at = instant(service.at + 5)
    assert service.judge.tick(Instant(at.wall + 3600, at.steady)).status is Status.HEALTHY
    assert service.judge.tick(Instant(at.wall - 3600, at.steady)).status is Status.HEALTHY


def test_a_reading_older_than_the_last_is_left_aside() -> None:
    service = watched(error_rate())
    breached = service.run(6, ok=10, failed=10)
    service.at -= 3
    assert service.poll() is breached


def test_a_provider_that_scrapes_less_often_than_we_ask_is_judged_by_what_it_has() -> None:
    judge = Judge(rule(error_rate(over=300), every=15))
    for tick in range(60):
        at = instant(tick * 5)
        scraped = instant(tick // 3 * 15).wall
        total = Answer((Point(labels(code="200"), 1000.0 + 100 * (tick // 3)),), scraped)
        verdict = judge.observe(Reading("prom", at, 0.1), {BAD: Answer(), TOTAL: total}, at)
    assert verdict.status is Status.HEALTHY
    assert verdict.evidence[0].total == 1900


def test_recovery_is_judged_only_on_events_after_the_effect() -> None:
    service = watched(error_rate())
    service.run(6, ok=0, failed=20)
    effect = instant(service.at + 0.5)
    service.run(1, ok=20)  # this stretch began before the effect
    reading = service.judge.recovered_since(effect, instant(service.at))
    assert (reading.truth, reading.reason) == (
        Truth.UNKNOWN,
        "0 events after the effect, fewer than 20",
    )
    verdict = service.run(1, ok=20)
    assert verdict.status is Status.BREACHED  # the window still holds the outage
    reading = service.judge.recovered_since(effect, instant(service.at))
    assert reading.truth is Truth.TRUE
    assert reading.reason == "0% of 20 events bad in 9.5s after the effect, not > 5%"


def test_a_failure_that_goes_on_is_proven() -> None:
    service = watched(error_rate())
    service.run(6, ok=0, failed=20)
    effect = instant(service.at)
    service.run(2, ok=10, failed=10)
    reading = service.judge.recovered_since(effect, instant(service.at))
    assert reading.truth is Truth.FALSE
    assert reading.reason == "50% of 40 events bad in 10s after the effect, > 5%"


def test_the_last_failures_in_flight_do_not_hide_a_recovery_for_long() -> None:
    service = watched(error_rate())
    service.run(6, ok=0, failed=20)
    effect = instant(service.at)
    service.run(1, ok=0, failed=20)
    service.run(6, ok=20)
    reading = service.judge.recovered_since(effect, instant(service.at))
    assert reading.truth is Truth.TRUE


def test_a_pause_that_stops_the_traffic_proves_neither() -> None:
    service = watched(error_rate())
    service.run(6, ok=0, failed=20)
    effect = instant(service.at)
    service.run(10, ok=0)
    assert service.judge.recovered_since(effect, instant(service.at)).truth is Truth.UNKNOWN


def test_a_blind_source_proves_neither() -> None:
    service = watched(error_rate())
    service.run(6, ok=0, failed=20)
    effect = instant(service.at)
    service.run(6, ok=20)
    service.at += 5
    service.poll_in_vain()
    reading = service.judge.recovered_since(effect, instant(service.at))
    assert (reading.truth, reading.reason) == (
        Truth.UNKNOWN,
        "blind: app: connection refused",
    )


def test_an_slo_has_recovered_when_it_burns_at_no_factor_any_more() -> None:
    service = watched(availability(), every=15)
    service.run(240, ok=150)
    service.run(10, ok=75, failed=75)
    effect = instant(service.at)
    service.run(10, ok=147, failed=3)
    reading = service.judge.recovered_since(effect, instant(service.at))
    assert reading.truth is Truth.FALSE
    assert reading.reason == "2% of 1500 events bad in 2m30s after the effect: burn 20 > 14.4"
    service.run(20, ok=150)
    assert service.judge.recovered_since(effect, instant(service.at)).truth is Truth.TRUE


def copied(service: Service) -> Service:
    judge = Judge(service.judge.rule)
    assert judge.restore(service.judge.checkpoint())
    return Service(judge, service.every, service.at, service.ok, service.failed)


def test_a_restart_of_the_daemon_goes_on_with_its_windows() -> None:
    service = watched(error_rate())
    service.run(6, ok=10, failed=10)
    again = copied(service)
    assert again.judge.tick(instant(again.at)).blind is Blind.NOT_YET
    assert again.run(1, ok=10, failed=10) == service.run(1, ok=10, failed=10)


def test_what_happened_while_the_daemon_was_away_fires_nothing_by_itself() -> None:
    service = watched(error_rate())
    service.run(6, ok=20)
    again = copied(service)
    again.at += 600
    again.serve(0, failed=2400)
    verdict = again.run(1, ok=20)
    assert verdict.status is not Status.BREACHED
    assert not verdict.clear
    again.run(6, ok=10, failed=10)
    assert again.last is not None
    assert again.last.status is Status.BREACHED


def test_a_timestamp_is_not_frozen_by_our_own_absence() -> None:
    peg = rule(ValueThreshold("peg", Bound("<", 1, "< 1")), every=15)
    judge = Judge(peg)
    answer = {"peg": Answer((Point((), 2.0),), instant(0).wall)}
    judge.observe(Reading("status", instant(0), 0.1), answer, instant(0))
    again = Judge(peg)
    assert again.restore(judge.checkpoint())
    verdict = again.observe(Reading("status", instant(20), 0.1), answer, instant(20))
    assert verdict.status is Status.HEALTHY
    later = {"peg": Answer((Point((), 2.0),), instant(60).wall)}
    verdict = again.observe(Reading("status", instant(60), 0.1), later, instant(60))
    assert verdict.status is Status.HEALTHY


def test_a_changed_bound_keeps_the_windows_and_changed_counters_do_not() -> None:
    service = watched(error_rate())
    service.run(6, ok=10, failed=10)
    blob = service.judge.checkpoint()
    assert Judge(rule(error_rate(bound=Bound(">", 0.6, "> 60%")))).restore(blob)
    assert not Judge(rule(error_rate(over=60))).restore(blob)
    assert not Judge(rule(availability())).restore(blob)


@pytest.mark.parametrize("damage", [b"", b"\0\0\0\2{}", b"\0\0\0\2[]", b"garbage", b"\xff" * 40])
def test_a_damaged_checkpoint_is_refused(damage: bytes) -> None:
    assert not Judge(rule(error_rate())).restore(damage)
