"""What a page is about, and whether it needs somebody now, by what led to it.

A rollback that works tells people several times, and needs nobody: the watchdog did what they
would have done, and says what it read back. All else is as urgent as its severity.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core import entries as e
from watchdog.core.states import State
from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.words import Severity

_AT_ONCE = frozenset({Severity.P0, Severity.P1})
_BACK = frozenset({e.Outcome.DONE, e.Outcome.FOUND})


def urgency_of(key: str, severity: Severity, cause: e.Entry | None, *, silenced: bool) -> Urgency:
    """`key` is the page's; `cause` is what was recorded right before it, other pages aside."""
    match cause:
        case _ if silenced:
            return Urgency.NEWS
        case e.EpisodeMoved(after=State.VERIFYING) if key == f"episode:{cause.episode}":
            return Urgency.SOON
        case e.EpisodeMoved(after=State.CONTAINED | State.WATCHED | State.OK) if (
            key == f"episode:{cause.episode}"
        ):
            return Urgency.NEWS
        case e.IntentEnded() if cause.outcome in _BACK and key == f"episode:{cause.episode}":
            return Urgency.NEWS
    return Urgency.NOW if severity in _AT_ONCE else Urgency.SOON


@dataclass(frozen=True, slots=True)
class Whom:
    """For whom a page is, where not for the team, by which channels, and as which message."""

    to: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    topic: Topic | None = None
    urgency: Urgency | None = None


TEAM = Whom()

_MOVED = {
    State.HELD: Topic.OPENED,
    State.ACTING: Topic.ANNOUNCED,
    State.VERIFYING: Topic.ANNOUNCED,
    State.CONTAINED: Topic.COMPLETE,
    State.AWAITING: Topic.APPROVAL,
    State.OK: Topic.RESOLVED,
}


def topic_in(state: State) -> Topic:
    """Which message tells that an episode is in a state."""
    return _MOVED.get(state, Topic.UPDATE)


def topic_of(key: str, cause: e.Entry | None) -> Topic:
    """Which message it becomes; `key` and `cause` as above."""
    if key.endswith(":blind"):
        return Topic.BLIND
    if not key.startswith("episode:"):
        return Topic.NOTICE
    match cause:
        case e.EpisodeMoved() if key == f"episode:{cause.episode}":
            return topic_in(cause.after)
        case e.IntentOpened():
            return Topic.ANNOUNCED
        case e.ApprovalAsked():
            return Topic.APPROVAL
    return Topic.UPDATE
