"""What people were told about an episode, and what became of each message: one list.

Law: every entry by which somebody is told passes here, so that whatever comes to be recorded of
messages has one place to be listed in.
"""

from __future__ import annotations

from watchdog.core import entries as e
from watchdog.core.words import Instant
from watchdog.lab.incident.values import Message


def is_about(entry: e.Entry, episode: str, rule: str, *, is_open: bool) -> bool:
    """Whether the entry tells people of the episode, or of its rule while it is open."""
    if not isinstance(entry, e.Paged):
        return False
    if entry.key == f"episode:{episode}":
        return True
    return is_open and bool(rule) and entry.key.startswith(f"rule:{rule}:")


def take(messages: list[Message], entry: e.Entry, at: Instant) -> None:
    """Add what is told, or what became of it."""
    match entry:
        case e.Paged():
            messages.append(
                Message(
                    at=at,
                    severity=entry.severity.value,
                    urgency=entry.urgency.value if entry.urgency is not None else "",
                    title=entry.title,
                    body=entry.body,
                    silenced=entry.silenced,
                )
            )
        case _:
            pass
