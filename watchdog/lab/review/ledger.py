"""What a report counts, gathered in one pass over the journal.

The book is folded on the way; of each episode its measure is kept for good, which the book lets go
of after some hundred others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from watchdog.core import entries as e
from watchdog.core.book import Book
from watchdog.core.lessons import FollowUp
from watchdog.core.measures import Measure
from watchdog.core.spans import Span
from watchdog.core.urgency import Urgency
from watchdog.core.words import Direction, Instant, World
from watchdog.lab.papers.zone import zone_of


@dataclass(slots=True)
class Case:
    """One episode. `mark` is what people said that it was, "" where nobody did."""

    measure: Measure
    owner: str = ""
    mark: str = ""


@dataclass(slots=True)
class Ledger:
    """Read freely; filled by `read_ledger`."""

    cases: dict[str, Case] = field(default_factory=dict)
    by_whom: dict[str, str] = field(default_factory=dict)  # intent -> whose word it was
    undone: list[Instant] = field(default_factory=list)
    would_act: list[Instant] = field(default_factory=list)  # in shadow
    impacts: list[tuple[Instant, e.ImpactTold]] = field(default_factory=list)
    follow_ups: dict[str, FollowUp] = field(default_factory=dict)
    blind: dict[str, list[Span]] = field(default_factory=dict)  # rule -> when
    blind_since: dict[str, float] = field(default_factory=dict)
    unwatched: list[Span] = field(default_factory=list)
    paused: dict[str, list[Span]] = field(default_factory=dict)  # target -> when
    paused_since: dict[str, float] = field(default_factory=dict)
    drills: dict[str, e.DrillEnded] = field(default_factory=dict)  # by their names
    missed: list[tuple[Instant, e.DrillMissed]] = field(default_factory=list)
    calls: list[Instant] = field(default_factory=list)  # urgent pages, to the team too
    environment: str = ""
    first: Instant | None = None
    last: Instant | None = None
    retired: int = 0
    zone: ZoneInfo | None = None  # in which the policy's people are told times


def read_ledger(entries: Iterable[e.Recorded], base: tuple[int, Book] | None = None) -> Ledger:
    """All that is on record. Takes the base's book over."""
    retired, book = base if base is not None else (0, Book())
    reader = _Reader(book, Ledger(retired=retired))
    for one in entries:
        reader.take(one)
    reader.ledger.zone = zone_of(book)
    return reader.ledger


class _Reader:
    def __init__(self, book: Book, ledger: Ledger) -> None:
        self._book = book
        self.ledger = ledger
        for name, measure in book.measures.episodes.items():
            ep = book.episodes.get(name)
            ledger.cases[name] = Case(measure, ep.owner if ep else "", ep.mark if ep else "")
        ledger.follow_ups.update(book.lessons.follow_ups)
        kept = book.drills
        for known in (kept.last, kept.good, kept.of_action, kept.good_of_action):
            ledger.drills.update({one.drill: one for one in known.values()})
        ledger.paused = {name: list(spans.kept) for name, spans in book.measures.paused.items()}
        ledger.paused_since = dict(book.measures.paused_since)
        ledger.blind_since = {rule: one.since.steady for rule, one in book.blind.items()}
        ledger.last = book.last
        ledger.environment = book.started.environment if book.started is not None else ""

    def take(self, one: e.Recorded) -> None:
        entry, at, ledger = one.entry, one.at, self.ledger
        self._book.apply(entry, at)
        ledger.first, ledger.last = ledger.first or at, at
        self._of_episodes(entry, at)
        self._of_people(entry, at)
        self._of_sight(entry, at)
        self._of_targets()

    def _of_episodes(self, entry: e.Entry, at: Instant) -> None:
        ledger = self.ledger
        match entry:
            case e.EpisodeOpened():
                measure = self._book.measures.episodes[entry.episode]
                ledger.cases[entry.episode] = Case(measure, entry.owner)
            case e.IntentOpened(direction=Direction.DO):
                approved = bool(entry.approved_by)
                by = "approved" if approved else "person" if entry.actor else "itself"
                ledger.by_whom[entry.intent] = by
            case e.IntentEnded(direction=Direction.UNDO, outcome=e.Outcome.DONE):
                ledger.undone.append(at)
            case e.Decided(ruling=e.Ruling.WOULD_ACT, world=World.SHADOW):
                ledger.would_act.append(at)
            case e.Marked() if entry.episode in ledger.cases:
                ledger.cases[entry.episode].mark = entry.mark
            case _:
                pass

    def _of_people(self, entry: e.Entry, at: Instant) -> None:
        ledger = self.ledger
        match entry:
            case e.ImpactTold():
                ledger.impacts.append((at, entry))
            case e.FollowUpAdded() | e.FollowUpClosed():
                ledger.follow_ups.update(self._book.lessons.follow_ups)
            case e.DrillEnded():
                ledger.drills[entry.drill] = entry
            case e.DrillMissed():
                ledger.missed.append((at, entry))
            case e.Paged(urgency=Urgency.NOW, silenced=False):
                ledger.calls.append(at)
            case _:
                pass

    def _of_sight(self, entry: e.Entry, at: Instant) -> None:
        """Who was blind, and when nobody watched."""
        ledger = self.ledger
        match entry:
            case e.Started():
                ledger.environment = entry.environment
                self._unseen(at, entry.down_seconds)
            case e.Slept():
                self._unseen(at, entry.seconds)
            case e.BlindBegan() | e.BlindEnded() | e.MemberRetired():
                now = {rule: one.since.steady for rule, one in self._book.blind.items()}
                for rule in ledger.blind_since.keys() - now.keys():
                    since = ledger.blind_since[rule]
                    ledger.blind.setdefault(rule, []).append((since, max(since, at.steady)))
                ledger.blind_since = now
            case _:
                pass

    def _unseen(self, at: Instant, seconds: float) -> None:
        if seconds > 0:
            self.ledger.unwatched.append((at.steady - seconds, at.steady))

    def _of_targets(self) -> None:
        """A stretch that ended is the newest of those that the measures keep."""
        ledger, now = self.ledger, self._book.measures.paused_since
        if now == ledger.paused_since:
            return
        for target in ledger.paused_since.keys() - now.keys():
            kept = self._book.measures.paused.get(target)
            if kept is not None and kept.kept:
                span = ledger.paused_since[target], kept.kept[-1][1]
                ledger.paused.setdefault(target, []).append(span)
        ledger.paused_since = dict(now)
