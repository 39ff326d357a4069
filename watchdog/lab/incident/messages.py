"""What people were told about an episode, and what became of each message: one list.

Law: every entry by which somebody is told passes here, so that whatever comes to be recorded of
messages has one place to be listed in.
"""

from __future__ import annotations

from dataclasses import replace

from watchdog.core import entries as e
from watchdog.core.telling.notes import Fate
from watchdog.core.words import Instant
from watchdog.lab.incident.values import Message


def is_about(
    entry: e.Entry, episode: str, rule: str, messages: list[Message], *, is_open: bool
) -> bool:
    """Whether the entry tells people of the episode, or of its rule while it is open; or says what
    became of such a message.
    """
    match entry:
        case e.Paged():
            of_rule = is_open and bool(rule) and entry.key.startswith(f"rule:{rule}:")
            return of_rule or entry.key == f"episode:{episode}"
        case e.NoteTold():
            return any(one.note in entry.notes for one in messages if one.note)
        case e.Announced():
            return entry.episode == episode
        case _:
            return False


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
                    note=entry.note,
                    to=entry.to,
                )
            )
        case e.Announced():
            told = Message(at, "", entry.topic.value, entry.subject, entry.body, silenced=False)
            messages.append(replace(told, to=entry.audiences, by=entry.actor))
        case e.NoteTold():
            for place, one in enumerate(messages):
                if one.note in entry.notes:
                    messages[place] = replace(one, fates=(*one.fates, _fate(entry, at)))
        case _:
            pass


def _fate(entry: e.NoteTold, at: Instant) -> str:
    tries = f" after {entry.attempts} attempts" if entry.attempts > 1 else ""
    line = entry.line or "every line that was left"
    if not entry.line and entry.fate is Fate.SENT:
        return entry.reason  # it was told before, by the lines above
    why = f": {entry.reason}" if entry.reason else ""
    return f"{line}: {entry.fate.value} {at.utc:%H:%M:%S}Z{tries}{why}"
