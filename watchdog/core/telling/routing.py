"""By which lines a note goes: from the names it is for to channels with an address on each.

Where a note names nobody, it is for the team; and where nobody whom it names can be told any more,
since the contacts were changed while it waited, it goes to the team as well. Who cannot be reached
by the channels that are asked for is told by the best one there is: a page that goes nowhere is
worse than one that is read late. A channel that fails keeps its notes, and the channel named beside
it is told of them as well; also of what it gave up, however soon that was.

That something is over is told to the team, and to whoever was called about it: by the last of their
addresses, which is the mildest, and by each that closes what it opened.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from watchdog.core.telling.contacts import (
    NEXT_ON_CALL,
    ON_CALL,
    TEAM,
    Channel,
    Contacts,
    Person,
    Told,
)
from watchdog.core.telling.notes import Note
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A channel with an address on it; channels that need none have none."""

    channel: str
    to: str = ""

    @property
    def name(self) -> str:
        return f"{self.channel} {self.to}".rstrip()

    @classmethod
    def of(cls, name: str) -> Line:
        channel, _, to = name.partition(" ")
        return cls(channel, to)


def lines_for(note: Note, contacts: Contacts, failing: Container[Line]) -> tuple[Line, ...]:
    """All lines of a note, each once; `failing` are those beside which others are told as well."""
    found: dict[Line, None] = {}
    named = note.to or (() if note.calls_off else (TEAM,))
    for told in map(Told, named):
        found.update(dict.fromkeys(_lines(told, note.by, contacts, note.at)))
    for (names, by, _), at in note.called:
        for told in map(Told, names):
            called = _lines(told, by, contacts, at)
            found.update((_mildest(line, contacts), None) for line in called)
    if not found:
        found.update(dict.fromkeys(_lines(Told(TEAM), (), contacts, note.at)))
    left = list(found)
    for line in left:  # also beside one that was asked for want of another
        beside = _beside(line, contacts) if line in failing or line.name in note.missed else None
        if beside is not None and beside not in found:
            found[beside] = None
            left.append(beside)
    return tuple(found)


def astray(note: Note, contacts: Contacts) -> str:
    """Why a note goes to the team instead of those whom it names; "" where it does not."""
    for name in note.to:
        if any(True for _ in _lines(Told(name), note.by, contacts, note.at)):
            return ""
    named = ", ".join(note.to)
    gone = "and the contacts lead to nobody of that name any more"
    return f"it was for {named}, {gone}" if named else ""


def names_of(told: tuple[Told, ...]) -> tuple[str, ...]:
    """As a note carries them: "chat", "mail ada@example.org", "ada"."""
    return tuple(f"{one.name} {one.to}".rstrip() for one in told)


def people_of(name: str, contacts: Contacts, now: Instant) -> tuple[Person, ...]:
    """Who is meant by the name of a person, of a role, or of who is on call."""
    if name in contacts.people:
        return (contacts.people[name],)
    if name in contacts.roles:
        return tuple(contacts.people[one] for one in contacts.roles[name].people)
    if name in {ON_CALL, NEXT_ON_CALL}:
        found = contacts.on_call.at(now, 0 if name == ON_CALL else 1)
        return (contacts.people[found],) if found in contacts.people else ()
    return ()


def _lines(told: Told, by: tuple[str, ...], contacts: Contacts, now: Instant) -> Iterator[Line]:
    name, _, to = told.name.partition(" ")
    audience = contacts.audiences.get(name)
    if audience is not None:
        for one in audience.to:
            yield from _lines(one, by, contacts, now)
    elif name in contacts.channels:
        yield Line(name, told.to or to or contacts.channels[name].to)
    else:
        for person in people_of(name, contacts, now):
            yield from _of_person(person, by, contacts)


def _of_person(person: Person, by: tuple[str, ...], contacts: Contacts) -> Iterator[Line]:
    reach = [(channel, to) for channel, to in person.reach if channel in contacts.channels]
    wanted = [one for one in reach if not by or one[0] in by] or reach[:1]
    return (Line(channel, to) for channel, to in wanted)


def _mildest(line: Line, contacts: Contacts) -> Line:
    """Where whoever was called on a line hears the end: nobody is rung up for good news."""
    if contacts.channels[line.channel].closes:
        return line
    for person in contacts.people.values():
        if (line.channel, line.to) in person.reach:
            return Line(*[one for one in person.reach if one[0] in contacts.channels][-1])
    return line


def _beside(line: Line, contacts: Contacts) -> Line | None:
    """Where the same people are told while a line fails."""
    channel: Channel | None = contacts.channels.get(line.channel)
    other = contacts.channels.get(channel.fallback) if channel is not None else None
    if other is None:
        return None
    for person in contacts.people.values():
        if (line.channel, line.to) in person.reach:
            return Line(other.name, dict(person.reach).get(other.name, other.to))
    return Line(other.name, other.to)
