"""How counts are kept small: a month of whole numbers, and what does not fit."""

from __future__ import annotations

import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.judge.scene import availability, rule, watched
from tests.core.windows.polls import Polls, instant
from watchdog.core.judge import Judge
from watchdog.core.spec import BurnPair
from watchdog.core.windows import Tally
from watchdog.core.windows.columns import narrowed, put, zeros

DAY = 86400.0
MONTH = (
    BurnPair(0.02, 3600.0, 300.0, 14.4),
    BurnPair(0.05, 6 * 3600.0, 1800.0, 6.0),
    BurnPair(0.1, 3 * DAY, 6 * 3600.0, 1.0),
    BurnPair(1.0, 30 * DAY, 3 * DAY, 1.0),
)
NUMBERS = st.one_of(
    st.integers(-(2**40), 2**40).map(float),
    st.integers(-3, 300).map(float),
    st.floats(allow_nan=False),
    st.sampled_from((2.0**31 - 1, 2.0**31, -(2.0**31), 0.1)),
)


@given(st.lists(st.tuples(st.integers(0, 9), NUMBERS), max_size=30))
def test_a_column_keeps_every_number_as_it_is(written: list[tuple[int, float]]) -> None:
    column, plain = zeros(10), [0.0] * 10
    for slot, value in written:
        column = put(column, slot, value)
        plain[slot] = value
    assert list(column) == plain
    assert list(narrowed(column)) == plain


def test_whole_numbers_take_four_bytes_and_fractions_eight() -> None:
    column = put(put(zeros(3), 0, 7.0), 1, -2.0)
    assert column.itemsize == 4
    column = put(column, 2, 0.5)
    assert column.itemsize == 8
    assert narrowed(column) is column
    assert narrowed(put(column, 2, 4.0)).itemsize == 4


@pytest.mark.parametrize(
    ("ok", "failed", "least", "most"),
    [(1000.0, 1.0, 80_000, 150_000), (1000.3, 0.1, 150_000, 190_000)],
    ids=["whole", "fractions"],
)
def test_thirty_days_of_one_slo_take_at_most_150_kilobytes_with_all_that_belongs_to_it(
    ok: float, failed: float, least: int, most: int
) -> None:
    """Columns stand in full length from the first poll on; marks are full after 128 polls.

    Fractions take more: docs/adr/0015.
    """
    service = watched(availability(*MONTH), every=300.0)
    service.run(2, ok=ok, failed=failed)  # what is kept for all rules is there
    service.trail.clear()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        service.judge = Judge(rule(availability(*MONTH), every=300.0))
        for _ in range(200):
            service.run(1, ok=ok, failed=failed)
            service.trail.clear()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert least < held < most
    assert service.last is not None
    assert service.last.evidence[-2].coverage == pytest.approx(199 / 8640)


@pytest.mark.parametrize("bad", [1.0, 0.25])
def test_a_checkpoint_from_before_columns_were_narrow_is_taken_up(bad: float) -> None:
    polls = Polls(Tally(5.0, (30.0, 7200.0)), 5.0)
    polls.poll()
    for _ in range(400):
        polls.step(ok=20, failed=bad)
    packed = zlib.decompress(polls.tally.checkpoint())
    size = int.from_bytes(packed[:4], "big")
    head, body = json.loads(packed[4 : 4 + size]), packed[4 + size :]
    old = b""
    for ring, slots in zip(head["rings"], (8, 26), strict=True):
        for kind in ring.pop():
            column, body = _taken(body, slots, kind)
            old += b"".join(map(_double, column))
        old, body = old + body[: 2 * slots], body[2 * slots :]
    text = json.dumps(head, separators=(",", ":")).encode()
    before = zlib.compress(len(text).to_bytes(4, "big") + text + old + body)
    tally = Tally(5.0, (30.0, 7200.0))
    assert tally.restore(before)
    for window in (30.0, 7200.0):
        now = instant(polls.at)
        assert tally.read(window, now) == polls.tally.read(window, now)
    assert tally.bytes_held == polls.tally.bytes_held


def _taken(body: bytes, slots: int, kind: str) -> tuple[list[float], bytes]:
    column = zeros(0, kind)
    size = slots * column.itemsize
    column.frombytes(body[:size])
    return list(column), body[size:]


def _double(value: float) -> bytes:
    return put(zeros(1, "d"), 0, value).tobytes()


@pytest.mark.parametrize("lost_polls", [1, 4, 12])
def test_a_crash_costs_no_count_and_at_most_a_bucket_of_what_was_watched(lost_polls: int) -> None:
    """What is counted between the checkpoint and the crash comes back with the next poll."""
    windows = (6 * 3600.0, 3 * DAY, 30 * DAY)
    lived, crashed = (Polls(Tally(5.0, windows), 5.0) for _ in range(2))
    for polls in (lived, crashed):
        polls.poll()
        for _ in range(5000):
            polls.step(ok=20, failed=1)
    kept = crashed.tally.checkpoint()
    crashed.tally = Tally(5.0, windows)
    assert crashed.tally.restore(kept)
    for _ in range(lost_polls):
        lived.step(ok=20, failed=1)
    crashed.step(ok=20 * lost_polls, failed=lost_polls, intervals=lost_polls)
    for _ in range(3):
        lived.step(ok=20, failed=1)
        crashed.step(ok=20, failed=1)
    for window in windows:
        now = instant(lived.at)
        one, other = lived.tally.read(window, now), crashed.tally.read(window, now)
        assert (one.bad, one.total) == (other.bad, other.total)
        assert 0 <= (one.coverage - other.coverage) * window <= 5 * lost_polls + 1e-6 <= 300


def test_ninety_days_are_read_like_an_hour() -> None:
    polls = Polls(Tally(3600.0, (3600.0, 90 * DAY)), 3600.0)
    polls.poll()
    for _ in range(95 * 24):
        polls.step(ok=9, failed=1)
    reading = polls.tally.read(90 * DAY, instant(polls.at))
    assert (reading.bad, reading.total, reading.coverage) == (90 * 24, 90 * 240, 1.0)
    assert polls.tally.bytes_held < 270_000
