"""What `explain` says of false alarms, against counting them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest

from tests.lab.explain_rules import a_ratio, an_slo
from watchdog.core.judge import Judge
from watchdog.core.samples import Answer, Point, Reading
from watchdog.core.words import Status
from watchdog.lab.explain.chance import (
    MONTH_SECONDS,
    bad_to_breach,
    binomial_tail,
    both,
    false_alarms,
    poisson,
    poisson_tail,
)
from watchdog.lab.explain.formulae import Pair, window
from watchdog.lab.explain.simulated import BAD, BEGAN, SOURCE, TOTAL, with_own_counters
from watchdog.lab.explain.subject import pairs_of


def test_a_binomial_tail_is_the_sum_of_its_terms() -> None:
    for least in range(11):
        summed = sum(math.comb(10, k) * 0.3**k * 0.7 ** (10 - k) for k in range(least, 11))
        assert binomial_tail(least, 10, 0.3) == pytest.approx(summed)
    assert binomial_tail(11, 10, 0.3) == 0.0
    assert binomial_tail(1, 10, 0.0) == 0.0
    assert binomial_tail(10, 10, 1.0) == 1.0


def test_a_poisson_tail_is_the_sum_of_its_terms() -> None:
    for mean in (0.5, 4.0, 30.0):
        for least in (0, 1, 4, 30, 60):
            summed = sum(poisson(k, mean) for k in range(least, 400))
            assert poisson_tail(least, mean) == pytest.approx(summed, abs=1e-12)


def test_a_pair_breaches_as_often_as_its_windows_do_together() -> None:
    for short, long in ((2, 5), (0, 5), (7, 5), (1, 12)):
        summed = sum(poisson(s, 2.0) * poisson_tail(long - s, 3.0) for s in range(short, 120))
        assert both(short, long, 2.0, 5.0) == pytest.approx(summed)


def test_how_many_bad_events_are_enough() -> None:
    alone = window(5.0, 30.0)
    assert bad_to_breach(Pair(alone, alone, 0.05), 60) == 4, "3 of 60 are 5 %, and no more"
    assert bad_to_breach(Pair(alone, alone, 0.05, inclusive=True), 60) == 3
    assert bad_to_breach(Pair(alone, alone, 0.05), 10) == 1, "one event is enough"


def test_millions_of_events_are_told_of_at_once() -> None:
    pairs = (Pair(window(15.0, 259_200.0), window(15.0, 21_600.0), 0.001),)
    chance = false_alarms(pairs, 0.0009, 10_000.0)
    assert chance.per_month == pytest.approx(0.0)
    assert false_alarms(pairs, 0.0009, 1.0).per_month > 0.1


def _polled(judge: Judge, chance: random.Random, base: float, polls: int) -> Iterator[Status]:
    """Ten events a second, each of which fails by itself."""
    bad = 0
    for index in range(polls):
        bad += sum(chance.random() < base for _ in range(10))
        at = BEGAN.plus(float(index))
        answers = {
            BAD: Answer((Point((), float(bad)),), at.wall),
            TOTAL: Answer((Point((), 10.0 * index),), at.wall),
        }
        yield judge.observe(Reading(SOURCE, at, 0.0), answers, at).status


def _begun(polls: int, base: float, seed: int) -> tuple[int, float]:
    """How many false alarms began in the engine, and how many were told of."""
    rule = with_own_counters(a_ratio(30.0, 0.06, 1.0, 0.0))
    told = false_alarms(pairs_of(rule), base, 10.0).per_month * polls / MONTH_SECONDS
    before, begun = Status.BLIND, 0
    chance = random.Random(seed)  # noqa: S311  # the same failures at every run
    for status in _polled(Judge(rule), chance, base, polls):
        begun += status is Status.BREACHED and before is Status.HEALTHY
        before = status
    return begun, told


def test_false_alarms_are_no_more_than_told_and_not_far_fewer() -> None:
    """The engine itself, over events that fail by chance."""
    begun, told = _begun(12_000, 0.035, seed=1)
    assert told > 30, "enough to compare"
    assert 0.4 * told < begun < 1.2 * told


@pytest.mark.sim
@pytest.mark.timeout(1800)
def test_false_alarms_over_days() -> None:
    begun, told = zip(*(_begun(100_000, 0.033, seed) for seed in range(4)), strict=True)
    assert 0.5 * sum(told) < sum(begun) < 1.05 * sum(told)


def test_two_windows_alarm_less_often_than_one() -> None:
    rule = an_slo(0.99, 15.0, ((0.01, 3600.0, 300.0),))
    (pair,) = pairs_of(rule)
    alone = Pair(pair.short, pair.short, pair.threshold)
    assert false_alarms((pair,), 0.04, 0.2).per_month < false_alarms((alone,), 0.04, 0.2).per_month
