"""Imported alerts are breached while the originals are active, step for step."""

from __future__ import annotations

import math

import pytest

from tests.policy.importers.beside import (
    Original,
    Ours,
    Story,
    imported,
    judged_by_promtool,
    rehearsed,
)
from watchdog.core.spec import Slo, ValueThreshold
from watchdog.core.words import Status

RULES = """\
groups:
  - name: shop
    interval: 15s
    rules:
      - record: job:errors:ratio
        expr: >-
          sum by (job) (rate(requests_total{code=~"5.."}[4m59s]))
          / sum by (job) (rate(requests_total[4m59s]))
        labels: {kind: recorded}
      - record: queue:most
        expr: max by (instance) (queue)
      - {alert: Recorded, expr: 'job:errors:ratio{job="shop", kind="recorded"} > 0.05', for: 1m}
      - {alert: RecordedThen, expr: 'queue:most offset 1m > 8'}
      - alert: Ratio
        expr: >-
          100 * sum(rate(requests_total{code=~"5.."}[4m59s]))
          / sum(rate(requests_total[4m59s])) > 10
        for: 2m
      - {alert: AnyFull, expr: 'queue / 10 >= 0.9', for: 30s}
      - {alert: AnyEmpty, expr: '0.5 > queue'}
      - {alert: Freezing, expr: 'temperature < -5'}
      - {alert: Odd, expr: 'queue == 4'}
      - {alert: Above, expr: 'queue > on (instance) limit'}
      - {alert: Down, expr: 'up{job="shop"} == 0', for: 30s}
      - {alert: Gone, expr: 'absent(heartbeat{job="shop"})', for: 45s}
      - {alert: Both, expr: 'queue > 7 and on (instance) limit > 5'}
      - {alert: Guarded, expr: 'sum(queue) > 12 unless on () maintenance == 1'}
      - {alert: Either, expr: 'temperature > 9 or queue > 9', for: 30s}
      - {alert: Inside, expr: 'count(queue > 6) > 1'}
      - {alert: Shift, expr: 'sum(queue) - sum(queue offset 2m) > 3'}
      - {alert: Quiet, expr: 'changes(beat[2m7s]) == 0'}
      - {alert: Most, expr: 'max_over_time(temperature[3m7s]) > 9.5'}
      - {alert: Kept, expr: 'temperature > 8', keep_firing_for: 2m}
"""
ALERTS = {
    "Recorded": "recorded",
    "RecordedThen": "recorded-then",
    "Ratio": "ratio",
    "AnyFull": "any-full",
    "AnyEmpty": "any-empty",
    "Freezing": "freezing",
    "Odd": "odd",
    "Above": "above",
    "Down": "down",
    "Gone": "gone",
    "Both": "both",
    "Guarded": "guarded",
    "Either": "either",
    "Inside": "inside",
    "Shift": "shift",
    "Quiet": "quiet",
    "Most": "most",
}
COUNT = 80
COUNTED = frozenset({"Ratio"})


@pytest.fixture(scope="module")
def day() -> Story:
    """Twenty minutes of a shop: errors, a restart, a queue, maintenance."""
    steps = range(COUNT)
    return Story(
        15,
        {
            'requests_total{job="shop",code="200"}': [step * 100.0 for step in steps],
            'requests_total{job="shop",code="500"}': [
                max(0.0, min(step, 45) - 20) * 25.0 for step in steps
            ],
            'up{job="shop",instance="a"}': [0.0 if 30 <= step < 36 else 1.0 for step in steps],
            'queue{instance="a"}': [round(5 + 5 * math.sin(step / 6), 2) for step in steps],
            'queue{instance="b"}': [4.0 if step % 7 else 7.0 for step in steps],
            'limit{instance="a"}': [6.0] * COUNT,
            'limit{instance="b"}': [5.5] * COUNT,
            "temperature": [round(10 * math.cos(step / 9), 2) for step in steps],
            "beat": [float(min(step, 50)) for step in steps],
            'heartbeat{job="shop"}': [None if 25 <= step < 45 else 1.0 for step in steps],
            "maintenance": [1.0 if 10 <= step < 50 else None for step in steps],
        },
    )


@pytest.fixture(scope="module")
def original(day: Story, tmp_path_factory: pytest.TempPathFactory) -> Original:
    return judged_by_promtool(tmp_path_factory.mktemp("original"), RULES, day)


@pytest.fixture(scope="module")
def ours(day: Story) -> Ours:
    return rehearsed(imported(RULES), day)


@pytest.mark.parametrize("alert", ALERTS)
def test_it_is_breached_while_the_original_is_active(
    alert: str, original: Original, ours: Ours
) -> None:
    rule = ALERTS[alert]
    active, first = original.active[alert], first_seen(ours, rule)
    assert 3 < len(active) < COUNT - 3, "the story makes it fire, and end"
    differs = ours.steps(rule, Status.BREACHED) ^ {step for step in active if step >= first}
    if alert in COUNTED:  # by whole samples, without extrapolation: an interval at the edges
        differs -= {step for step in range(COUNT) if (step in active) != (step - 1 in active)}
    assert not differs


def first_seen(ours: Ours, rule: str) -> int:
    """A range or an offset that looks to before the first sample is blind; nothing else ever is."""
    blind = ours.steps(rule, Status.BLIND)
    assert blind == set(range(len(blind)))
    assert len(blind) < 20
    return len(blind)


@pytest.mark.parametrize("alert", ALERTS)
def test_and_its_time_has_passed_when_the_original_fires(
    alert: str, original: Original, ours: Ours
) -> None:
    firing = original.firing[alert]
    first = first_seen(ours, ALERTS[alert])
    began = {step for step in firing if step > first and step - 1 not in firing}
    reached = {step for step in ours.reached[ALERTS[alert]] if step > first}
    assert reached == began


def test_what_is_kept_firing_is_no_longer_breached(original: Original, ours: Ours) -> None:
    breached = ours.steps("kept", Status.BREACHED)
    kept = original.active["Kept"] - breached
    assert len(kept) == 16, "two minutes after each of two breaches"
    assert breached < original.active["Kept"]


BURN = """\
groups:
  - name: burn
    rules:
      - alert: Burn
        expr: |
          (
            sum(rate(requests_total{code=~"5.."}[1h])) / sum(rate(requests_total[1h]))
              > (14.4 * 0.01)
            and
            sum(rate(requests_total{code=~"5.."}[5m])) / sum(rate(requests_total[5m]))
              > (14.4 * 0.01)
          )
"""


@pytest.fixture(scope="module")
def hours() -> Story:
    """An hour of good requests, then an hour in which half of them fail, then good ones."""
    bad = [max(0, min(minute, 150) - 90) * 60.0 for minute in range(240)]
    return Story(
        60,
        {
            'requests_total{code="200"}': [
                minute * 120.0 - failed for minute, failed in enumerate(bad)
            ],
            'requests_total{code="500"}': bad,
        },
    )


def test_a_burn_rate_alert_is_an_slo_that_fires_with_it(
    hours: Story, tmp_path_factory: pytest.TempPathFactory
) -> None:
    policy = imported(BURN)
    signal = policy.rules["burn"].signal
    assert isinstance(signal, Slo)
    assert [(pair.factor, pair.budget) for pair in signal.pairs] == [(14.4, 0.02)]
    original = judged_by_promtool(tmp_path_factory.mktemp("burn"), BURN, hours)
    ours = rehearsed(policy, hours)
    active, breached = original.active["Burn"], ours.steps("burn", Status.BREACHED)
    assert 40 < len(active) < 80
    assert not ours.steps("burn", Status.BLIND) - {0}
    # One interval: a rate over 5 minutes is of five or six samples, as its edges fall.
    assert abs(min(active) - min(breached)) <= 1
    assert abs(max(active) - max(breached)) <= 1


def test_the_same_alert_in_other_words_stays_an_expression_and_fires_with_it(
    hours: Story, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A bound that is one number names no budget: nothing is guessed."""
    text = BURN.replace("(14.4 * 0.01)", "0.144").replace("[1h]", "[59m53s]")
    text = text.replace("[5m]", "[4m53s]")
    policy = imported(text)
    assert isinstance(policy.rules["burn"].signal, ValueThreshold)
    original = judged_by_promtool(tmp_path_factory.mktemp("plain"), text, hours)
    ours = rehearsed(policy, hours)
    assert ours.steps("burn", Status.BREACHED) == original.active["Burn"]
