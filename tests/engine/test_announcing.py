"""Which text the public may be told of an episode, by how it stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import ALICE, living, policy
from watchdog.core.book import Book
from watchdog.core.entries import Outcome
from watchdog.core.measured import ImpactMeasured
from watchdog.core.standing import Episode
from watchdog.core.states import State
from watchdog.core.telling.contacts import Audience, Contacts, Told
from watchdog.core.telling.notes import Note
from watchdog.core.telling.topics import Topic
from watchdog.core.words import Direction, Instant, Severity, World
from watchdog.engine import OrderRefused
from watchdog.engine.measures_view import measure_view
from watchdog.engine.orders.telling import _topic
from watchdog.engine.outbox.writing import Writer
from watchdog.sandbox.handle import Sandbox

MUTE = Contacts({}, audiences={"press": Audience("press", (Told("nobody"),), outside=True)})
NOW = Instant(1e9, 10.0)


def standing(state: State, outcome: Outcome | None = None, undo: Outcome | None = None) -> Episode:
    ep = Episode("E1", "peg", "treasury", Severity.P0, World.LIVE, NOW, moved=NOW)
    ep.state, ep.outcome = state, outcome
    ep.last = (Direction.UNDO, undo) if undo is not None else None
    return ep


@pytest.mark.parametrize(
    ("ep", "told"),
    [
        (standing(State.PENDING), Topic.UPDATE),
        (standing(State.HELD), Topic.UPDATE),
        (standing(State.AWAITING), Topic.UPDATE),
        (standing(State.ACTING), Topic.ANNOUNCED),
        (standing(State.VERIFYING, Outcome.DONE), Topic.ANNOUNCED),
        (standing(State.CONTAINED, Outcome.DONE), Topic.COMPLETE),
        (standing(State.CONTAINED, Outcome.FOUND), Topic.COMPLETE),
        (standing(State.CONTAINED, Outcome.DONE, Outcome.FAILED), Topic.COMPLETE),
        (standing(State.CONTAINED, Outcome.DONE, Outcome.UNKNOWN), Topic.UPDATE),
        (standing(State.LATCHED, Outcome.FAILED), Topic.UPDATE),
        (standing(State.WATCHED, Outcome.DONE, Outcome.DONE), Topic.UPDATE),
        (standing(State.OK, Outcome.DONE), Topic.UPDATE),
    ],
)
def test_what_is_told_is_what_is_so(ep: Episode, told: Topic) -> None:
    assert _topic(ep, "") is told
    assert _topic(ep, "update") is Topic.UPDATE
    if told is not Topic.COMPLETE:
        with pytest.raises(OrderRefused, match="--as update"):
            _topic(ep, "complete")
    if ep.state not in {State.ACTING, State.VERIFYING, State.CONTAINED}:
        with pytest.raises(OrderRefused, match="nothing is taken back"):
            _topic(ep, "announced")


def test_while_it_is_being_undone_nothing_is_complete() -> None:
    ep = standing(State.CONTAINED, Outcome.DONE)
    ep.intent = "I2"
    assert _topic(ep, "") is Topic.UPDATE


def test_how_long_it_takes_is_told_before_the_effect_and_what_lasts_after_it(
    sandbox: Sandbox,
) -> None:
    book, known = Book(), policy(sandbox)
    (action, *_) = known.actions
    writer = Writer(book, lambda: known, lambda: NOW, lambda _: None)
    note = Note("N1", "episode:E1", Severity.P0, Topic.ANNOUNCED, None, "it acts", "", NOW)

    def told(state: State) -> str:
        book.episodes["E1"] = standing(state)
        book.episodes["E1"].action = action
        return writer.letter([note]).body

    assert "Duration: at most" in told(State.ACTING)
    for state in (State.VERIFYING, State.CONTAINED):
        lasting = told(state)
        assert "Duration: until a person undoes it: slo-watchdog undo E1" in lasting
        assert "at most" not in lasting


async def test_what_it_costs_is_told_with_the_time_of_the_count(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, policy(sandbox)) as house:
        await house.clear()
        house.break_peg()
        ep = await house.reaches(State.CONTAINED)
        book = house.engine.book
        one = book.measures.episodes[ep.id]
        one.impact, one.impact_at, one.failing_since = ImpactMeasured(ep.id, 390.0), NOW, 1.0
        at = f"{NOW.utc:%H:%M:%SZ}"
        writer = house.engine.people.outbox.writer
        text = writer.announcement(ep.id, Topic.COMPLETE, "")
        assert f"Impact: 390 failed events as of {at}" in text.body
        shown = measure_view(house.engine, ep.id)
        assert shown is not None
        assert f"390 failed events as of {at}" in shown["told"]


async def test_nothing_is_let_go_to_whoever_cannot_be_told(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, replace(policy(sandbox), contacts=MUTE)) as house:
        await house.clear()
        house.break_peg()
        ep = await house.reaches(State.CONTAINED)
        with pytest.raises(OrderRefused, match="press cannot be told: no channel leads there"):
            house.orders.telling.announce(
                ALICE, ep.id, ("press",), which="", said="", seen=None, dry=True
            )
