"""What an incident record holds, as it was found in the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from watchdog.core.entries import (
    Decided,
    EpisodeOpened,
    FollowUpAdded,
    FollowUpClosed,
    ImpactTold,
    IntentEnded,
    IntentOpened,
    Started,
    StepTaken,
)
from watchdog.core.measures import Measure
from watchdog.core.standing import Claim
from watchdog.core.states import State
from watchdog.core.verified import Run
from watchdog.core.words import Instant, Verdict


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened; `actor` where a person or a pipeline did it."""

    at: Instant
    what: str
    text: str
    actor: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Ruled:
    at: Instant
    entry: Decided


@dataclass(frozen=True, slots=True)
class Message:
    """What people were told, and what became of it."""

    at: Instant
    severity: str
    urgency: str
    title: str
    body: str
    silenced: bool
    note: str = ""
    to: tuple[str, ...] = ()
    by: str = ""  # the person who announced it
    fates: tuple[str, ...] = ()


@dataclass(slots=True)
class Change:
    """One change of a target, from its intent to its end; `written` is the action's text."""

    at: Instant
    entry: IntentOpened
    written: str = ""
    steps: list[tuple[Instant, StepTaken]] = field(default_factory=list)
    ended_at: Instant | None = None
    ended: IntentEnded | None = None


@dataclass(slots=True)
class Task:
    """A follow-up of it."""

    entry: FollowUpAdded
    closed: FollowUpClosed | None = None
    closed_at: Instant | None = None


@dataclass(slots=True)
class Gathered:
    """All that the record has of one episode."""

    episode: str
    rule: str = ""
    opened: tuple[Instant, EpisodeOpened] | None = None  # None: retired, with what came before
    started: Started | None = None  # the daemon that led when it opened
    state: State = State.OK
    reason: str = ""
    moments: list[Moment] = field(default_factory=list)
    moves: list[tuple[Instant, State]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    costs: list[tuple[Instant, float]] = field(default_factory=list)  # failed events up to then
    blind: list[tuple[Instant, Instant | None]] = field(default_factory=list)
    rulings: list[Ruled] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    impacts: list[tuple[Instant, ImpactTold]] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    verifications: list[Run] = field(default_factory=list)
    claims: tuple[Claim, ...] = ()  # that stand at the record's end
    mark: str = ""
    acked_by: str = ""
    measure: Measure | None = None
    ended: Instant | None = None
    last: Instant | None = None  # the record's end
    zone: ZoneInfo | None = None  # in which the policy's people are told times, at the record's end
    retired: int = 0  # so many entries are gone from its beginning
