"""The open requests for approval, and what was said to each: folded from the journal's entries.

A request ends when its episode leaves AWAITING, by whatever way, and what was said to it ends with
it: an approval is never used twice, nor for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.approvals import ApprovalAsked, ApprovalGiven, Means
from watchdog.core.states import State
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True)
class Given:
    """One person's yes. Said again it is the newer one."""

    entry: ApprovalGiven
    at: Instant


@dataclass(frozen=True, slots=True)
class Request:
    asked: ApprovalAsked
    at: Instant
    given: tuple[Given, ...] = ()  # one for each person and means

    def is_over(self, now: Instant) -> bool:
        """By either clock: a wall clock that jumps ahead ends what was to end by it."""
        ends = self.asked.expires
        return now.steady >= ends.steady or now.wall >= ends.wall

    def counting(self, means: frozenset[Means]) -> tuple[Given, ...]:
        """One yes for each person whose word counts, in the order of the first."""
        found: dict[str, Given] = {}
        for one in self.given:
            if one.entry.means in means and one.entry.who != self.asked.requester:
                found[one.entry.who] = one
        return tuple(found.values())

    def missing(self, means: frozenset[Means]) -> int:
        return max(0, self.asked.needed - len(self.counting(means)))

    def with_(self, given: Given) -> Request:
        kept = tuple(
            one
            for one in self.given
            if (one.entry.who, one.entry.means) != (given.entry.who, given.entry.means)
        )
        return replace(self, given=(*kept, given))


@dataclass(slots=True)
class Requests:
    """By episode: each asks for one thing at a time."""

    open: dict[str, Request] = field(default_factory=dict)

    def take(self, entry: e.Entry, at: Instant) -> None:
        match entry:
            case ApprovalAsked():
                self.open[entry.episode] = Request(entry, at)
            case ApprovalGiven():
                self._given(entry, at)
            case e.EpisodeMoved() if entry.after is not State.AWAITING:
                self.open.pop(entry.episode, None)
            case _:
                pass

    def _given(self, entry: ApprovalGiven, at: Instant) -> None:
        found = self.open.get(entry.episode)
        if found is not None and found.asked.decision == entry.decision:
            self.open[entry.episode] = found.with_(Given(entry, at))
