"""Whether a page needs somebody now, by what led to it.

A rollback that works tells people several times, and needs nobody: the watchdog did what they
would have done, and says what it read back. All else is as urgent as its severity.
"""

from __future__ import annotations

from watchdog.core import entries as e
from watchdog.core.states import State
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
        case e.EpisodeMoved(after=State.CONTAINED | State.WATCHED) if (
            key == f"episode:{cause.episode}"
        ):
            return Urgency.NEWS
        case e.IntentEnded() if cause.outcome in _BACK and key == f"episode:{cause.episode}":
            return Urgency.NEWS
    return Urgency.NOW if severity in _AT_ONCE else Urgency.SOON
