"""The episode table: every state a rule's trouble can be in, and every way out.

Nothing else decides transitions. A pair missing here is a bug and raises.
Only ALLOWED, APPROVED and a person's COMMANDED lead into ACTING; only a person leaves LATCHED;
BLIND never moves anything. Between two actions of one episode stands a proven failure of the
first (CLIMB), never something unknown. The diagram in the documentation is drawn from this table.
"""

from __future__ import annotations

from types import MappingProxyType

from watchdog.core.states import Event, State


class NoSuchMove(LookupError):
    """An event reached a state in which it has no meaning: a bug, never an operator's mistake."""


_MOVES: dict[tuple[State, Event], State] = {
    (State.OK, Event.BREACHED): State.PENDING,
    (State.OK, Event.COMMANDED): State.ACTING,
    (State.OK, Event.NEEDS_APPROVAL): State.AWAITING,  # a person's, which others must approve
    (State.PENDING, Event.HEALTHY): State.OK,
    (State.PENDING, Event.ALLOWED): State.ACTING,
    (State.PENDING, Event.REFUSED): State.HELD,
    (State.PENDING, Event.NEEDS_APPROVAL): State.AWAITING,
    (State.PENDING, Event.WOULD_ACT): State.SHADOWED,
    (State.SHADOWED, Event.HEALTHY): State.OK,
    (State.SHADOWED, Event.RECOVERED): State.CONTAINED,  # a lower rung was no shadow
    (State.SHADOWED, Event.UNDONE): State.WATCHED,
    (State.HELD, Event.HEALTHY): State.OK,
    (State.HELD, Event.RECOVERED): State.CONTAINED,
    (State.HELD, Event.ALLOWED): State.ACTING,
    (State.HELD, Event.NEEDS_APPROVAL): State.AWAITING,
    (State.HELD, Event.WOULD_ACT): State.SHADOWED,
    (State.HELD, Event.UNDONE): State.WATCHED,
    (State.AWAITING, Event.APPROVED): State.ACTING,
    (State.AWAITING, Event.REFUSED): State.HELD,  # a gate closed while people were asked
    (State.AWAITING, Event.DENIED): State.LATCHED,
    (State.AWAITING, Event.EXPIRED): State.LATCHED,
    (State.AWAITING, Event.HEALTHY): State.OK,
    (State.AWAITING, Event.RECOVERED): State.CONTAINED,
    (State.AWAITING, Event.UNDONE): State.WATCHED,
    (State.ACTING, Event.DESIRED): State.VERIFYING,
    (State.ACTING, Event.CLIMB): State.HELD,  # on the next rung, whose gates are asked at once
    (State.ACTING, Event.EXHAUSTED): State.LATCHED,
    (State.ACTING, Event.UNREADABLE): State.LATCHED,
    (State.ACTING, Event.ABANDONED): State.HELD,
    (State.VERIFYING, Event.CONTAINED): State.CONTAINED,
    (State.VERIFYING, Event.CLIMB): State.HELD,
    (State.VERIFYING, Event.EXHAUSTED): State.LATCHED,
    (State.VERIFYING, Event.UNREADABLE): State.LATCHED,
    (State.VERIFYING, Event.UNDONE): State.WATCHED,
    (State.CONTAINED, Event.UNDONE): State.WATCHED,
    (State.CONTAINED, Event.SPENT): State.OK,
    (State.WATCHED, Event.QUIET): State.OK,
    (State.WATCHED, Event.FRESH_BREACH): State.OK,
    (State.WATCHED, Event.EXHAUSTED): State.LATCHED,  # reopened too often
    (State.LATCHED, Event.UNDONE): State.LATCHED,  # what was rolled back is undone; still latched
    (State.LATCHED, Event.CLOSED): State.OK,
    #
    # A person closes what no rule can end any more, because the rule was removed, and what nothing
    # can undo any more, because the action was.
    (State.PENDING, Event.CLOSED): State.OK,
    (State.HELD, Event.CLOSED): State.OK,
    (State.AWAITING, Event.CLOSED): State.OK,
    (State.SHADOWED, Event.CLOSED): State.OK,
    (State.VERIFYING, Event.CLOSED): State.OK,
    (State.CONTAINED, Event.CLOSED): State.OK,
    (State.WATCHED, Event.CLOSED): State.OK,
}

_STAYS: dict[Event, tuple[State, ...]] = {
    Event.BLIND: tuple(State),
    Event.BREACHED: tuple(s for s in State if s is not State.OK),
    Event.HEALTHY: (
        State.OK,
        State.ACTING,
        State.VERIFYING,
        State.CONTAINED,
        State.WATCHED,
        State.LATCHED,
    ),
    Event.REFUSED: (State.HELD,),
}

TABLE = MappingProxyType(
    _MOVES | {(state, event): state for event, states in _STAYS.items() for state in states}
)
"""(state, event) -> state. Moves that stay where they are change nothing and are not recorded."""

OPEN = frozenset(State) - {State.OK}
"""States of an episode that is not over."""

RISING = frozenset({State.PENDING, State.HELD, State.AWAITING, State.SHADOWED})
"""States that end by themselves when the rule is healthy again."""


def move(state: State, event: Event) -> State:
    """The state that `event` leads to from `state`. Raises NoSuchMove for a missing pair."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise NoSuchMove(f"{event.name} has no meaning in {state.name}") from None
