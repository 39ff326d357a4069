"""What an episode waits for people to say: who said yes, how many are missing, until when."""

from __future__ import annotations

from watchdog.core.approvals import Means, means_for, request_id
from watchdog.core.book import Episode
from watchdog.engine.engine import Engine
from watchdog.engine.shapes import AwaitingShape
from watchdog.engine.verdict_view import utc


def awaiting_view(engine: Engine, ep: Episode) -> AwaitingShape | None:
    """None where nobody is asked."""
    request = engine.book.requests.open.get(ep.id)
    if request is None:
        return None
    asked, action = request.asked, engine.in_force().actions.get(request.asked.action)
    signed = action is not None and means_for(action) == {Means.SSH}
    counted = request.counting(means_for(action)) if action is not None else ()
    return {
        "action": asked.action,
        "decision": asked.decision,
        "plan": asked.plan,
        "anchor": asked.anchor or None,
        "requester": asked.requester,
        "needed": asked.needed,
        "missing": max(0, asked.needed - len(counted)),
        "asked": utc(request.at),
        "until": utc(asked.expires),
        "request": request_id(asked) if signed else None,
        "means": sorted(one.value for one in means_for(action)) if action is not None else [],
        "given": [
            {
                "who": one.entry.who,
                "actor": one.entry.actor,
                "means": one.entry.means.value,
                "at": utc(one.at),
                "reason": one.entry.reason,
                "through_hold": one.entry.through_hold,
            }
            for one in counted
        ],
    }


def missing_approvals(engine: Engine) -> dict[str, int]:
    """How many yeses each action waits for, over all requests."""
    found: dict[str, int] = {}
    for name in engine.book.requests.open:
        view = awaiting_view(engine, engine.book.episodes[name])
        if view is not None:
            found[view["action"]] = found.get(view["action"], 0) + view["missing"]
    return found
