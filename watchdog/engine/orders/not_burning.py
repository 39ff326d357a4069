"""What helps an episode that `act` cannot: it lifts the gate `burning`, and no other."""

from __future__ import annotations

from shlex import quote

from watchdog.core.aftermath import by_hand
from watchdog.core.standing import Episode
from watchdog.core.states import State

_NOT_BY_HAND = frozenset({"environment", "ready", "anchor", "target"})
"""Gates that refuse a person's own rollback as well."""


def not_burning(ep: Episode, reason: str) -> str:
    """Why it is not let to act, what refuses it by now (`reason`), and the command that helps."""
    said = f"{ep.id} is {ep.state.value}, not held as already burning: {reason}"
    return f"{said}. {_helps(ep, reason)}"


def _helps(ep: Episode, reason: str) -> str:  # noqa: PLR0911  # one a state
    order = f"By your own decision: {by_hand(ep.action or 'ACTION')}"
    match ep.state:
        case State.HELD:
            return _held(ep, reason.partition(":")[0], order)
        case State.PENDING:
            return f"The gates are asked once it has lasted. {order}"
        case State.AWAITING:
            return f"People are asked: slo-watchdog approve {ep.id} --reason WHY"
        case State.SHADOWED:
            return f"It only tells what it would do. {order}"
        case State.LATCHED:
            return f"Look, then: slo-watchdog close {ep.id} --reason WHY. {order}"
        case State.OK:
            return "It is over"
    return f"It has acted. The way forward: slo-watchdog recover {ep.id}"


def _held(ep: Episode, gate: str, order: str) -> str:
    """The gate that refuses is asked again at every pass, so what ends by itself needs nobody."""
    if gate == "deploy":
        return f"It goes on when the deploy is over: slo-watchdog deploy status. {order}"
    if gate == "hold":
        return f"It goes on when that is over: slo-watchdog status. {order} --through-hold"
    if gate == "mode":
        return f"It may not act by itself: slo-watchdog evidence {quote(ep.rule)}. {order}"
    if gate in _NOT_BY_HAND:
        return f"That refuses a rollback by hand, too. What it wants: slo-watchdog plan {ep.id}"
    return f"It goes on once {gate} lets it. {order}"
