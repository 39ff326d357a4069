"""Windows filled from history beside the ones in use, and when they take over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.judge.scene import (
    BAD,
    OVER_5_PERCENT,
    TOTAL,
    availability,
    error_rate,
    instant,
    labels,
    rule,
)
from watchdog.core.judge import Judge, Past
from watchdog.core.samples import Answer, Point, Reading
from watchdog.core.spec import BurnPair, Counters, RatioThreshold, RuleSpec, Slo
from watchdog.core.words import Instant, Status

DAY = 86400.0
EVERY = 15.0
MONTH = availability(BurnPair(0.02, 3600.0, 300.0, 14.4), BurnPair(1.0, 30 * DAY, 3 * DAY, 1.0))
NOW = instant(40 * DAY)


def shown(at: float, bad: float = 1.0, good: float = 99.0) -> dict[str, Answer]:
    """Counters that grew steadily since ever, as scraped at the newest whole interval."""
    scraped = at // EVERY * EVERY
    seconds = scraped - instant(0).wall
    failed = Point(labels(code="500"), bad * seconds / EVERY, scraped)
    fine = Point(labels(code="200"), good * seconds / EVERY, scraped)
    return {BAD: Answer((failed,), scraped), TOTAL: Answer((fine, failed), scraped)}


def moments(past: Past, now: Instant) -> Iterator[tuple[float, float]]:
    for first, last, step in past.stretches(now.wall):
        at = first
        while at <= last:
            yield at, step
            at += step
    yield now.wall, 1.0


def filled(spec: RuleSpec, now: Instant = NOW, bad: float = 1.0) -> Past:
    past = Past.of(spec)
    assert past is not None
    for at, step in moments(past, now):
        past.look(shown(at, bad), now, step)
    return past


def watch(judge: Judge, polls: int, now: Instant = NOW, bad: float = 1.0) -> None:
    for poll in range(polls):
        at = now.plus((poll - polls + 1) * EVERY)
        judge.observe(Reading("prom", at, 0.1), shown(at.wall, bad), at)


@pytest.mark.parametrize("signal", [MONTH, error_rate(over=300), error_rate(over=7200)])
def test_history_fills_every_window_and_polling_goes_on_from_it(
    signal: Slo | RatioThreshold,
) -> None:
    judge = Judge(rule(signal, every=EVERY))
    watch(judge, 4)
    assert judge.lacks(NOW) == max(Past.of(judge.rule).tally.window_seconds)  # type: ignore[union-attr]  # it has windows
    assert judge.take_over(filled(judge.rule), NOW) == ""
    assert judge.lacks(NOW) == 0
    later = NOW.plus(EVERY)
    verdict = judge.observe(Reading("prom", later, 0.1), shown(later.wall), later)
    for window in verdict.evidence:
        assert window.coverage == 1.0
        assert window.total == pytest.approx(100 * window.seconds / EVERY, rel=1e-2)
        assert window.ratio == pytest.approx(0.01, rel=1e-2)
        assert window.filled == 0


def test_a_month_is_asked_for_in_few_points() -> None:
    past = Past.of(rule(MONTH, every=EVERY))
    assert past is not None
    assert sum(1 for _ in moments(past, NOW)) < 9000


def test_a_hole_in_history_is_a_hole_in_the_coverage() -> None:
    spec = rule(MONTH, every=EVERY)
    past = Past.of(spec)
    assert past is not None
    for at, step in moments(past, NOW):
        if not 5 * DAY < NOW.wall - at < 8 * DAY:
            past.look(shown(at), NOW, step)
    windows = past.tally.read_all(NOW)
    assert windows[30 * DAY].coverage == pytest.approx(0.9, abs=1e-3)
    assert windows[3 * DAY].coverage == 1.0


def test_history_that_knows_less_than_was_watched_changes_nothing() -> None:
    judge = Judge(rule(error_rate(over=300), every=EVERY))
    watch(judge, 15)
    verdict = judge.tick(NOW)
    old = filled(judge.rule, NOW.plus(-200))
    assert judge.take_over(old, NOW) == "history knows less of the last 5m than was watched here"
    assert judge.tick(NOW) is verdict
    judge = Judge(judge.rule)
    watch(judge, 25)
    known = "history knows no more than was watched here"
    assert judge.take_over(filled(judge.rule), NOW) == known


def test_history_of_other_counters_is_refused() -> None:
    other = RatioThreshold(Counters("x", "y"), 300, OVER_5_PERCENT)
    judge = Judge(rule(error_rate(over=300), every=EVERY))
    past = filled(rule(other, every=EVERY))
    assert judge.take_over(past, NOW) == "it does not measure the same"


def test_moments_that_cannot_be_used_are_left_out() -> None:
    past = Past.of(rule(error_rate()))
    assert past is not None
    at = NOW.wall
    for answers in (
        {},
        {BAD: Answer(), TOTAL: Answer()},
        {BAD: Answer(), TOTAL: Answer((Point((), float("nan"), at),), at)},
        {BAD: Answer(), TOTAL: Answer((Point((), 5.0),))},
    ):
        assert not past.look(answers, NOW, EVERY)
    assert not past.tally.ready


def test_a_breach_in_history_shows_once_it_is_taken_over() -> None:
    judge = Judge(rule(MONTH, every=EVERY))
    watch(judge, 4, bad=0.0)
    assert judge.tick(NOW).status is Status.HEALTHY
    assert judge.take_over(filled(judge.rule, bad=5.0), NOW) == ""
    assert judge.tick(NOW).status is Status.HEALTHY, "until the next samples"
    later = NOW.plus(EVERY)
    verdict = judge.observe(Reading("prom", later, 0.1), shown(later.wall, bad=5.0), later)
    assert verdict.status is Status.BREACHED
