"""The port by which people are told. What comes of it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """Of what a message is about, for services that keep it open until it is told to be over."""

    OPENED = "opened"
    UPDATED = "updated"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is told. The same `identity` again is the same letter, whatever it says by then."""

    identity: str
    key: str  # what it is about: one for all letters about one episode
    phase: Phase
    urgent: bool
    subject: str  # one line
    body: str
    data: str = ""  # the notes in it as JSON, for programs


class Delivered(StrEnum):
    SENT = "sent"  # the service took it
    NOT_SENT = "not_sent"  # or nobody knows; worth another try
    REFUSED = "refused"  # by its own word; another try is for later


@dataclass(frozen=True, slots=True)
class Delivery:
    result: Delivered
    reason: str = ""
    retry_after_seconds: float | None = None


class Notifier(Protocol):
    """One channel."""

    async def send(self, letter: Letter, to: str, *, deadline_seconds: float) -> Delivery:
        """Tell whoever is at `to`, or the channel's own. Never raises."""
        ...
