"""A bare selector gives at a glance what the whole evaluation gives."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.promql import check, evaluate
from watchdog.core.samples import Failure, Fault, Reading, Sample
from watchdog.core.series import SeriesStore
from watchdog.core.words import Blind, Instant

BARE = ("errors", 'errors{code=~"5.."}', '{__name__=~"err.*"}', "missing")
OTHERS = ("(errors)", "errors offset 10s", "sum(errors)", "-errors")

SAMPLES = st.lists(
    st.tuples(
        st.sampled_from(("200", "500", "503")),
        st.floats(allow_nan=True),
        st.one_of(st.just(0.0), st.floats(-400, 20)),  # older than the poll, or ahead of it
    ),
    max_size=4,
    unique_by=lambda row: row[0],
)
POLLS = st.lists(
    st.tuples(st.floats(1, 200), st.one_of(st.none(), SAMPLES)), min_size=1, max_size=8
)


@given(POLLS, st.floats(-30, 400), st.integers(1, 4))
def test_at_a_glance_and_at_length_are_the_same(
    polls: list[tuple[float, list[tuple[str, float, float]] | None]], later: float, room: int
) -> None:
    store, at = SeriesStore(room, 0.0), 1_000_000.0
    for wait, rows in polls:
        at += wait
        failure = Failure(Fault.PROVIDER, Blind.UNREACHABLE, "x") if rows is None else None
        samples = tuple(
            Sample("errors", (("code", code),), value, at + shift)
            for code, value, shift in rows or ()
        )
        store.ingest(Reading("app", Instant(at, at), 0.1, samples=samples, failure=failure))
    for text in BARE:
        expression = check(text)
        assert expression.bare is not None
        at_length = evaluate(replace(expression, bare=None), store, at + later)
        assert repr(evaluate(expression, store, at + later)) == repr(at_length)


def test_anything_else_is_evaluated_at_length() -> None:
    assert [check(text).bare for text in OTHERS] == [None] * len(OTHERS)
