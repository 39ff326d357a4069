"""Whether Alertmanager does what it is asked: on the record when that turns, paged when it lasts.

It decides nothing: what is known of silences is the gates' affair, and what was told is nobody's.
"""

from __future__ import annotations

from watchdog.core.alertmanager import AlertmanagerTurned, Matter
from watchdog.core.draft import Draft
from watchdog.core.words import Severity

GRACE_SECONDS = 1.0
"""How far an adapter may overrun its own deadline before it is cut off by the engine."""


def turned(draft: Draft, matter: Matter, *, answers: bool, reason: str) -> None:
    """Record when it begins, or ceases, to do what it is asked."""
    was = draft.book.outside.reached.get(matter)
    if was is None or was.answers is not answers:
        draft.add(AlertmanagerTurned(matter, answers, "" if answers else reason))


def page_when_long(
    draft: Draft, matter: Matter, after_seconds: float, title: str, body: str
) -> None:
    """Tell people, once, of what has failed for long."""
    reached = draft.book.outside.reached.get(matter)
    if reached is None or reached.answers or reached.paged:
        return
    if draft.now.steady - reached.since.steady >= after_seconds:
        title = f"{title}: {reached.reason}"
        draft.tell(f"alertmanager:{matter}", Severity.P2, title, body)
