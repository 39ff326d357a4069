"""Retires old journal entries: the book they led to stands for them from then on.

The book at the cut is folded anew from the journal, so that the snapshot is what a start-up
would have believed there, and not what is believed now.
"""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from watchdog.core.book import Book
from watchdog.core.words import Instant
from watchdog.ports import FIRST_EPOCH, Journal

_BOOK: TypeAdapter[Book] = TypeAdapter(Book)

KEEP_AT_LEAST = 1000
"""Entries that are kept however old they are, so that a quiet journal still tells its story."""


def fold(journal: Journal, *, upto_seq: int | None = None) -> tuple[Book, int]:
    """The book after the last entry, or after `upto_seq`, and that entry's number."""
    base = journal.base()
    book = Book() if base is None else _BOOK.validate_json(base[2])
    seq = 0 if base is None else base[0]
    for one in journal.read(seq):
        if upto_seq is not None and one.seq > upto_seq:
            break
        book.apply(one.entry, one.at)
        seq = one.seq
    return book, seq


def snapshot(book: Book) -> bytes:
    """The book as bytes; `fold` reads them again, each number as it was.

    As in the journal, NaN and the infinities are written as the words NaN, Infinity and -Infinity:
    a verdict may rest on them, and pydantic's own JSON would say null.
    """
    plain = _BOOK.dump_python(book, mode="json")
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()


def retire(
    journal: Journal, now: Instant, *, keep_seconds: float, last_seq: int, epoch: int = FIRST_EPOCH
) -> int:
    """Retire what is older than `keep_seconds`. Returns the last retired number, or 0.

    Age is by the steady clock, so that a wall clock set forward retires nothing.
    """
    base = journal.base()
    cut = 0
    for one in journal.read(base[0] if base else 0):
        if now.steady - one.at.steady <= keep_seconds or one.seq > last_seq - KEEP_AT_LEAST:
            break
        cut = one.seq
    if cut:
        book, _ = fold(journal, upto_seq=cut)
        journal.prune(cut, snapshot(book), now, epoch=epoch)
    return cut
