"""The one way into the journal: drafts are made, appended whole, and only then told to others.

A draft changes the book at once and the journal a moment later. Between the two nothing acts:
the listeners (runner, log, metrics) hear of an entry only when it is durable. When the disk is
full the entries wait here, in order, and every commit tries them again: what cannot be recorded
is not done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from watchdog.core.book import Book
from watchdog.core.draft import Draft
from watchdog.core.entries import Decided, Entry, Recorded
from watchdog.core.words import Instant
from watchdog.ports import Clock, Journal, JournalFull

KEPT_DECISIONS = 1000
"""Decisions kept at hand for people; the journal keeps them all."""

Listener = Callable[[Recorded], None]


class Recorder:
    """Owns the journal and the book's only writer."""

    def __init__(self, journal: Journal, book: Book, clock: Clock) -> None:
        self.book = book
        self.clock = clock
        self.stuck = ""  # why nothing can be recorded now
        self.stuck_since: Instant | None = None
        self.last_seq = 0
        self._journal = journal
        self._waiting: deque[tuple[Instant, list[Entry]]] = deque()
        self._listeners: list[Listener] = []
        self.decisions: deque[Recorded] = deque(maxlen=KEPT_DECISIONS)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def draft(self) -> Draft:
        return Draft(self.book, self.clock.now())

    def commit(self, draft: Draft) -> bool:
        """Append the draft's entries, after those that still wait. True when all are durable.

        Raises JournalError, except JournalFull, which is waited out.
        """
        if draft.entries:
            self._waiting.append((draft.now, draft.entries))
            draft.entries = []
        return self.flush()

    def record(self, entries: Sequence[Entry], at: Instant) -> bool:
        """Append first, and believe it after: where there is no room this leaves no trace at all.

        For what somebody else tells us and will tell again. Raises as `commit` does.
        """
        if not self.flush():
            return False
        try:
            recorded = self._journal.append(entries, at)
        except JournalFull:
            return False
        for one in recorded:
            self.book.apply(one.entry, one.at)
        self._tell(recorded)
        return True

    def flush(self) -> bool:
        """Try to write what waits. True when nothing waits any more."""
        while self._waiting:
            at, entries = self._waiting[0]
            try:
                recorded = self._journal.append(entries, at)
            except JournalFull as full:
                self.stuck = str(full)
                self.stuck_since = self.stuck_since or at
                return False
            self._waiting.popleft()
            self.stuck, self.stuck_since = "", None
            self._tell(recorded)
        return True

    def _tell(self, recorded: Iterable[Recorded]) -> None:
        for one in recorded:
            self._note(one)
            for listener in self._listeners:
                listener(one)

    def remember(self, recorded: Iterable[Recorded]) -> None:
        """At the start: what the journal already holds, for those who ask for decisions."""
        for one in recorded:
            self._note(one)

    def _note(self, one: Recorded) -> None:
        self.last_seq = one.seq
        if isinstance(one.entry, Decided):
            self.decisions.append(one)

    def close(self) -> None:
        self._journal.close()
