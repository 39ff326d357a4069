"""Reading the journal's chain, for the one who writes it and for those who only look.

Nothing is handed out that was not checked: each row against its own hash and against the row
before it, the base against its digest, each body against what this program understands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection, insert, select

from watchdog.core.entries import Recorded
from watchdog.core.words import Instant
from watchdog.ports import JournalTooNew
from watchdog.store import schema
from watchdog.store.codec import UnknownEntry, decode
from watchdog.store.schema import Base, Link, Row
from watchdog.store.trouble import corrupt

BATCH_ROWS = 500

Fetch = Callable[[int, int], list[Row]]  # (after, at most) -> rows in order


def write_empty(connection: Connection, identity: str) -> Link:
    """The rows that every journal begins with; the caller has made the tables."""
    first = schema.genesis(identity)
    digest = schema.base_digest(0, first.hash, Instant(0.0, 0.0), b"")
    connection.execute(
        insert(schema.about).values(id=1, schema_version=schema.SCHEMA_VERSION, identity=identity)
    )
    connection.execute(
        insert(schema.base).values(
            id=1, seq=0, hash=first.hash, wall=0.0, steady=0.0, snapshot=b"", digest=digest
        )
    )
    return first


def read_about(connection: Connection, path: Path) -> str:
    """The journal's identity. Raises JournalTooNew or JournalCorrupt."""
    table = schema.about
    row = connection.execute(select(table.c.schema_version, table.c.identity)).one_or_none()
    if row is None:
        raise corrupt(path, "it does not say what it is")
    if row.schema_version > schema.SCHEMA_VERSION:
        raise JournalTooNew(
            f"{path} has schema version {row.schema_version}, and this program knows up to "
            f"{schema.SCHEMA_VERSION}. Install the slo-watchdog that wrote it, or a newer one."
        )
    return str(row.identity)


def read_base(connection: Connection, path: Path, identity: str) -> Base:
    """What the first row follows. Raises JournalCorrupt."""
    row = connection.execute(select(schema.base)).one_or_none()
    if row is None:
        raise corrupt(path, "its base is missing")
    at = Instant(row.wall, row.steady)
    if row.digest != schema.base_digest(row.seq, row.hash, at, row.snapshot):
        raise corrupt(path, f"its base at entry {row.seq} has been changed since it was written")
    if row.seq == 0 and row.hash != schema.genesis(identity).hash:
        raise corrupt(path, "its base belongs to another journal")
    return Base(row.seq, row.hash, at, row.snapshot, row.digest)


def write_row(row: Row) -> dict[str, object]:
    return asdict(row)


def fetch(connection: Connection, after: int, at_most: int) -> list[Row]:
    table = schema.entries
    query = select(table).where(table.c.seq > after).order_by(table.c.seq).limit(at_most)
    return [Row(*values) for values in connection.execute(query)]


def walk(
    fetch_rows: Fetch, start: Link, after: int, limit: int | None, path: Path
) -> Iterator[Row]:
    """Rows above `after` in order, in short reads, each checked. Raises JournalCorrupt."""
    link = start if after <= start.seq else None
    at, left = max(after, start.seq), limit
    while left is None or left > 0:
        wanted = BATCH_ROWS if left is None else min(left, BATCH_ROWS)
        rows = fetch_rows(at, wanted)
        for row in rows:
            what = schema.misfit(row, link or Link(at, row.prev_hash))
            if what:
                raise corrupt(path, what)
            link, at = row.link, row.seq
            yield row
        if len(rows) < wanted:
            return
        left = None if left is None else left - len(rows)


def verified_end(connection: Connection, base: Base, mark: Link | None, path: Path) -> Link:
    """The newest row, after checking every row and that the journal is not behind `mark`.

    Raises JournalCorrupt. Bodies are not decoded here: whoever folds them will do that.
    """
    end = Link(base.seq, base.hash)
    at_mark = end if mark is not None and mark.seq == end.seq else None
    table = schema.entries
    query = select(table).where(table.c.seq > base.seq).order_by(table.c.seq)
    for values in connection.execution_options(yield_per=BATCH_ROWS).execute(query):
        row = Row(*values)
        what = schema.misfit(row, end)
        if what:
            raise corrupt(path, what)
        end = row.link
        if mark is not None and mark.seq == end.seq:
            at_mark = end
    if mark is not None and mark.seq > end.seq:
        raise corrupt(
            path,
            f"it ends with entry {end.seq}, but entry {mark.seq} had been written: it was put back "
            f"from an old backup. To accept the loss, remove {path.with_suffix('.mark')}",
        )
    if at_mark is not None and at_mark != mark:
        raise corrupt(path, f"entry {at_mark.seq} is not the one that was written: another journal")
    return end


def recorded(row: Row, path: Path) -> Recorded:
    """The row as an entry. Raises JournalTooNew where a newer program wrote it."""
    try:
        entry = decode(row.body)
    except UnknownEntry as error:
        raise JournalTooNew(
            f"{path}: entry {row.seq} ({row.kind}) is not one that this program knows ({error}). "
            "Install the slo-watchdog that wrote it, or a newer one."
        ) from error
    if entry.kind != row.kind:
        raise corrupt(path, f"entry {row.seq} is filed as {row.kind} and says {entry.kind}")
    return Recorded(row.seq, row.at, entry, row.hash)
