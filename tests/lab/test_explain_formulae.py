"""What `explain` says of times, against the engine that keeps them."""

import pytest

from tests.lab.explain_rules import (
    BOOK,
    OBJECTIVES,
    RATIOS,
    Agreement,
    Case,
    a_ratio,
    an_slo,
    disagreement,
    near,
)
from watchdog.lab.explain.formulae import (
    Fault,
    Span,
    blurred,
    blurred_at,
    budget_share,
    detected,
    needed_rate,
    rise_seconds,
    seen,
    smallest_ratio,
    starved_after,
    window,
)
from watchdog.lab.explain.simulated import simulate
from watchdog.lab.explain.subject import pairs_of

SHORT = ((0.02, 1800.0, 150.0),)


def test_the_workbooks_own_example() -> None:
    """99.9 % over 30 days, everything fails: 1h at burn 14.4 sees it after 51.84 s."""
    rule = an_slo(0.999, 5.0)
    found = detected(pairs_of(rule), Fault(1.0))
    assert found is not None
    assert (found.earliest, found.latest) == pytest.approx((51.84, 56.84))
    assert smallest_ratio(pairs_of(rule)) == pytest.approx(0.006)


def test_what_no_pair_sees_is_never_detected() -> None:
    rule = an_slo(0.999, 5.0)
    assert detected(pairs_of(rule), Fault(0.005)) is None
    assert detected(pairs_of(rule), Fault(1.0, growth=0.0)) is None, "no events, no ratio"


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_detection_agrees_with_the_engine(objective: float) -> None:
    rule = an_slo(objective, 60.0, BOOK[:2], for_seconds=90.0)
    ratios = sorted({*RATIOS, *near(rule)})
    wrong = [disagreement(Case(rule, Fault(ratio), phase=0.4)) for ratio in ratios]
    assert [text for text in wrong if text] == []


@pytest.mark.parametrize(
    ("every", "over", "op"),
    [(1.0, 30.0, ">"), (5.0, 30.0, ">="), (7.0, 60.0, ">"), (20.0, 300.0, ">"), (15.0, 50.0, ">")],
)
def test_one_window_agrees_with_the_engine(every: float, over: float, op: str) -> None:
    rule = a_ratio(over, 0.05, every, 3 * every, op)
    cases = [
        Case(rule, Fault(ratio, base, growth), phase, history=2 * over, lasts=lasts)
        for ratio in (0.051, 0.2, 1.0)
        for base in (0.0, 0.01)
        for growth in (1.0, 0.3, 4.0)
        for phase in (0.05, 0.9)
        for lasts in (0.0, 1.5 * over)
    ]
    assert [text for case in cases if (text := disagreement(case))] == []


@pytest.mark.parametrize("growth", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("lasts", [0.0, 2700.0])
def test_the_end_of_a_fault_agrees_with_the_engine(growth: float, lasts: float) -> None:
    rule = an_slo(0.99, 15.0, SHORT)
    cases = [
        Case(rule, Fault(ratio, 0.001, growth), 0.3, history=2000.0, lasts=lasts)
        for ratio in (*near(rule), 0.6, 1.0)
    ]
    assert [text for case in cases if (text := disagreement(case))] == []


def test_where_the_buckets_blur_the_place_in_the_bucket_tells_to_within_one_poll() -> None:
    """The one stretch in which the span is wider than an interval: a window all but full."""
    rule = an_slo(0.9, 15.0, BOOK[1:2])
    (pair,) = pairs_of(rule)
    fault = Fault(pair.threshold * 1.003)
    rise = rise_seconds(pair.long, pair.threshold, fault)
    told = seen(pair, fault)
    assert told is not None
    assert told.latest - told.earliest > 4 * 15.0
    for polls in (140, 143, 146, 150, 155):
        history, phase = polls * 15.0, 0.5
        did = simulate(
            rule, fault, history_seconds=history, phase=phase, give_up_seconds=told.latest + 60
        )
        # Polls are put into the middle of their share: a bucket's events began a poll before it.
        into = (history + phase * 15.0 + 15.0) % pair.long.bucket
        exact = rise + blurred_at(pair.long, pair.long.counted - rise, into)
        assert did.breached is not None
        assert exact - 1e-6 <= did.breached <= exact + 15.0 + 1e-6


def test_the_most_blur_is_the_most_over_all_places() -> None:
    coarse = window(15.0, 21_600.0)
    for apart in (1.0, 20.0, 120.0, 299.0, 300.0, 900.0):
        everywhere = [blurred_at(coarse, apart, x / 10) for x in range(1, 3000)]
        assert blurred(coarse, apart) == pytest.approx(max(everywhere), abs=0.01)


def test_growing_traffic_is_seen_sooner_and_falling_traffic_later() -> None:
    pairs = pairs_of(an_slo(0.999, 5.0))
    seen_after = [detected(pairs, Fault(0.5, growth=g)) for g in (10.0, 2.0, 1.0, 0.5, 0.1)]
    latest = [span.latest for span in seen_after if span is not None]
    assert latest == sorted(latest)
    assert len(set(latest)) == 5


def test_traffic_that_falls_below_the_minimum_blinds() -> None:
    minute = window(5.0, 60.0)
    fault = Fault(1.0, growth=0.1)
    assert starved_after(minute, fault, rate=1.0, minimum_events=30) == pytest.approx(30 / 0.9)
    assert starved_after(minute, fault, rate=0.4, minimum_events=30) == 0.0, "blind even before"
    assert starved_after(minute, fault, rate=10.0, minimum_events=30) == float("inf")
    assert starved_after(minute, Fault(1.0, growth=3.0), 1.0, 30) == float("inf")


def test_traffic_and_budget_in_numbers() -> None:
    pairs = pairs_of(an_slo(0.999, 5.0))
    assert needed_rate(pairs, 36) == pytest.approx(0.01), "36 an hour; one in 5 minutes is less"
    assert budget_share(0.999, 2_592_000.0, Fault(1.0), 51.84) == pytest.approx(0.02)


@pytest.mark.sim
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("every", [5.0, 15.0, 30.0])
def test_detection_agrees_everywhere(objective: float, every: float) -> None:
    """All three pairs of the workbook; windows filled, and not; from 0.1 to 100 % of errors.

    Beyond the told span, which holds for every phase, the very moment is held against the poll.
    """
    rule = an_slo(objective, every, BOOK if every >= 30 else BOOK[:2], for_seconds=2.5 * every)
    ratios = sorted({*RATIOS, *near(rule), 0.003, 0.007, 0.015, 0.03, 0.07, 0.15, 0.3, 0.7})
    cases = [Case(rule, Fault(r), p, lasts=0.0) for r in ratios for p in (0.07, 0.5, 0.93)]
    cases += [Case(rule, Fault(r), 0.5, history=22_000.0) for r in ratios[::3]]
    agreement = Agreement()
    for case in cases:
        agreement.hold(case)
    print(f"\n{objective:%} every {every:g} s: {agreement}")  # noqa: T201  # this test's result
    assert agreement.outside == []


def test_a_span_moves_whole() -> None:
    assert Span(1.0, 2.0).plus(3.0) == Span(4.0, 5.0)
