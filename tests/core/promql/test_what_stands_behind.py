"""How fresh an answer is, what it lacks, and what nobody watched long enough to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.core.decisions.watch import a_policy, a_rule
from tests.core.judge.scene import rule
from watchdog.core.judge import Judge
from watchdog.core.judge.value import lag_seconds, reach_seconds
from watchdog.core.looks import Looks
from watchdog.core.memory import Memory
from watchdog.core.promql import check, evaluate
from watchdog.core.samples import Answer, Failure, Fault, Reading, Sample, labels_of
from watchdog.core.series import SeriesStore
from watchdog.core.spec import Bound, Endpoint, Policy, Scrape, SourceSpec, ValueThreshold
from watchdog.core.words import Blind, Instant, Status, Truth, Verdict

EVERY = 5.0
START = 1000.0


class Watched:
    """A service that is polled every five seconds, and what is said of it at the last poll."""

    def __init__(self, *wanted: str) -> None:
        self.store = SeriesStore(max_series=100, keep_seconds=7200.0)
        self.now = START - EVERY
        if wanted:
            self.store.looks.want(wanted)

    def poll(self, *values: str, times: int = 1, dated: float | None = None, **more: float) -> None:
        """`values` are names of series that are 1; `more` says which are otherwise."""
        every: Mapping[str, float] = {**dict.fromkeys(values, 1.0), **more}
        for _ in range(times):
            self.now += EVERY
            at = self.now if dated is None else dated
            samples = tuple(Sample(name, labels_of({}), value, at) for name, value in every.items())
            self._ingest(Reading("app", self._instant, 0.1, samples=samples, up={"app:1": True}))

    def fail(self, fault: Fault = Fault.PROVIDER, times: int = 1) -> None:
        for _ in range(times):
            self.now += EVERY
            failure = Failure(fault, Blind.UNREACHABLE, "no answer")
            self._ingest(Reading("app", self._instant, 0.1, failure=failure))

    def ask(self, expression: str) -> Answer:
        return evaluate(check(expression), self.store, self.now)

    def judge(self, expression: str, bound: Bound | None = None) -> Verdict:
        judge = Judge(rule(ValueThreshold(expression, bound or Bound(">", 0.5, "> 0.5"))))
        reading = Reading("app", self._instant, 0.1)
        return judge.observe(reading, {expression: self.ask(expression)}, self._instant)

    def age(self, expression: str) -> float:
        newest = self.ask(expression).newest
        assert newest is not None
        return self.now - newest

    @property
    def _instant(self) -> Instant:
        return Instant(self.now, self.now)

    def _ingest(self, reading: Reading) -> None:
        self.store.ingest(reading)


def test_an_offset_makes_no_sample_old() -> None:
    app = Watched()
    app.poll("a", times=40)
    for expression in ("a", "a offset 1m", "rate(a[30s] offset 1m)", "a - a offset 90s"):
        assert app.age(expression) == pytest.approx(0.0), expression


def test_an_answer_is_as_old_as_its_oldest_selector_also_through_an_offset() -> None:
    app = Watched()
    app.poll("a", times=20)
    app.poll("a", "b", times=4)
    app.poll("a", times=4)  # 20 s without `b`
    assert app.age("a + on () max_over_time(b[1m])") == 20.0
    app.poll("a", times=12)  # a minute more
    assert app.age("a + on () max_over_time(b[30s] offset 1m)") == 20.0


def test_an_offset_is_kept_and_asked_for() -> None:
    assert check("rate(a[5m] offset 1h) / b").range_seconds == 300 + 3600 + 300
    assert check("absent_over_time(a[5m] offset 1h)").range_seconds == 300 + 3600 + 300
    assert check("a or b offset 10m").range_seconds == 600 + 300


def test_what_is_shifted_shows_a_recovery_only_after_its_offset() -> None:
    app = Watched()
    app.poll("a", times=30)
    effect = Instant(app.now, app.now)
    expression = "max_over_time(a[30s] offset 1m)"
    judge = Judge(rule(ValueThreshold(expression, Bound(">", 5.0, "> 5"))))

    def recovered(polls: int) -> Truth:
        for _ in range(polls):
            app.poll("a")
            now = Instant(app.now, app.now)
            judge.observe(Reading("app", now, 0.1), {expression: app.ask(expression)}, now)
        return judge.recovered_since(effect, now).truth

    assert recovered(polls=12) is Truth.UNKNOWN, "it still shows what was before the effect"
    assert recovered(polls=1) is Truth.TRUE


@pytest.mark.parametrize(
    ("expression", "reach", "lag"),
    [
        ("rate(a[5m]) / rate(b[5m])", 300, 0),
        ("a OFFSET 5m", 300, 300),
        ("a / a offset 1w", 604800, 0),
        ("rate(a[5m] offset 1m) / rate(b[10m] offset 2m)", 720, 60),
        ("1 + " * 260 + "rate(a[5m] offset 1m)", 360, 0),
    ],
)
def test_how_far_back_an_expression_looks(expression: str, reach: float, lag: float) -> None:
    assert (reach_seconds(expression), lag_seconds(expression)) == (reach, lag)


def test_a_selector_that_matches_nothing_is_named_with_its_offset() -> None:
    app = Watched()
    app.poll("a")
    answer = app.ask('a + sum(b{x="1"} offset 90s) * rate(c[1m] offset 1h)')
    assert answer.missing == ('b{x="1"} offset 1m30s', "c offset 1h")


def test_what_rests_on_no_sample_has_no_age() -> None:
    app = Watched()
    app.poll("a")
    for expression in ("vector(0)", "time()", "1 + 1", "vector(time()) > 5"):
        assert app.ask(expression).newest is None
    (point,) = app.ask("vector(1)").points
    assert point.at is None


# -- absence ---------------------------------------------------------------------------------------


def test_an_absence_is_as_fresh_as_the_look_that_found_nothing() -> None:
    app = Watched()
    app.poll("a", times=3)
    app.fail(times=2)
    answer = app.ask("absent(b)")
    assert [point.value for point in answer.points] == [1.0]
    assert answer.newest == app.now - 2 * EVERY
    assert (answer.missing, answer.unwatched) == (("b",), ())


def test_an_absence_that_nobody_looked_for_is_none() -> None:
    app = Watched()
    app.fail()
    assert app.ask("absent(b)").unwatched == ("whether b is there",)
    app.poll("a", times=3)
    assert not app.ask("absent(b)").unwatched
    assert app.ask("absent(b offset 1m)").unwatched == ("whether b offset 1m is there",)
    assert app.ask("a unless b offset 1m").unwatched == ("whether b offset 1m is there",)
    app.poll("a", times=12)
    assert not app.ask("absent(b offset 1m)").unwatched
    assert app.age("absent(b offset 1m)") == 0.0
    app.fail(times=59)
    assert not app.ask("absent(b)").unwatched
    app.fail()
    assert app.ask("absent(b)").unwatched, "the last look is five minutes old"


def test_a_document_that_is_old_proves_no_absence_now() -> None:
    app = Watched()
    app.poll("a", dated=START - 60.0, times=3)
    assert app.age("absent(b)") == 70.0


def test_what_was_not_collected_is_not_absent() -> None:
    """New rules want new names; the page that is on its way is still read for the old ones."""
    app = Watched("a")
    app.poll("a", times=30)
    app.store.looks.want(["a", "b"])
    app.poll("a")
    assert app.ask("absent(b)").unwatched
    assert app.ask("sum(b) or 0 * sum(a)").unwatched, "nor may something stand in for it"
    assert not app.ask("absent(a)").unwatched
    app.poll("a")
    assert not app.ask("absent(b)").unwatched
    assert app.ask("absent_over_time(b[1m])").unwatched
    app.poll("a", times=12)
    assert not app.ask("absent_over_time(b[1m])").unwatched


def test_a_rule_that_is_added_waits_until_its_names_are_collected() -> None:
    source = SourceSpec("app", EVERY, 1.0, 1 << 20, 100, Scrape(Endpoint("http://app")))
    old, new = "sum(a)", "absent(b) or on () vector(0)"

    def policy(expression: str) -> Policy:
        signal = ValueThreshold(expression, Bound(">", 0.5, "> 0.5"))
        return replace(a_policy(a_rule(signal=signal)), sources={"app": source})

    memory = Memory()
    memory.adopt(policy(old))
    for poll in range(3):
        at = Instant(START + poll * EVERY, START + poll * EVERY)
        reading = Reading("app", at, 0.1, (Sample("a", (), 1.0, at.wall),), up={"app:1": True})
        assert memory.sources["app"].answers(reading)[old].newest == at.wall
    memory.adopt(policy(new))
    told = []
    for poll in range(3, 6):
        at = Instant(START + poll * EVERY, START + poll * EVERY)
        reading = Reading("app", at, 0.1, (), up={"app:1": True})
        told.append(memory.sources["app"].answers(reading)[new].unwatched)
    assert told == [("whether b is there",), (), ()]


def test_what_lies_ahead_of_our_clock_is_not_absent() -> None:
    app = Watched()
    app.poll("a", dated=START + 100.0)
    for expression in ("absent(a)", "vector(1) unless on () a", "sum(a) or vector(0)"):
        failure = app.ask(expression).failure
        assert failure is not None
        assert failure.blind is Blind.FUTURE


def test_what_found_no_room_is_not_absent() -> None:
    app = Watched()
    app.store.max_series = 1
    app.poll("a", "b")
    failure = app.ask("absent(b)").failure
    assert failure is not None
    assert failure.blind is Blind.TOO_MANY_SERIES


@pytest.mark.parametrize(
    ("expression", "present", "absent"),
    [
        ("absent(b) or on () vector(0)", Status.HEALTHY, Status.BREACHED),
        ("sum(absent(b)) or vector(0)", Status.HEALTHY, Status.BREACHED),
        ("a unless on () b", Status.BLIND, Status.BREACHED),
        ("a and on () b", Status.BREACHED, Status.BLIND),
        ("b", Status.BREACHED, Status.BLIND),
        ("count(b) or vector(0)", Status.BREACHED, Status.BLIND),  # FAULTS 3
        ("sum(b) or 0 * sum(a)", Status.BREACHED, Status.HEALTHY),
        ("(sum(b) or 0 * sum(up)) / sum(a)", Status.BREACHED, Status.HEALTHY),
        ("b or on () a * 0", Status.BREACHED, Status.HEALTHY),
        ("sum(a * 0) or sum(b)", Status.HEALTHY, Status.HEALTHY),
        ("sum(a or b)", Status.BREACHED, Status.BLIND),  # half of a sum is no sum
        ("b or a", Status.BREACHED, Status.BLIND),
        ("b or on (x) a", Status.BREACHED, Status.BLIND),
        ("sum by (x) (b) or sum by (x) (a)", Status.BREACHED, Status.BLIND),
        ("sum(b) or vector(0) * sum(vector(3))", Status.BREACHED, Status.BLIND),
    ],
)
def test_what_a_rule_makes_of_what_is_there_and_of_what_is_not(
    expression: str, present: Status, absent: Status
) -> None:
    app = Watched()
    app.poll("a", "b", times=3)
    assert app.judge(expression).status is present
    app.poll("a", times=3)
    assert app.judge(expression).status is absent


def test_a_filter_inside_that_lets_nothing_through_is_blind_and_a_fall_back_is_not() -> None:
    app = Watched()
    app.poll("a", times=3)
    verdict = app.judge("count(a == 0)")
    assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.NO_DATA)
    assert "gives no result, though everything in it matches something" in verdict.reason
    assert app.judge("count(a == 0) or vector(0)").status is Status.HEALTHY
    assert app.judge("count(a == bool 0)").status is Status.BREACHED
    assert app.judge("sum(a == bool 0)").status is Status.HEALTHY


# -- ranges that begin before the watch ------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        *("rate", "increase", "delta", "deriv", "resets", "changes", "count_over_time"),
        *("sum_over_time", "min_over_time", "max_over_time", "avg_over_time"),
    ],
)
def test_a_range_is_blind_until_it_was_watched_from_its_beginning(function: str) -> None:
    """After a restart there are few samples: a low count would be ours, not the service's."""
    app = Watched()
    app.poll("a", times=3)
    verdict = app.judge(f"{function}(a[1m])", Bound("<", 100.0, "< 100"))
    assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.NEWBORN)
    assert f"{function}(a[1m]): not watched long enough to know what a was for 1m" in verdict.reason
    app.poll("a", times=9)
    assert app.judge(f"{function}(a[1m])", Bound("<", 100.0, "< 100")).status is Status.BREACHED


def test_a_shifted_range_is_watched_later() -> None:
    app = Watched()
    app.poll("a", times=16)
    assert not app.ask("rate(a[1m])").unwatched
    assert app.ask("rate(a[30s] offset 1m)").unwatched
    app.poll("a", times=3)
    assert not app.ask("rate(a[30s] offset 1m)").unwatched


def test_what_matches_nothing_is_told_before_what_was_not_watched() -> None:
    app = Watched()
    app.poll("a")
    verdict = app.judge("rate(nosuch[1m])")
    assert (verdict.blind, verdict.reason) == (Blind.NO_DATA, "nothing matches nosuch")


@pytest.mark.parametrize("function", ["irate", "last_over_time", "present_over_time"])
def test_what_needs_no_whole_range_is_said_at_once(function: str) -> None:
    app = Watched()
    app.poll("a", times=2)
    assert not app.ask(f"{function}(a[1h])").unwatched


def test_an_absence_over_a_range_takes_a_watch_over_it() -> None:
    app = Watched()
    app.poll("a", times=3)
    assert app.judge("absent_over_time(b[1m]) or on () vector(0)").blind is Blind.NEWBORN
    app.poll("a", times=10)
    assert app.judge("absent_over_time(b[1m]) or on () vector(0)").status is Status.BREACHED
    app.poll("a", "b")
    app.poll("a")
    assert app.judge("absent_over_time(b[1m]) or on () vector(0)").status is Status.HEALTHY


def test_a_gap_in_the_watch_is_no_blindness_and_a_beginning_within_one_is() -> None:
    app = Watched()
    app.poll("a", times=200)
    app.fail(times=24)  # two minutes
    app.poll("a", times=3)
    assert not app.ask("rate(a[1m])").unwatched, "a look lies within the look-back before it"
    app.fail(times=120)  # ten minutes
    app.poll("a", times=3)
    assert app.ask("rate(a[5m])").unwatched
    assert not app.ask("rate(a[1h] offset 10m)").missing
    app.poll("a", times=60)
    assert not app.ask("rate(a[5m])").unwatched


def test_a_clock_that_is_set_back_forgets_the_looks_that_lie_ahead() -> None:
    looks = Looks()
    for at in (10.0, 20.0, 30.0):
        looks.add(at)
    looks.rewind(20.0)
    assert looks.last(None, 25.0) == 10.0
    looks.add(15.0)
    assert looks.last(None, 25.0) == 15.0


def test_looks_are_forgotten_as_samples_are() -> None:
    looks = Looks()
    looks.add(10.0)
    looks.add(20.0)
    looks.prune(15.0)
    assert looks.last(None, 12.0) is None
    assert looks.cover(None, 19.0, 10.0)
    assert not looks.cover(None, 18.0, 10.0), "the first look came after a tenth of the range"


def test_names_that_were_collected_among_all_are_known() -> None:
    looks = Looks()
    looks.want(None)
    looks.add(10.0)
    looks.want(["a"])
    assert looks.last("a", 12.0) == 10.0
    looks.want(["a", "b"])
    looks.add(20.0)
    assert (looks.last("a", 21.0), looks.last("b", 21.0)) == (20.0, None)
    looks.add(30.0)
    assert looks.last("b", 31.0) == 30.0
    assert looks.last(None, 31.0) is None, "of names that nobody wanted nothing is known"
