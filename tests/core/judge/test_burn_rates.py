"""Burn rates over pairs of windows."""

from __future__ import annotations

from tests.core.judge.scene import Service, availability, watched
from watchdog.core.spec import BurnPair
from watchdog.core.words import Blind, Status

FAST = BurnPair(0.02, 3600, 300, 14.4)
SLOW = BurnPair(0.05, 21600, 1800, 6.0)


def test_a_pair_fires_when_both_windows_burn_above_the_factor() -> None:
    service = watched(availability(FAST), every=15)
    service.run(240, ok=150)
    assert service.last is not None
    assert service.last.clear
    verdict = service.run(10, ok=75, failed=75)
    assert verdict.status is Status.BREACHED
    # 750 of 36000 events, over a budget of one in a thousand
    assert verdict.reason == "burn 20.8 > 14.4 over 1h and 5m"
    assert verdict.bound == "> 14.4"
    long, short = verdict.evidence
    assert (long.seconds, short.seconds) == (3600, 300)
    assert long.burn is not None
    assert short.burn is not None
    assert abs(long.burn - 750 / 36000 / 0.001) < 1e-6
    assert abs(short.burn - 250) < 1e-6
    assert (long.factor, short.factor) == (14.4, 14.4)


def test_a_long_window_that_still_burns_does_not_fire_once_the_short_one_is_well() -> None:
    service = watched(availability(FAST), every=15)
    service.run(240, ok=150)
    service.run(20, ok=75, failed=75)
    verdict = service.run(25, ok=150)
    assert verdict.status is Status.HEALTHY
    long, short = verdict.evidence
    assert long.burn is not None
    assert long.burn > 14.4
    assert short.burn == 0
    assert verdict.reason == "burn 0, not > 14.4 over 1h and 5m"
    assert verdict.clear


def test_a_burst_that_the_long_window_bears_does_not_fire() -> None:
    service = watched(availability(FAST), every=15)
    service.run(240, ok=150)
    verdict = service.run(3, ok=0, failed=150)
    assert verdict.status is Status.HEALTHY
    assert verdict.reason == "burn 12.5, not > 14.4 over 1h and 5m"


def test_any_pair_that_fires_breaches_though_another_cannot_be_judged() -> None:
    nights = BurnPair(0.5, 120, 30, 2.0)
    service = watched(availability(nights, FAST), minimum_events=300, every=15)
    service.run(20, ok=150)
    service.run(120, ok=15, failed=15)
    verdict = service.run(1, ok=15, failed=15)
    assert verdict.evidence[0].total < 300
    assert verdict.status is Status.BREACHED
    assert "over 1h and 5m" in verdict.reason


def test_a_pair_that_cannot_be_judged_leaves_the_rule_blind_when_none_fires() -> None:
    service = watched(availability(FAST, SLOW), minimum_events=1000, every=15)
    verdict = service.run(245, ok=4)
    assert verdict.evidence[0].total < 1000
    assert verdict.blind is Blind.TOO_FEW_EVENTS
    assert verdict.reason == "960 events over 1h, fewer than 1000"
    assert len(verdict.evidence) == 4


def test_the_minimum_counts_on_the_long_window_only() -> None:
    service = watched(availability(FAST), minimum_events=500, every=15)
    verdict = service.run(240, ok=3)
    assert verdict.status is Status.HEALTHY
    assert verdict.evidence[1].total == 60


def paused_after_an_outage() -> Service:
    service = watched(availability(FAST), every=15)
    service.run(240, ok=150)
    service.run(10, ok=75, failed=75)
    return service


def test_a_pause_that_stops_the_traffic_leaves_the_rule_blind_and_not_healthy() -> None:
    service = paused_after_an_outage()
    verdict = service.run(21, ok=0)
    assert verdict.blind is Blind.NO_TRAFFIC
    assert verdict.reason == "no events over 5m"


def test_a_newly_started_watch_does_not_fire_on_what_full_history_would_bear() -> None:
    fresh = watched(availability(FAST), every=15)
    fresh.run(4, ok=150)
    verdict = fresh.run(3, ok=0, failed=150)
    assert verdict.status is Status.HEALTHY
    assert not verdict.clear
    assert verdict.evidence[0].filled > 30_000
