"""Channels by which others tell us something, and what an `event` rule makes of what they told.

A channel is a source that nobody polls for numbers: a sender posts to us, and is believed by its
token or by its signature. What it told is an event: a fact with an identity and labels. It is in
the journal before the sender hears that we have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from watchdog.core.alertmanager import MARKER
from watchdog.core.promql.regex import Pattern

EVENT = "event"
"""The one thing that a channel's rules ask of it, where others ask expressions."""

LABEL_NAME = r"[a-zA-Z_][a-zA-Z0-9_]{0,99}"
EVENT_ID = r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}"

Labels = tuple[tuple[str, str], ...]
"""Sorted (name, value) pairs, as the sender gave them."""


@dataclass(frozen=True, slots=True)
class Channel:
    """`kind` says how a sender proves itself: `token` for Alertmanager, `hmac` for all others; and
    `deploys` for a pipeline that signs as those do, and tells of its deploys alone; `answers` for
    what brings people's acks and holds back, and nothing else.

    `credential` names the text that holds the key, or two of them while they are rotated.
    """

    kind: Literal["token", "hmac", "deploys", "answers"]
    credential: str
    targets: tuple[str, ...] = ()  # of `deploys`: what it may deploy; empty: all


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label's condition, with PromQL's meaning: a label that is not there is empty."""

    label: str
    op: str  # one of = != =~ !~
    value: str

    def matches(self, labels: Labels) -> bool:
        found = next((value for name, value in labels if name == self.label), "")
        if self.op in {"=", "!="}:
            return (found == self.value) == (self.op == "=")
        return _pattern(self.value).matches(found) == (self.op == "=~")

    @property
    def text(self) -> str:
        return f'{self.label}{self.op}"{self.value}"'


@dataclass(frozen=True, slots=True)
class EventSignal:
    """A rule's signal: breached while a matching event stands that it has not dealt with yet."""

    channel: str
    matchers: tuple[Matcher, ...]
    lasts_seconds: float  # how long an event stands that nobody repeats and nobody resolves

    @property
    def expr(self) -> str:
        """What its source is asked."""
        return EVENT

    @property
    def about(self) -> str:
        """`security{severity="critical"}`."""
        return f"{self.channel}{{{', '.join(one.text for one in self.matchers)}}}"

    def matches(self, labels: Labels) -> bool:
        """Never an alert of our own that comes back to us: an episode would feed itself."""
        return MARKER not in labels and all(one.matches(labels) for one in self.matchers)


class EventStatus(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class EventReceived:
    """A sender told us of an event: that it began, goes on, or is over. Times are wall clock.

    `began` and `ended` are the sender's own; where it gives none, `began` is when we heard.
    """

    channel: str
    id: str  # the sender's id, or Alertmanager's fingerprint
    status: EventStatus
    began: float
    ended: float | None = None
    labels: Labels = ()
    summary: str = ""
    kind: Literal["event.received"] = "event.received"


@lru_cache(maxsize=1024)
def _pattern(text: str) -> Pattern:
    """Raises ParseFault or Unsupported, which the load of a policy has told before."""
    return Pattern(text)
