"""The `for` clock and the quiet clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.core.judge.scene import instant
from watchdog.core.persistence import BreachClock, QuietClock
from watchdog.core.words import Status

B, H, X = Status.BREACHED, Status.HEALTHY, Status.BLIND


def held(*story: tuple[float, Status], for_seconds: float = 15.0) -> BreachClock:
    clock = BreachClock()
    for at, status in story:
        clock = clock.advance(status, instant(at), every_seconds=5, for_seconds=for_seconds)
    return clock


def test_for_adds_up_the_gaps_between_breached_samples() -> None:
    assert held((0, B), (5, B), (10, B)).held_seconds == 10
    assert not held((0, B), (5, B), (10, B)).reached(15)
    assert held((0, B), (5, B), (10, B), (15, B)).reached(15)


def test_a_for_of_zero_is_reached_by_the_first_breached_sample_and_by_nothing_less() -> None:
    assert not BreachClock().reached(0)
    assert held((0, B)).reached(0)
    assert not held((0, X)).reached(0)


def test_one_missed_poll_counts_and_two_do_not() -> None:
    assert held((0, B), (10.25, B)).held_seconds == 10.25
    assert held((0, B), (15, B)).held_seconds == 0


def test_rounding_delays_nothing() -> None:
    clock = held(*((tick * 0.1, B) for tick in range(151)))
    assert clock.reached(15)


def test_healthy_sets_it_back() -> None:
    assert held((0, B), (5, B), (10, H)) == BreachClock()


def test_blindness_freezes_it() -> None:
    clock = held((0, B), (5, B), (10, X), (15, X), (20, B))
    assert clock.held_seconds == 5
    assert held((0, B), (5, B), (10, X), (15, X), (20, B), (25, B)).held_seconds == 10


def test_it_starts_again_after_a_blindness_longer_than_itself() -> None:
    assert held((0, B), (5, B), (10, X), (25, B)).held_seconds == 5
    assert held((0, B), (5, B), (10, X), (25.1, B)).held_seconds == 0


def test_a_long_time_without_any_verdict_is_blindness_too() -> None:
    assert held((0, B), (5, B), (20, B)).held_seconds == 5
    assert held((0, B), (5, B), (20.1, B)).held_seconds == 0


def test_it_is_blind_since_nobody_looked_and_not_since_somebody_looked_again() -> None:
    """After a restart, or a suspend, the first verdict is blind; the next one may be a breach."""
    assert held((0, B), (5, B), (60, X), (60.1, B)).held_seconds == 0
    assert held((0, B), (5, B), (16, X), (20, B)).held_seconds == 5


def test_blindness_alone_starts_nothing() -> None:
    assert held((0, X), (5, X)) == BreachClock()


def test_the_same_verdict_twice_and_an_older_one_add_nothing() -> None:
    assert held((0, B), (5, B), (5, B)).held_seconds == 5
    assert held((0, B), (5, B), (3, B)).held_seconds == 5


def test_both_clocks_survive_as_plain_numbers() -> None:
    clock = held((0, B), (5, B), (10, X))
    assert BreachClock(*clock.numbers()) == clock
    quiet = QuietClock().advance(H, instant(3), every_seconds=5)
    assert QuietClock(*quiet.numbers()) == quiet


def quiet(*story: tuple[float, Status]) -> QuietClock:
    clock = QuietClock()
    for at, status in story:
        clock = clock.advance(status, instant(at), every_seconds=5)
    return clock


def test_quiet_time_is_seen_by_samples() -> None:
    assert quiet((0, H), (5, H), (10, H)).quiet_seconds == 10
    assert quiet((0, H), (600, H)).quiet_seconds == 0
    assert quiet((0, H)).reached(0)
    assert not QuietClock().reached(0)


def test_anything_but_healthy_ends_the_quiet() -> None:
    assert quiet((0, H), (5, H), (10, X), (15, H)).quiet_seconds == 0
    assert quiet((0, H), (5, H), (10, B)) == QuietClock()


STORIES = st.lists(st.tuples(st.floats(0.01, 40), st.sampled_from([B, H, X])), max_size=60)


@given(STORIES, st.floats(0, 60))
def test_no_blind_time_ever_counts_towards_a_breach(
    story: list[tuple[float, Status]], for_seconds: float
) -> None:
    clock, at, most, before = BreachClock(), 0.0, 0.0, H
    for wait, status in story:
        at += wait
        clock = clock.advance(status, instant(at), every_seconds=5, for_seconds=for_seconds)
        if status is B and before is B and wait < 10.6:  # a little more than the longest gap
            most += wait
        most = 0.0 if status is H else most
        before = status
        assert clock.held_seconds <= most + 1e-6
