"""The one way into the journal: drafts are made, appended whole, and only then told to others.

A draft changes the book at once and the journal a moment later. Between the two nothing acts:
the listeners (runner, log, metrics) hear of an entry only when it is durable. When the disk is
full, or a shared store does not answer, the entries wait here, in order, and every commit tries
them again: what cannot be recorded is not done. Who does not lead drafts nothing that counts.

What somebody orders is recorded first and believed after (`order`): where it cannot be, whoever
ordered it is told so and nothing of it is left, save what may stand on the record already.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from watchdog.core.book import Book
from watchdog.core.draft import Draft, Onlooker
from watchdog.core.entries import Decided, Entry, Recorded
from watchdog.core.words import Instant
from watchdog.ports import (
    FIRST_EPOCH,
    Clock,
    Journal,
    JournalDeposed,
    JournalFull,
    JournalLost,
)

KEPT_DECISIONS = 1000
"""Decisions kept at hand for people; the journal keeps them all."""

Listener = Callable[[Recorded], None]


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Why something is not on the record; `in_doubt` where it may be there all the same."""

    reason: str
    in_doubt: bool = False


class Recorder:
    """Owns the journal and the book's only writer."""

    def __init__(self, journal: Journal, book: Book, clock: Clock) -> None:
        self.book = book
        self.clock = clock
        self.stuck = ""  # why nothing can be recorded now
        self.stuck_since: Instant | None = None
        self.last_seq = 0
        self.epoch = FIRST_EPOCH  # under which this process writes, while it leads
        self.leads: Callable[[], bool] = lambda: True
        self.on_deposed: Callable[[], None] = lambda: None
        self._journal = journal
        self._waiting: deque[tuple[Instant, list[Entry]]] = deque()
        self._listeners: list[Listener] = []
        self._onlookers: list[Listener] = []
        self.decisions: deque[Recorded] = deque(maxlen=KEPT_DECISIONS)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def overhear(self, listener: Listener) -> None:
        """Tell of every entry on the record, whoever wrote it: for those who only show."""
        self._onlookers.append(listener)

    def draft(self) -> Draft:
        """Of who leads; one that changes nothing where another does."""
        kind = Draft if self.leads() else Onlooker
        return kind(self.book, self.clock.now())

    def commit(self, draft: Draft) -> bool:
        """Append the draft's entries, after those that still wait. True when all are durable.

        Raises JournalError, except what is waited out: JournalFull, JournalLost and, until it is
        known who leads, JournalDeposed. Of who looks on nothing is ever durable.
        """
        if not draft.decides:
            return False
        if draft.entries:
            self._waiting.append((draft.now, draft.entries))
            draft.entries = []
        return self.flush()

    def record(self, entries: Sequence[Entry], at: Instant) -> bool:
        """Append first, and believe it after: where there is no room this leaves no trace at all.

        For what somebody else tells us and will tell again. Raises as `commit` does.
        """
        return self.append_first(entries, at) is None

    def wish(self) -> Draft:
        """What somebody orders, on a copy of the book: nobody believes it before `order`."""
        return Draft(copy.deepcopy(self.book), self.clock.now())

    def order(self, wish: Draft) -> Unrecorded | None:
        """Record what was ordered, and believe it after. None when it is durable.

        What is in doubt is believed, and tried again with all that waits, until it is known. Of
        anything else that is not durable nothing is left. Raises as `commit` does.
        """
        assert wish.book is not self.book, "from `wish`"  # noqa: S101  # assertions stay on
        missed = self.append_first(wish.entries, wish.now)
        if missed is not None and missed.in_doubt:
            for entry in wish.entries:
                self.book.apply(entry, wish.now)
            self._waiting.append((wish.now, wish.entries))
            self.stuck, self.stuck_since = missed.reason, wish.now
        return missed

    def append_first(self, entries: Sequence[Entry], at: Instant) -> Unrecorded | None:
        """Append, and believe what is durable. Raises as `commit` does."""
        if not self.leads():
            return Unrecorded("this daemon does not lead")
        if not self.flush():
            return Unrecorded(self.stuck or "it is not known who leads")
        try:
            recorded = self._journal.append(entries, at, epoch=self.epoch)
        except (JournalFull, JournalLost) as error:
            return Unrecorded(str(error), isinstance(error, JournalLost) and error.sent)
        except JournalDeposed as error:
            self.on_deposed()
            return Unrecorded(str(error))
        self._take_in_before(recorded)
        for one in recorded:
            self.book.apply(one.entry, one.at)
        self._tell(recorded)
        return None

    def flush(self) -> bool:
        """Try to write what waits. True when nothing waits any more."""
        while self._waiting:
            if not self.leads():
                return False  # it is tried, or given up, when it is known who leads
            at, entries = self._waiting[0]
            try:
                recorded = self._journal.append(entries, at, epoch=self.epoch)
            except (JournalFull, JournalLost, JournalDeposed) as error:
                self.stuck = str(error)
                self.stuck_since = self.stuck_since or at
                if isinstance(error, JournalDeposed):
                    self.on_deposed()
                return False
            self._waiting.popleft()
            self.stuck, self.stuck_since = "", None
            self._take_in_before(recorded)
            self._tell(recorded)
        return True

    @property
    def waits(self) -> bool:
        """Whether the book believes what is not on the record."""
        return bool(self._waiting)

    def begin_anew(self, book: Book, last_seq: int) -> None:
        """Believe what is on the record, and give up what waits: another has led since."""
        for at, entries in self._waiting:
            given_up = [f"{type(one).__name__}{_by(one)}" for one in entries]
            structlog.get_logger().error(
                "record.given_up",
                ordered_at=at.utc.isoformat(),
                entries=given_up,
                reason="another daemon led before it could be recorded, if it is not there already",
            )
        self._waiting.clear()
        self.stuck, self.stuck_since = "", None
        self.book.become(book)
        self.last_seq = last_seq

    def take_in(self, one: Recorded) -> None:
        """What another wrote, or what of ours was written without our hearing of it."""
        self.book.apply(one.entry, one.at)
        self._note(one)

    def _take_in_before(self, recorded: Sequence[Recorded]) -> None:
        """An append whose answer was lost may stand before this one."""
        missed = recorded[0].seq - self.last_seq - 1 if recorded else 0
        if missed > 0:
            for one in list(self._journal.read(self.last_seq, missed)):
                self.take_in(one)

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
        for onlooker in self._onlookers:
            onlooker(one)

    def close(self) -> None:
        self._journal.close()


def _by(entry: Entry) -> str:
    """Who ordered it, where a person did."""
    actor = str(getattr(entry, "actor", ""))
    return f" by {actor}" if actor else ""
