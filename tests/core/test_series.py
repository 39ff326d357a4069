"""The store keeps what Prometheus would keep: births, gaps, staleness, `up`; and no more."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from watchdog.core.looks import LOOKBACK_SECONDS
from watchdog.core.promql import Selector, check, evaluate, no_room, select
from watchdog.core.samples import Answer, Failure, Fault, Reading, Sample, labels_of
from watchdog.core.series import SeriesStore
from watchdog.core.words import Blind, Instant

EVERY = 5.0


class Service:
    """A service that is polled every five seconds, and the store that its polls go to."""

    def __init__(self, max_series: int = 100, keep_seconds: float = 60.0) -> None:
        self.store = SeriesStore(max_series, keep_seconds)
        self.now = 1000.0

    def poll(self, values: Mapping[str, float], *, dated: float | None = None) -> None:
        """Keys are written `name` or `name/code`; `dated` is the samples' own time."""
        at = self.now if dated is None else dated
        samples = tuple(_sample(key, value, at) for key, value in values.items())
        self._ingest(Reading("app", self._instant, 0.1, samples=samples, up={"app:9000": True}))

    def fail(self, fault: Fault = Fault.SERVICE) -> None:
        failure = Failure(fault, Blind.UNREACHABLE, "no answer")
        self._ingest(Reading("app", self._instant, 0.1, failure=failure))

    def ask(self, expression: str) -> Answer:
        """At the time of the last poll."""
        return evaluate(check(expression), self.store, self.now - EVERY)

    def values(self, expression: str) -> list[float]:
        answer = self.ask(expression)
        assert answer.failure is None, answer.failure
        return [point.value for point in answer.points]

    @property
    def _instant(self) -> Instant:
        return Instant(self.now, self.now)

    def _ingest(self, reading: Reading) -> None:
        self.store.ingest(reading)
        self.now += EVERY


def _sample(key: str, value: float, at: float) -> Sample:
    name, _, code = key.partition("/")
    return Sample(name, labels_of({"code": code} if code else {}), value, at)


def test_a_series_that_vanishes_is_gone_at_once_and_returns_at_once() -> None:
    service = Service()
    service.poll({"r/200": 1, "r/500": 1})
    service.poll({"r/200": 2})
    assert service.values("r") == [2]
    service.poll({"r/200": 3, "r/500": 1})
    assert service.values("r") == [3, 1]


@pytest.mark.parametrize("fault", Fault)
def test_after_a_failed_scrape_nothing_is_shown_any_more(fault: Fault) -> None:
    service = Service()
    service.poll({"r": 1})
    service.fail(fault)
    answer = service.ask("r + r")
    assert answer.points == ()
    assert answer.missing == ("r",)
    assert answer.newest is None


def test_what_a_range_saw_before_a_failed_scrape_still_counts() -> None:
    service = Service()
    service.poll({"r": 10})
    service.poll({"r": 20})
    service.fail()
    # 10 within 5 s; half a distance is added at the beginning, a whole one at the end.
    assert service.values("increase(r[20s])") == [pytest.approx(10 * 12.5 / 5)]


def test_a_source_that_says_nothing_more_is_shown_for_the_look_back_only() -> None:
    service = Service()
    service.poll({"r": 1})
    sampled = service.now - EVERY
    for later, shown in ((LOOKBACK_SECONDS - 0.1, 1), (LOOKBACK_SECONDS, 0)):
        assert len(select(Selector.parse("r"), service.store, sampled + later)) == shown


def test_up_follows_the_service() -> None:
    service = Service()
    service.poll({"r": 1})
    assert service.values('up{instance="app:9000"}') == [1]
    service.fail(Fault.SERVICE)
    assert service.values('up{instance="app:9000"}') == [0]
    service.poll({"r": 1})
    assert service.values("up") == [1]


@pytest.mark.parametrize("fault", [Fault.OURS, Fault.PROVIDER])
def test_a_failure_that_is_not_the_services_says_nothing_about_up(fault: Fault) -> None:
    service = Service()
    service.poll({"r": 1})
    answered = service.now - EVERY
    service.fail(fault)
    (point,) = service.ask("up").points
    assert (point.value, point.at) == (1, answered)
    for _ in range(int(LOOKBACK_SECONDS / EVERY)):
        service.fail(fault)
    assert service.ask("up").missing == ("up",)


def test_a_service_that_never_answered_is_down_under_its_sources_name() -> None:
    service = Service()
    service.fail()
    (point,) = service.ask("up").points
    assert (point.labels, point.value) == ((("instance", "app"),), 0)
    service.poll({"r": 1})
    (point,) = service.ask("up").points
    assert (point.labels, point.value) == ((("instance", "app:9000"),), 1)


def test_each_of_several_targets_has_its_own_up() -> None:
    store = SeriesStore(10, 60)
    store.ingest(Reading("app", Instant(5, 5), 0.1, up={"a": True, "b": False}))
    down = evaluate(check("1 - up"), store, 5.0)
    assert [(p.labels, p.value) for p in down.points] == [
        ((("instance", "a"),), 0),
        ((("instance", "b"),), 1),
    ]


def test_a_restart_adds_what_was_counted_since_it() -> None:
    service = Service()
    for value in (100, 110, 3, 13):
        service.poll({"r": value})
    # 10 + 3 + 10 over 15 s; 5 s are added at the beginning, where a sample was due.
    assert service.values("increase(r[20s])") == [pytest.approx(23 * 20 / 15)]


def test_a_counter_born_at_zero_is_not_extrapolated_below_zero() -> None:
    service = Service()
    for value in (0, 10, 20):
        service.poll({"r": value})
    assert service.values("increase(r[1m])") == [pytest.approx(20)]
    assert service.values("rate(r[1m])") == [pytest.approx(20 / 60)]


def test_the_half_distance_comes_before_the_way_to_zero_as_in_prometheus_3() -> None:
    service = Service()
    for value in (8, 18, 28):
        service.poll({"r": value})
    # Zero lies 4 s before the first sample, half a distance 2.5 s: 2.42 would take the former.
    assert service.values("increase(r[1m])") == [pytest.approx(20 * 12.5 / 10)]


def test_a_range_is_open_on_the_left() -> None:
    service = Service()
    for value in (10, 20, 40):
        service.poll({"r": value})
    assert service.values("increase(r[10s])") == [pytest.approx(40)]
    assert service.values("increase(r[5s])") == []


def test_one_sample_is_no_increase_but_is_no_missing_series_either() -> None:
    service = Service()
    service.poll({"r": 7})
    answer = service.ask("rate(r[1m])")
    assert (answer.points, answer.missing) == ((), ())
    assert answer.newest == service.now - EVERY


def test_an_answer_is_as_fresh_as_its_stalest_selector() -> None:
    service = Service()
    service.poll({"a": 1, "b": 1}, dated=1000)
    samples = (_sample("a", 2, 1005), _sample("b", 1, 1000))
    service.store.ingest(Reading("app", Instant(1005, 1005), 0.1, samples=samples))
    assert evaluate(check("a + b"), service.store, 1005.0).newest == 1000
    assert evaluate(check("a"), service.store, 1005.0).newest == 1005


def test_a_document_that_lags_is_shown_again_after_a_failed_poll() -> None:
    service = Service()
    service.poll({"r": 1}, dated=service.now - 30)
    service.fail()
    assert service.ask("r").missing == ("r",)
    service.poll({"r": 2}, dated=service.now - 30)
    (point,) = service.ask("r").points
    assert (point.value, point.at) == (2, service.now - EVERY - 30)


def test_the_same_document_again_is_one_sample_and_grows_old() -> None:
    service = Service()
    for _ in range(5):
        service.poll({"r": 1}, dated=1000)
    assert service.ask("r").newest == 1000
    assert service.values("count(r)") == [1]
    assert service.ask("rate(r[1m])").points == ()


def test_samples_from_the_future_are_never_judged() -> None:
    service = Service()
    service.poll({"r": 1}, dated=service.now + 30)
    failure = service.ask("r").failure
    assert failure is not None
    assert (failure.fault, failure.blind) == (Fault.PROVIDER, Blind.FUTURE)
    assert failure.reason == "samples lie ahead of our clock: r by 30 s"


def test_a_sample_that_was_read_ahead_of_its_time_does_not_look_fresh_later() -> None:
    service = Service()
    service.poll({"r": 1})
    service.poll({"r": 2}, dated=service.now + 30)
    assert service.ask("r").newest == service.now - EVERY + 30


def test_a_clock_that_is_set_back_does_not_freeze_the_series() -> None:
    service = Service()
    service.poll({"r": 1})
    service.poll({"r": 2, "gone": 1})
    service.poll({"r": 3})
    service.now = 900.0
    service.poll({"r": 4})
    assert service.values("r") == [4]
    assert service.ask("gone").missing == ("gone",)


def test_an_empty_label_is_none_and_a_time_that_is_none_is_dropped() -> None:
    store = SeriesStore(10, 60)
    samples = (Sample("r", (("a", ""), ("b", "x")), 1, 5), Sample("r", (), 1, math.nan))
    store.ingest(Reading("app", Instant(5, 5), 0.1, samples=samples))
    (point,) = evaluate(check('r{a=""}'), store, 5.0).points
    assert point.labels == (("b", "x"),)


def test_series_without_room_blind_what_needs_them_and_nothing_else() -> None:
    service = Service(max_series=2)
    service.poll({"a": 1, "b/1": 1, "b/2": 1})
    assert service.values("a") == [1]
    for expression in ("b", "a + b", '{code="1"}'):
        failure = service.ask(expression).failure
        assert failure is not None
        assert (failure.fault, failure.blind) == (Fault.OURS, Blind.TOO_MANY_SERIES)
        assert "beside 2 others" in failure.reason
        assert "max_series" in failure.reason
    assert no_room("b", service.store, service.now, 0) is not None
    assert no_room("a", service.store, service.now, 0) is None


def test_a_range_stays_blind_until_it_is_whole_again() -> None:
    service = Service(max_series=2, keep_seconds=20)
    service.poll({"b/1": 1, "b/2": 1, "b/3": 1})
    for _ in range(4):
        service.poll({"b/1": 2, "b/2": 1})
        assert service.values("count(b)") == [2]
    assert service.ask("rate(b[20s])").failure is not None
    service.poll({"b/1": 2, "b/2": 1})
    assert service.values("rate(b[20s])") == [0, 0]


def test_too_many_names_to_remember_blind_every_name() -> None:
    service = Service(max_series=1)
    service.poll({"a": 1} | {f"x{number}": 1 for number in range(300)})
    assert service.ask("a").failure is not None
    service.poll({"a": 1})
    assert service.values("a") == [1]


def test_memory_stays_bounded_while_series_come_and_go() -> None:
    service = Service(max_series=50, keep_seconds=60)
    most_series = most_samples = 0
    for poll in range(1500):
        service.poll({"steady": poll, f"churn/{poll // 20}": poll})
        most_series = max(most_series, len(service.store))
        most_samples = max(most_samples, service.store.samples)
    # 365 s are kept, 73 polls of three series; samples are forgotten a quarter at a time.
    assert most_series <= 2 + 1 + math.ceil(73 / 20) + 1
    assert most_samples <= 3 * 73 * 4 / 3 + 20
    assert service.values("increase(steady[50s])") == [pytest.approx(10)]


def test_flapping_leaves_no_trail() -> None:
    service = Service(keep_seconds=60)
    for poll in range(3000):
        service.poll({"r": 1} if poll % 2 else {})
    (series,) = (one for one in service.store if one.name == "r")
    assert len(series) < 100
    assert len(series._gaps) < 100  # what no public face shows: that markers are forgotten too
