"""What happened in each episode, in order: kept beside the book, which knows only the present.

Filled from the journal's entries, also with those of before the start (`chronicle.py`). As bounded
as the book: what it forgets is forgotten here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any, TypeVar

from watchdog.core import entries as e
from watchdog.core.verification import (
    VerificationBegan,
    VerificationChecked,
    told_began,
    told_checked,
)
from watchdog.core.words import Instant, Status, Verdict

Moment = dict[str, Any]
Message = dict[str, Any]

_Kept = TypeVar("_Kept")

KEPT_EPISODES = 250
KEPT_MOMENTS = 200
KEPT_NOTES = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers that stood beside an entry; `burns` by the seconds of their windows."""

    wall: float
    breached: bool
    value: float | None
    burns: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class _Story:
    moments: list[Moment] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)


class Timelines:
    """One story an episode."""

    def __init__(self) -> None:
        self._stories: OrderedDict[str, _Story] = OrderedDict()
        self._intents: dict[str, str] = {}  # open intent -> its episode
        self._notes: OrderedDict[str, Message] = OrderedDict()  # on their way to people

    def of(self, episode: str) -> list[Moment]:
        """Oldest first: at, what (a short word), text; `state` where it moved."""
        return list(self._story(episode).moments)

    def messages(self, episode: str) -> list[Message]:
        """What people were told, oldest first."""
        return list(self._story(episode).messages)

    def readings(self, episode: str) -> list[Reading]:
        """What the record holds of its signal: few, and for as long as the record is kept."""
        return list(self._story(episode).readings)

    def _story(self, episode: str) -> _Story:
        return self._stories.get(episode) or _Story()

    def heard(self, recorded: e.Recorded) -> None:
        """A recorder's listener."""
        entry, at = recorded.entry, recorded.at
        if isinstance(entry, e.Drifted):
            for episode in entry.episodes:
                self._add(
                    episode, at, "drift", f"somebody else changed {entry.target}: {entry.seen}"
                )
            return
        if isinstance(entry, e.NoteTold):
            self._told_of(entry, at)
            return
        episode = self._episode_of(entry)
        if not episode:
            return
        self._note_reading(episode, at, getattr(entry, "verdict", None))
        if isinstance(entry, e.Paged):
            self._note(self._opened(episode).messages, _message(entry, at))
        told = _told(entry)
        if told is not None:
            self._add(episode, at, *told)

    def _note(self, messages: list[Message], message: Message) -> None:
        _keep(messages, message)
        if message["note"]:
            self._notes[message["note"]] = message
            while len(self._notes) > KEPT_NOTES:
                self._notes.popitem(last=False)

    def _told_of(self, entry: e.NoteTold, at: Instant) -> None:
        """What became of messages on one line."""
        for note in entry.notes:
            message = self._notes.get(note)
            if message is not None:
                fate = {"at": _utc(at), "line": entry.line, "fate": entry.fate.value}
                message["fates"].append({**fate, "reason": entry.reason})

    def _note_reading(self, episode: str, at: Instant, verdict: Verdict | None) -> None:
        if verdict is None or verdict.status is Status.BLIND:
            return
        burns = {w.seconds: w.burn for w in verdict.evidence if w.burn is not None}
        breached = verdict.status is Status.BREACHED
        one = Reading(at.wall, breached, verdict.value, tuple(sorted(burns.items())))
        _keep(self._opened(episode).readings, one)

    def _episode_of(self, entry: e.Entry) -> str:
        match entry:
            case e.IntentOpened():
                self._intents[entry.intent] = entry.episode
            case e.IntentEnded():
                self._intents.pop(entry.intent, None)
            case e.StepTaken():
                return self._intents.get(entry.intent, "")
            case e.Paged():
                about, _, name = entry.key.partition(":")
                return name if about == "episode" else ""
            case _:
                pass
        return str(getattr(entry, "episode", ""))

    def _add(self, episode: str, at: Instant, what: str, text: str, state: str = "") -> None:
        moment = {"at": _utc(at), "what": what, "text": text, "state": state}
        _keep(self._opened(episode).moments, moment)

    def _opened(self, episode: str) -> _Story:
        story = self._stories.setdefault(episode, _Story())
        while len(self._stories) > KEPT_EPISODES:
            self._stories.popitem(last=False)
        return story


def _keep(many: list[_Kept], one: _Kept) -> None:
    many.append(one)
    if len(many) > KEPT_MOMENTS:
        del many[1]  # how it began stays


def _message(entry: e.Paged, at: Instant) -> Message:
    """`fates` are what became of it on each line; none where the record says nothing of that."""
    return {
        "at": _utc(at),
        "severity": entry.severity.value,
        "urgency": entry.urgency.value if entry.urgency is not None else "",
        "title": entry.title,
        "body": entry.body,
        "silenced": entry.silenced,
        "note": entry.note,
        "to": list(entry.to),
        "fates": [],
    }


Told = tuple[str, str, str]
"""What (a short word), text, and the state where it moved."""


@singledispatch
def _told(entry: e.Entry) -> Told | None:
    """What people want to see of an entry on a timeline; None: nothing."""
    del entry
    return None


@_told.register
def _moved(entry: e.EpisodeMoved) -> Told:
    by = f" (by {entry.actor})" if entry.actor else ""
    return "moved", f"{entry.reason}{by}", entry.after.value


@_told.register
def _barred(entry: e.EpisodeBarred) -> Told:
    return "barred", entry.reason, ""


@_told.register
def _unbarred(entry: e.EpisodeUnbarred) -> Told:
    return "unbarred", f"{entry.actor} lets it act: {entry.reason}", ""


@_told.register
def _asks(entry: e.ApprovalAsked) -> Told:
    people = "1 person" if entry.needed == 1 else f"{entry.needed} people"
    return "asked", f"{people} must approve {entry.action}", ""


@_told.register
def _approved(entry: e.ApprovalGiven) -> Told:
    return "approved", f"{entry.actor} approves {entry.action}: {entry.reason}", ""


@_told.register
def _decided(entry: e.Decided) -> Told:
    return "decided", f"{entry.decision} {entry.ruling.value}: {entry.reason}", ""


@_told.register
def _intent(entry: e.IntentOpened) -> Told:
    by = f" for {entry.actor}" if entry.actor else ""
    return "intent", f"{entry.intent}: {entry.direction.value} {entry.action}{by}", ""


@_told.register
def _step(entry: e.StepTaken) -> Told:
    return "step", f"{entry.step}: {entry.result}{_after_colon(entry.reason)}", ""


@_told.register
def _ended(entry: e.IntentEnded) -> Told:
    return "ended", f"{entry.intent} {entry.outcome.value}: {entry.reason}", ""


@_told.register
def _came_late(entry: e.CameLate) -> Told:
    return "late", f"{entry.intent} had been given up, and by now shows: {entry.seen}", ""


@_told.register
def _released(entry: e.ClaimReleased) -> Told:
    return "released", f"{entry.target}{_after_colon(entry.reason)}", ""


@_told.register
def _acked(entry: e.Acked) -> Told:
    return "acked", f"{entry.actor} is looking{_after_colon(entry.reason)}", ""


@_told.register
def _escalated(entry: e.Escalated) -> Told:
    return "escalated", f"step {entry.step + 1} tells {', '.join(entry.tells)}: {entry.reason}", ""


@_told.register
def _announced(entry: e.Announced) -> Told:
    to = ", ".join(entry.audiences)
    return "announced", f"{entry.actor} lets this go to {to}: {entry.subject}", ""


@_told.register
def _marked(entry: e.Marked) -> Told:
    return "marked", f"{entry.mark}, by {entry.actor}{_after_colon(entry.reason)}", ""


@_told.register
def _verified(entry: VerificationBegan) -> Told:
    return "verified", told_began(entry), ""


@_told.register
def _checked(entry: VerificationChecked) -> Told:
    return "checked", told_checked(entry), ""


def _after_colon(text: str) -> str:
    return f": {text}" if text else ""


def _utc(at: Instant) -> str:
    return at.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
