"""What happened in each episode, in order: kept beside the book, which knows only the present.

Filled from the journal's entries as they become durable, and once at the start for episodes that
were open then. As bounded as the book: what it forgets is forgotten here.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import singledispatch
from typing import Any

from watchdog.core import entries as e
from watchdog.core.words import Instant

Moment = dict[str, Any]

KEPT_EPISODES = 250
KEPT_MOMENTS = 200


class Timelines:
    """One list of moments an episode."""

    def __init__(self) -> None:
        self._moments: OrderedDict[str, list[Moment]] = OrderedDict()
        self._intents: dict[str, str] = {}  # open intent -> its episode

    def of(self, episode: str) -> list[Moment]:
        """Oldest first: at, what (a short word), text; `state` where it moved."""
        return list(self._moments.get(episode, ()))

    def heard(self, recorded: e.Recorded) -> None:
        """A recorder's listener."""
        entry, at = recorded.entry, recorded.at
        if isinstance(entry, e.Drifted):
            for episode in entry.episodes:
                self._add(
                    episode, at, "drift", f"somebody else changed {entry.target}: {entry.seen}"
                )
            return
        episode = self._episode_of(entry)
        told = _told(entry) if episode else None
        if told is not None:
            self._add(episode, at, *told)

    def _episode_of(self, entry: e.Entry) -> str:
        match entry:
            case e.IntentOpened():
                self._intents[entry.intent] = entry.episode
            case e.IntentEnded():
                self._intents.pop(entry.intent, None)
            case e.StepTaken():
                return self._intents.get(entry.intent, "")
            case _:
                pass
        return str(getattr(entry, "episode", ""))

    def _add(self, episode: str, at: Instant, what: str, text: str, state: str = "") -> None:
        moments = self._moments.setdefault(episode, [])
        moments.append({"at": _utc(at), "what": what, "text": text, "state": state})
        if len(moments) > KEPT_MOMENTS:
            del moments[1]  # how it began stays
        while len(self._moments) > KEPT_EPISODES:
            self._moments.popitem(last=False)


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
def _released(entry: e.ClaimReleased) -> Told:
    return "released", f"{entry.target}: {entry.reason}", ""


@_told.register
def _acked(entry: e.Acked) -> Told:
    return "acked", f"{entry.actor} is looking{_after_colon(entry.reason)}", ""


@_told.register
def _marked(entry: e.Marked) -> Told:
    return "marked", f"{entry.mark}, by {entry.actor}{_after_colon(entry.reason)}", ""


def _after_colon(text: str) -> str:
    return f": {text}" if text else ""


def _utc(at: Instant) -> str:
    return at.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
