"""Who is told: channels, people, roles, audiences, and who is told next when nobody answers.

Plain values of one policy. What they mean for a note is in `routing.py`, and when somebody else
is told in `escalation.py`. Names are one space: a channel, a person, a role and an audience each
have their own, so that `tell: [NAME]` never has two meanings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from watchdog.core.asking import Endpoint
from watchdog.core.telling.status_pages import StatusPage
from watchdog.core.words import Instant, Severity

TEAM = "team"
"""The audience that is told of everything that people must know."""

ON_CALL = "on-call"
NEXT_ON_CALL = "next-on-call"


@dataclass(frozen=True, slots=True)
class AppriseUrl:
    """A service that Apprise knows, by the URL in the credential `secret`, or plainly in `url`.

    In either, {to} stands for who is told, {key} for what it is about, and {phase} for the word of
    `phases` for opened, updated or ended.
    """

    secret: str = ""
    url: str = ""
    phases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """A JSON document by POST; signed with the credential `hmac` where one is named."""

    endpoint: Endpoint
    hmac: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to tell people. `to` is who is told where nobody is named."""

    name: str
    how: AppriseUrl | Webhook
    to: str = ""
    deadline_seconds: float = 20.0  # total, of one message
    give_up_seconds: float = 21_600.0  # how long one note is tried
    fallback: str = ""  # the channel that is told as well while this one fails
    fallback_seconds: float = 30.0  # for how long it fails before that

    @property
    def closes(self) -> bool:
        """Whether it keeps matters apart, and is told the end of each: a program, or a pager."""
        return not isinstance(self.how, AppriseUrl) or bool(self.how.phases)


@dataclass(frozen=True, slots=True)
class Person:
    """`reach` are (channel, address), the first the best. `phone` is for people to call."""

    name: str
    title: str
    reach: tuple[tuple[str, str], ...]
    phone: str = ""
    outside: bool = False  # not of the company: provider, consultant, counsel
    note: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody is for: commander, technical lead, management, counsel."""

    name: str
    title: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is called first: in turns of `turn_seconds` from `since` on, or always the first."""

    people: tuple[str, ...] = ()
    turn_seconds: float | None = None
    since_wall: float = 0.0  # seconds since the epoch, when the first one's first turn began

    def at(self, now: Instant, next_by: int = 0) -> str:
        """Whose turn it is, or whose it is `next_by` places later; "" where nobody is named."""
        if not self.people:
            return ""
        turn = 0
        if self.turn_seconds is not None:
            turn = int((now.wall - self.since_wall) // self.turn_seconds)
        return self.people[(turn + next_by) % len(self.people)]


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody or some channel in a list of who is told; `to` only with a channel."""

    name: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Audience:
    """People who are told together. Who is outside is told only what a person has approved."""

    name: str
    to: tuple[Told, ...]
    outside: bool = False


class Unless(StrEnum):
    """What keeps a step of an escalation from being taken."""

    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Step:
    """`by` are the channels that are used for people, all of theirs where none is named."""

    after_seconds: float
    tell: tuple[Told, ...]
    by: tuple[str, ...] = ()
    unless: Unless = Unless.ACKNOWLEDGED


@dataclass(frozen=True, slots=True)
class Ladder:
    """Of one severity: who is told when, and how often those who know are told again."""

    severity: Severity
    steps: tuple[Step, ...] = ()
    update_seconds: float | None = None  # how often the team hears of what goes on


@dataclass(frozen=True, slots=True)
class Contacts:
    channels: dict[str, Channel]
    people: dict[str, Person] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    audiences: dict[str, Audience] = field(default_factory=dict)
    on_call: OnCall = OnCall()
    ladders: dict[Severity, Ladder] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    templates: tuple[tuple[str, str], ...] = ()  # (topic, text) in place of our own
    link: str = ""  # where people find our own pages, if they do
    status_pages: dict[str, StatusPage] = field(default_factory=dict)

    def ladder(self, severity: Severity) -> Ladder:
        return self.ladders.get(severity) or Ladder(severity)
