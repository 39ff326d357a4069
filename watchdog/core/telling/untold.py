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
from watchdog.core.telling.notes import Fate, Note, NoteTold, StepKnown
from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.words import Instant

KEPT_SECONDS = 86_400.0
"""A page of yesterday is history: nobody is told of it any more."""

MOST_WAITING = 1000


@dataclass(slots=True)
class Notes:
    """`waiting` in their order. `last` is when people were last told about an episode."""

    waiting: dict[str, Note] = field(default_factory=dict)
    first: dict[str, Instant] = field(default_factory=dict)  # episode -> since when it needs people
    last: dict[str, Instant] = field(default_factory=dict)  # episode -> the newest note
    steps: dict[str, tuple[tuple[StepKnown, Instant], ...]] = field(default_factory=dict)
    """Of an episode, the steps that were taken, and when."""

    def take(self, entry: e.Entry, at: Instant) -> None:
        match entry:
            case e.Paged(note=str(name)) if name:
                self._raised(entry, at)
            case e.NoteTold():
                self._told(entry)
            case e.Escalated():
                self.steps[entry.episode] = (*self.steps.get(entry.episode, ()), (entry.what, at))
            case e.EpisodeMoved(after=State.OK):
                self._ended(entry.episode)
            case _:
                pass

    def of_line(self, line: str) -> Iterator[Note]:
        return (note for note in self.waiting.values() if line not in note.done)

    def overdue(self, now: Instant) -> tuple[str, ...]:
        """Those that wait for too long; of too many, the least severe, and of these the oldest."""
        mildest = sorted(self.waiting, key=lambda n: self.waiting[n].severity, reverse=True)
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
        self.waiting[note.id] = note
        if note.episode and note.topic is not Topic.RESOLVED:
            self.last[note.episode] = at
            if note.urgency is not Urgency.NEWS:
                self.first.setdefault(note.episode, at)

    def _told(self, entry: NoteTold) -> None:
        for name in entry.notes:
            note = self.waiting.get(name)
            if note is None:
                continue
            if not entry.line or name in entry.over:
                del self.waiting[name]
            elif entry.line not in note.done:
                told = note.told or entry.fate is Fate.SENT
                missed = (entry.line,) if entry.fate is Fate.GIVEN_UP else ()
                self.waiting[name] = replace(
                    note,
                    done=(*note.done, entry.line),
                    told=told,
                    missed=(*note.missed, *missed),
                )

    def _ended(self, episode: str) -> None:
        """Nobody needs to be told again of an episode that is over."""
        for about in (self.first, self.last, self.steps):
            about.pop(episode, None)
