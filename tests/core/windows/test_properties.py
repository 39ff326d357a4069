"""What holds for any run of polls, failures, resets, gaps and restarts."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.core.windows.polls import Account, Polls, instant
from watchdog.core.persistence import longest_gap_seconds
from watchdog.core.windows import Tally, bucket_seconds

EVERY = 5.0
WINDOWS = (30.0, 300.0, 1800.0, 7200.0)
GAP = longest_gap_seconds(EVERY)
# Shrinking takes minutes where an example plays thousands of polls.
SOON = settings(deadline=None, max_examples=40, phases=(Phase.explicit, Phase.generate))


@dataclass(frozen=True)
class Move:
    """What happens until the next poll."""

    intervals: float
    ok: int
    failed: int
    reset: bool


MOVES = st.lists(
    st.builds(
        Move,
        intervals=st.one_of(
            st.just(1.0), st.floats(0.2, 2.0), st.integers(3, 30).map(float), st.just(400.0)
        ),
        ok=st.integers(0, 50),
        failed=st.integers(0, 50),
        reset=st.booleans().flatmap(lambda x: st.booleans() if x else st.just(x)),
    ),
    max_size=120,
)


def play(polls: Polls, move: Move, account: Account | None = None) -> None:
    if move.reset:
        polls.reset()
    seen = polls.step(move.ok, move.failed, move.intervals)
    if account is not None:
        account.note(polls, seen)


@SOON
@given(MOVES)
def test_a_window_holds_what_the_slow_account_holds_up_to_one_bucket(moves: list[Move]) -> None:
    polls, account = Polls(Tally(EVERY, WINDOWS), EVERY), Account()
    polls.poll()
    for move in moves:
        play(polls, move, account)
        for window in WINDOWS:
            width = bucket_seconds(EVERY, window)
            reading = polls.tally.read(window, instant(polls.at))
            begin = polls.at - window
            fewest = account.events_after(begin + width, GAP)
            most = account.events_after(begin - width, GAP)
            assert fewest[0] - 1e-6 <= reading.bad <= most[0] + 1e-6
            assert fewest[1] - 1e-6 <= reading.total <= most[1] + 1e-6
            watched = min(window, account.watched_after(begin))
            assert abs(reading.coverage * window - watched) <= width
            assert 0 <= reading.coverage <= 1


@SOON
@given(MOVES, MOVES)
def test_going_on_from_a_checkpoint_is_never_having_stopped(
    before: list[Move], after: list[Move]
) -> None:
    one = Polls(Tally(EVERY, WINDOWS), EVERY)
    for move in before:
        play(one, move)
    restored = Tally(EVERY, WINDOWS)
    assert restored.restore(one.tally.checkpoint())
    other = Polls(restored, EVERY, one.at, one.ok, one.failed)
    for move in after:
        play(one, move)
        play(other, move)
    for window in WINDOWS:
        now = instant(one.at)
        assert one.tally.read(window, now) == other.tally.read(window, now)
    assert one.tally.since(instant(one.at - 60)) == other.tally.since(instant(one.at - 60))


@SOON
@given(
    rate=st.integers(1, 100),
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=90),
    window=st.sampled_from((30.0, 300.0, 1800.0, 7200.0)),
)
def test_without_history_a_rule_fires_when_full_history_would_and_never_before(
    rate: int, shares: list[float], window: float
) -> None:
    """Steady traffic, good until the watch began: then the two are the same."""
    polls, length = Polls(Tally(EVERY, (window,)), EVERY), round(window / EVERY)
    polls.poll()
    failures = [0] * length
    for share in shares:
        failures.append(round(rate * share))
        polls.step(rate - failures[-1], failures[-1])
        whole = sum(failures[-length:]) / (rate * length)
        filled = polls.tally.read(window, instant(polls.at)).ratio
        assert filled is not None
        assert filled <= whole * (1 + 1e-12)
        assert filled >= whole * (
            1 - 2.5e-3
        )  # rounded against firing: 10 ms of the first poll's 5 s


@SOON
@given(
    rate=st.integers(1, 100),
    shares=st.lists(st.floats(0, 1), min_size=60, max_size=120),
    stopped=st.integers(10, 50),
)
def test_a_restart_of_the_target_makes_no_rule_more_trigger_happy(
    rate: int, shares: list[float], stopped: int
) -> None:
    """The counters fall to zero, and what was counted since the last poll is lost."""
    steady, broken = (Polls(Tally(EVERY, WINDOWS), EVERY) for _ in range(2))
    for polls in (steady, broken):
        polls.poll()
        for _ in range(1500):
            polls.step(rate)
    for number, share in enumerate(shares):
        failed = round(rate * share)
        steady.step(rate - failed, failed)
        if number == stopped:
            broken.at += EVERY
            broken.reset()
            broken.poll(restarted=True)
        else:
            broken.step(rate - failed, failed)
        for window in WINDOWS:
            whole = steady.tally.read(window, instant(steady.at)).ratio
            after = broken.tally.read(window, instant(broken.at)).ratio
            assert whole is not None
            assert after is not None
            assert after <= whole * (1 + 1e-9)


@SOON
@given(MOVES, st.integers(0, 119), st.integers(3, 40))
def test_a_lost_stretch_of_time_loses_no_count(
    moves: list[Move], lost_from: int, lost: int
) -> None:
    """A crash after a checkpoint: what was counted between them comes back with the next poll."""
    polls = Polls(Tally(EVERY, (86400.0,)), EVERY)
    polls.poll()
    steady = [m for m in moves if not m.reset and m.intervals <= 30]
    for move in steady[:lost_from]:
        play(polls, move)
    polls.step(20, 2, intervals=lost)
    for move in steady[lost_from:]:
        play(polls, move)
    reading = polls.tally.read(86400.0, instant(polls.at))
    assert reading.total == sum(m.ok + m.failed for m in steady) + 22
    assert reading.bad == sum(m.failed for m in steady) + 2


@SOON
@given(st.binary(max_size=400))
def test_a_damaged_checkpoint_is_refused_and_the_tally_begins_anew(data: bytes) -> None:
    polls = Polls(Tally(EVERY, WINDOWS), EVERY)
    polls.poll()
    polls.step(20)
    assert not polls.tally.restore(data)
    assert not polls.tally.ready


def test_a_checkpoint_of_other_windows_is_refused() -> None:
    assert not Tally(EVERY, (30.0,)).restore(Tally(EVERY, (60.0,)).checkpoint())
    assert not Tally(1.0, (30.0,)).restore(Tally(EVERY, (30.0,)).checkpoint())


def test_a_cut_checkpoint_is_refused() -> None:
    polls = Polls(Tally(EVERY, WINDOWS), EVERY)
    polls.poll()
    polls.step(20)
    blob = polls.tally.checkpoint()
    assert not Tally(EVERY, WINDOWS).restore(blob[: len(blob) // 2])
