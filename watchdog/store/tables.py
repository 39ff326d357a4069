"""The journal's tables through SQLAlchemy: what SQLite's writer and its readers share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from sqlalchemy import Connection, insert, select

from watchdog.core.words import Instant
from watchdog.ports import JournalTooNew
from watchdog.store import schema
from watchdog.store.chain import BATCH_ROWS, sound_base
from watchdog.store.schema import Base, Link, Row
from watchdog.store.trouble import Place


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


def read_about(connection: Connection, place: Place) -> str:
    """The journal's identity. Raises JournalTooNew or JournalCorrupt."""
    table = schema.about
    row = connection.execute(select(table.c.schema_version, table.c.identity)).one_or_none()
    if row is None:
        raise place.corrupt("it does not say what it is")
    if row.schema_version > schema.SCHEMA_VERSION:
        raise JournalTooNew(
            f"{place} has schema version {row.schema_version}, and this program knows up to "
            f"{schema.SCHEMA_VERSION}. Install the slo-watchdog that wrote it, or a newer one."
        )
    return str(row.identity)


def read_base(connection: Connection, place: Place, identity: str) -> Base:
    """What the first row follows. Raises JournalCorrupt."""
    row = connection.execute(select(schema.base)).one_or_none()
    if row is None:
        return sound_base(None, identity, place)
    if None in tuple(row):  # a page that was damaged reads as anything, also as nothing
        raise place.corrupt("its base is damaged")
    at = Instant(row.wall, row.steady)
    return sound_base(Base(row.seq, row.hash, at, row.snapshot, row.digest), identity, place)


def write_row(row: Row) -> dict[str, object]:
    return asdict(row)


def fetch(connection: Connection, after: int, at_most: int) -> list[Row]:
    table = schema.entries
    query = select(table).where(table.c.seq > after).order_by(table.c.seq).limit(at_most)
    return [Row(*values) for values in connection.execute(query)]


def every(connection: Connection, after: int) -> Iterator[Row]:
    """All rows above `after`, in order, some at a time."""
    table = schema.entries
    query = select(table).where(table.c.seq > after).order_by(table.c.seq)
    for values in connection.execution_options(yield_per=BATCH_ROWS).execute(query):
        yield Row(*values)
