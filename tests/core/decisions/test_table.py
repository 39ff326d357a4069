"""The episode table: what moves an episode, and what never does."""

import pytest

from tests.core.decisions.diagram import PAGE, with_drawing
from watchdog.core.episode import OPEN, RISING, TABLE, NoSuchMove, move
from watchdog.core.states import Event, State

PERSONS = {Event.CLOSED, Event.COMMANDED, Event.APPROVED, Event.DENIED, Event.UNDONE}
EVERY_PAIR = [(state, event) for state in State for event in Event]

# Written by hand, as DESIGN tells it, so that the table cannot be its own witness.
TOLD = """
ok          breached -> pending, commanded -> acting, needs_approval -> awaiting
pending     healthy -> ok, allowed -> acting, refused -> held, needs_approval -> awaiting
pending     would_act -> shadowed, closed -> ok
held        healthy -> ok, recovered -> contained, allowed -> acting, refused -> held
held        needs_approval -> awaiting, would_act -> shadowed, undone -> watched, closed -> ok
awaiting    approved -> acting, refused -> held, denied -> latched, expired -> latched
awaiting    healthy -> ok, recovered -> contained, undone -> watched, closed -> ok
shadowed    healthy -> ok, recovered -> contained, undone -> watched, closed -> ok
acting      desired -> verifying, climb -> held, exhausted -> latched, unreadable -> latched
acting      abandoned -> held
verifying   contained -> contained, climb -> held, exhausted -> latched, unreadable -> latched
verifying   undone -> watched, closed -> ok
contained   undone -> watched, spent -> ok, closed -> ok
watched     quiet -> ok, fresh_breach -> ok, exhausted -> latched, closed -> ok
latched     undone -> latched, closed -> ok
"""


def told() -> dict[tuple[State, Event], State]:
    moves = {}
    for line in TOLD.strip().splitlines():
        state, _, ways = line.partition(" ")
        for way in ways.split(","):
            event, _, after = way.strip().partition(" -> ")
            moves[State(state), Event(event)] = State(after)
    return moves


STAYING = {Event.BLIND, Event.BREACHED, Event.HEALTHY}


@pytest.mark.parametrize(("state", "event"), EVERY_PAIR)
def test_every_pair_moves_as_told_or_raises(state: State, event: Event) -> None:
    expected = told().get((state, event))
    if expected is not None:
        assert move(state, event) is expected
    elif event in STAYING:
        assert move(state, event) is state
    else:
        with pytest.raises(NoSuchMove, match=f"{event.name} has no meaning in {state.name}"):
            move(state, event)


def test_only_a_gate_an_approval_or_a_command_leads_into_acting() -> None:
    into = {event for (_, event), after in TABLE.items() if after is State.ACTING}
    assert into - STAYING == {Event.ALLOWED, Event.APPROVED, Event.COMMANDED}
    assert {s for (s, event), _ in TABLE.items() if event is Event.COMMANDED} == {State.OK}


def test_only_a_person_leaves_latched() -> None:
    out = {event for (state, event), after in TABLE.items() if state is State.LATCHED is not after}
    assert out == {Event.CLOSED}


def test_blind_never_moves_anything() -> None:
    assert {state: move(state, Event.BLIND) for state in State} == {state: state for state in State}


def test_between_two_actions_of_an_episode_stands_a_proven_failure_or_nothing_was_done() -> None:
    """Every way from ACTING back to where ALLOWED starts is a CLIMB, or was abandoned in time."""
    starts = {state for (state, event), _ in TABLE.items() if event is Event.ALLOWED}
    reached = {State.ACTING}
    by: set[Event] = set()
    for _ in State:
        for (state, event), after in TABLE.items():
            if state in reached and after not in {State.OK, state}:
                if after in starts:
                    by.add(event)
                else:
                    reached.add(after)
    assert by == {Event.CLIMB, Event.ABANDONED}


def test_every_open_state_has_a_way_to_its_end() -> None:
    ends = {State.OK}
    for _ in State:
        ends |= {state for (state, _), after in TABLE.items() if after in ends}
    assert ends == set(State)
    assert {State.OK} == set(State) - OPEN


def test_what_rises_ends_by_itself_when_healthy() -> None:
    assert {s for s in OPEN if move(s, Event.HEALTHY) is State.OK} == RISING


def test_the_documentations_drawing_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_drawing(page), "run: python -m tests.core.decisions.diagram"
