"""Reading the journal's chain, for those who write it and for those who only look.

Nothing is handed out that was not checked: each row against its own hash and against the row
before it, the base against its digest, each body against what this program understands. The same
for every database: what fetches the rows is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from watchdog.core.entries import Entry, Recorded
from watchdog.core.words import Instant
from watchdog.ports import FIRST_EPOCH, JournalDeposed, JournalTooNew
from watchdog.store import schema
from watchdog.store.codec import UnknownEntry, decode, encode
from watchdog.store.schema import Base, Link, Row
from watchdog.store.trouble import Place

BATCH_ROWS = 500

Fetch = Callable[[int, int], list[Row]]  # (after, at most) -> rows in order
Batch = tuple[Instant, tuple[tuple[str, str], ...]]  # when, and kind and body of each


def batch_of(entries: Sequence[Entry], at: Instant) -> Batch:
    """What is to be appended, as text. Raises UnwritableEntry, or ValueError at no real time."""
    if not (math.isfinite(at.wall) and math.isfinite(at.steady)):
        raise ValueError(f"an entry needs a finite time, not {at}")
    return at, tuple((entry.kind, encode(entry)) for entry in entries)


def rows_after(end: Link, batch: Batch) -> tuple[Row, ...]:
    """The rows that a batch becomes when it follows `end`."""
    at, texts = batch
    rows: list[Row] = []
    for kind, body in texts:
        rows.append(schema.next_row(end, at, kind, body))
        end = rows[-1].link
    return tuple(rows)


def as_recorded(rows: Iterable[Row], entries: Iterable[Entry]) -> tuple[Recorded, ...]:
    return tuple(
        Recorded(row.seq, row.at, entry, row.hash) for row, entry in zip(rows, entries, strict=True)
    )


def only_epoch(epoch: int, place: Place) -> None:
    """For a store that one process holds alone. Raises JournalDeposed."""
    if epoch != FIRST_EPOCH:
        raise JournalDeposed(f"{place}: there is no epoch {epoch}: one process holds it alone")


def sound_base(base: Base | None, identity: str, place: Place) -> Base:
    """What the first row follows. Raises JournalCorrupt."""
    if base is None:
        raise place.corrupt("its base is missing")
    if base.digest != schema.base_digest(base.seq, base.hash, base.at, base.snapshot):
        raise place.corrupt(f"its base at entry {base.seq} has been changed since it was written")
    if base.seq == 0 and base.hash != schema.genesis(identity).hash:
        raise place.corrupt("its base belongs to another journal")
    return base


def stands_for(base: Base) -> tuple[int, str, bytes] | None:
    """As the port tells it: None while nothing has been retired."""
    return (base.seq, base.hash, base.snapshot) if base.seq else None


def walk(
    fetch_rows: Fetch, known: Sequence[Link], after: int, limit: int | None, place: Place
) -> Iterator[Row]:
    """Rows above `after` in order, in short reads, each checked. Raises JournalCorrupt.

    `known` are links that were checked before, the base's first: where one of them is what the
    first row has to follow, it is held to that.
    """
    at, left = max(after, known[0].seq), limit
    link = next((one for one in known if one.seq == at), None)
    while left is None or left > 0:
        wanted = BATCH_ROWS if left is None else min(left, BATCH_ROWS)
        rows = fetch_rows(at, wanted)
        for row in rows:
            what = schema.misfit(row, link or Link(at, row.prev_hash))
            if what:
                raise place.corrupt(what)
            link, at = row.link, row.seq
            yield row
        if len(rows) < wanted:
            return
        left = None if left is None else left - len(rows)


def verified_end(rows: Iterable[Row], base: Base, mark: Link | None, place: Place) -> Link:
    """The newest row, after checking every row and that the journal is not behind `mark`.

    `rows` are all above the base. Raises JournalCorrupt. Bodies are not decoded here: whoever
    folds them will do that.
    """
    end = Link(base.seq, base.hash)
    at_mark = end if mark is not None and mark.seq == end.seq else None
    for row in rows:
        what = schema.misfit(row, end)
        if what:
            raise place.corrupt(what)
        end = row.link
        if mark is not None and mark.seq == end.seq:
            at_mark = end
    if mark is not None and mark.seq > end.seq:
        raise place.corrupt(
            f"it ends with entry {end.seq}, but entry {mark.seq} had been written: it was put back "
            f"from an old backup. To accept the loss, {place.accept}"
        )
    if at_mark is not None and at_mark != mark:
        raise place.corrupt(f"entry {at_mark.seq} is not the one that was written: another journal")
    return end


def recorded(row: Row, place: Place) -> Recorded:
    """The row as an entry. Raises JournalTooNew where a newer program wrote it."""
    try:
        entry = decode(row.body)
    except UnknownEntry as error:
        raise JournalTooNew(
            f"{place}: entry {row.seq} ({row.kind}) is not one that this program knows ({error}). "
            "Install the slo-watchdog that wrote it, or a newer one."
        ) from error
    if entry.kind != row.kind:
        raise place.corrupt(f"entry {row.seq} is filed as {row.kind} and says {entry.kind}")
    return Recorded(row.seq, row.at, entry, row.hash)
