"""The notes that people are still to be told: folded from the journal's entries, as the book is.

The law: a page is on the record before anybody is told of it, and it waits here until the record
says of every line that it was told, or given up. Each line takes its notes in their order. What
waits is bounded by age and by number, and what is dropped for that is said on the record, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.states import State
from watchdog.core.telling.notes import CALLS, Fate, Note, NoteTold, StepKnown, blindness_of
from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.words import Instant, Severity

KEPT_SECONDS = 86_400.0
"""A page of yesterday is history: nobody is told of it any more."""

MOST_WAITING = 1000


@dataclass(slots=True)
class Notes:
    """`waiting` in their order. A matter is an episode, or blindness."""

    waiting: dict[str, Note] = field(default_factory=dict)
    first: dict[str, Instant] = field(default_factory=dict)  # matter -> since when people know
    needed: dict[str, Instant] = field(default_factory=dict)  # matter -> since when it needs them
    last: dict[str, Instant] = field(default_factory=dict)  # matter -> when they were told last
    steps: dict[str, tuple[tuple[StepKnown, Instant], ...]] = field(default_factory=dict)
    """Of a matter, the steps that were taken, and when."""
    ended: tuple[str, tuple[tuple[StepKnown, Instant], ...]] = ("", ())
    """The same of the matter that ended last: the page of its end follows at once."""
    kept_back: set[str] = field(default_factory=set)
    """Episodes of which there was a page, the newest, that nobody was told."""

    def take(self, entry: e.Entry, at: Instant) -> None:
        match entry:
            case e.Paged(topic=Topic.RESOLVED, key=key) if key.startswith(CALLS):
                self._ended(key)
                if entry.note:
                    self._raised(entry, at)
            case e.Paged(note=str(name)) if name:
                self._raised(entry, at)
            case e.Paged(topic=topic, key=key) if topic is not Topic.RESOLVED:
                self._kept_back(key)
            case e.NoteTold():
                self._told(entry, at)
            case e.Escalated():
                taken = self.steps.get(entry.matter, ())
                self.steps[entry.matter] = (*taken, (entry.what, at))
            case e.EpisodeMoved(after=State.OK):
                self._ended(entry.episode)
            case e.BlindEnded():
                self._ended(blindness_of(entry.rule))
            case e.MemberRetired():
                self._ended(blindness_of(entry.member))
            case _:
                pass

    def of_line(self, line: str) -> Iterator[Note]:
        return (note for note in self.waiting.values() if line not in note.done)

    def overdue(self, now: Instant) -> tuple[str, ...]:
        """Those that wait for too long; of too many, the least severe, of these what is blind
        before what burns, and of these the oldest.
        """

        def mild(name: str) -> tuple[Severity, bool]:
            return self.waiting[name].severity, self.waiting[name].is_of_blindness

        mildest = sorted(self.waiting, key=mild, reverse=True)
        many = mildest[: max(0, len(mildest) - MOST_WAITING)]
        old = [n for n, note in self.waiting.items() if now.steady - note.at.steady > KEPT_SECONDS]
        return tuple(dict.fromkeys([*many, *old]))

    def _raised(self, page: e.Paged, at: Instant) -> None:
        note = Note(
            page.note,
            page.key,
            page.severity,
            page.topic,
            page.urgency,
            page.title,
            page.body,
            at,
            page.to,
            page.by,
        )
        matter, (ended, called) = note.matter, self.ended
        if note.topic is Topic.RESOLVED and ended == matter:
            note = replace(note, called=called)
        self.waiting[note.id] = note
        self.kept_back.discard(matter)
        if matter and note.topic is not Topic.RESOLVED:
            self.last[matter] = at
            if note.urgency is not Urgency.NEWS:
                self.first.setdefault(matter, at)
                if note.topic is not Topic.ANNOUNCED:  # that a rollback begins needs nobody
                    self.needed.setdefault(matter, at)

    def _kept_back(self, key: str) -> None:
        kind, _, name = key.partition(":")
        if kind == "episode":
            self.kept_back.add(name)

    def _told(self, entry: NoteTold, at: Instant) -> None:
        for name in entry.notes:
            note = self.waiting.get(name)
            if note is None:
                continue
            if not entry.line or name in entry.over:
                del self.waiting[name]
            elif entry.line not in note.done:
                told = note.told or entry.fate is Fate.SENT
                note = replace(note, done=(*note.done, entry.line), told=told)
                if entry.fate is Fate.GIVEN_UP:
                    note = replace(note, missed=(*note.missed, entry.line), handed_on=at)
                self.waiting[name] = note

    def _ended(self, matter: str) -> None:
        """Nobody needs to be called again about what is over."""
        self.ended = matter, self.steps.get(matter, ())
        for about in (self.first, self.needed, self.last, self.steps):
            about.pop(matter, None)
        self.kept_back.discard(matter)
