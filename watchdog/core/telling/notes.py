"""A note is a page on its way to people; here also what is recorded of that way.

A line is a channel with an address on it, as "mail ada@example.org". Told is recorded after
sending, so that a death between the two tells it again, under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.words import Instant, Severity


def blindness_of(rule: str) -> str:
    """The key of all that people are told of a rule's blindness."""
    return f"rule:{rule}:blind"


CALLS = "blind:"


def calls_for(severity: Severity) -> str:
    """The key by which people are called about the blindness of rules, all of one severity."""
    return f"{CALLS}{severity.value}"


StepKnown = tuple[tuple[str, ...], tuple[str, ...], str]
"""Whom a step tells, by which channels, and for want of what."""


class Fate(StrEnum):
    SENT = "sent"  # of a line "": on another line before, and no line is left
    GIVEN_UP = "given_up"  # tried for as long as the channel says
    DROPPED = "dropped"  # too old, too many, or nobody is to be told


@dataclass(frozen=True, slots=True)
class NoteTold:
    """What became of notes on one line; of a line "" for all that were left of them."""

    notes: tuple[str, ...]  # "N4"
    line: str  # "chat", "mail ada@example.org"
    fate: Fate
    reason: str = ""
    attempts: int = 0
    over: tuple[str, ...] = ()  # those of them that no other line is to be told
    kind: Literal["aside.note.told"] = "aside.note.told"


@dataclass(frozen=True, slots=True)
class Escalated:
    """A step of an escalation was due. The page that tells it follows."""

    episode: str
    step: int  # of its severity's steps as they were then, from 0
    tells: tuple[str, ...]
    reason: str
    by: tuple[str, ...] = ()
    unless: str = ""
    about: str = ""  # the key of its pages, where it is about no episode
    kind: Literal["aside.escalated"] = "aside.escalated"

    @property
    def matter(self) -> str:
        """What it is about, as `Note.matter` has it."""
        return self.episode or self.about

    @property
    def what(self) -> StepKnown:
        """What it is known by: `contacts.yaml` may number its steps anew in mid-episode."""
        return self.tells, self.by, self.unless


@dataclass(frozen=True, slots=True)
class Announced:
    """A person let this very text go to audiences outside. The page that tells it follows."""

    announcement: str  # "A2"
    episode: str
    topic: Topic
    audiences: tuple[str, ...]
    subject: str
    body: str
    actor: str
    kind: Literal["aside.announced"] = "aside.announced"


@dataclass(frozen=True, slots=True)
class Note:
    """A page on its way."""

    id: str
    key: str
    severity: Severity
    topic: Topic
    urgency: Urgency | None
    title: str
    body: str
    at: Instant
    to: tuple[str, ...] = ()  # whom it is for by name; nobody named is the team
    by: tuple[str, ...] = ()  # the channels that are used for people; none named is all
    done: tuple[str, ...] = ()  # the lines that need not be told any more
    told: bool = False  # by one of them at least
    missed: tuple[str, ...] = ()  # those of them that gave it up
    handed_on: Instant | None = None  # when the last of these did: the next has all its time
    called: tuple[tuple[StepKnown, Instant], ...] = ()  # of an end: the steps before, and when

    @property
    def episode(self) -> str:
        """The episode that it is about, or ""."""
        kind, _, name = self.key.partition(":")
        return name if kind == "episode" else ""

    @property
    def matter(self) -> str:
        """What people may be called about: an episode by its name, blindness by its key."""
        return self.episode or (self.key if self.is_of_blindness else "")

    @property
    def is_of_blindness(self) -> bool:
        return self.key.endswith(":blind") or self.key.startswith(CALLS)

    @property
    def calls_off(self) -> bool:
        """Only for whoever was called: the team was never told that anybody was."""
        return self.key.startswith(CALLS) and bool(self.called)

    def identity(self, environment: str) -> str:
        """One for each note that ever was, also after a record was restored from a backup."""
        return f"{environment}/{self.id}/{round(self.at.wall * 1000)}"
