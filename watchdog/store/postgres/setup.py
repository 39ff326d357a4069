"""Making the schema, or bringing an older one up to date: what `slo-watchdog init` does.

All in one transaction, under a lock of its own, so that two hosts may be told to at once, and an
init that is cut short leaves what was there before. It never touches a journal that is up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from watchdog.ports import JournalError
from watchdog.store.postgres import server
from watchdog.store.postgres.address import Address
from watchdog.store.postgres.line import Line, Session
from watchdog.store.schema import Base, Link, Row
from watchdog.store.trouble import Place

SETUP_SECONDS = 60.0
TAKE_SECONDS = 900.0
_LOCK = 0x510_D06  # any number, the same for every init


@dataclass(frozen=True, slots=True)
class Taken:
    """A journal that is to go on there: what stands for its retired entries, and all others."""

    identity: str
    base: Base
    rows: Iterable[Row]
    end: Link


def create(address: Address, taken: Taken | None = None) -> str:
    """What was done, in a sentence. Raises JournalError.

    With `taken`, the new journal is that one, entry by entry; a store that has one refuses it.
    """

    def prepare(session: Session) -> None:
        server.greet(session, address.place, writes=True)

    with Line(address, "init", prepare) as line:
        seconds = SETUP_SECONDS if taken is None else TAKE_SECONDS
        before = line.ask(lambda session: upgrade(session, address.place, taken), seconds)
    now = server.REVISIONS[-1]
    if before == now:
        return f"There is a journal on {address.place} already; nothing was changed there"
    if before is not None:
        return f"Brought the journal on {address.place} from schema {before} to {now}"
    return f"Created the journal on {address.place}"


def upgrade(
    session: Session, place: Place, taken: Taken | None = None, to: str = "head"
) -> str | None:
    """Take the steps up to `to`, or none; the step before. Raises JournalError, psycopg.Error."""
    config = Config()
    config.set_main_option("script_location", "watchdog.store.postgres:migrations")
    config.set_main_option("path_separator", "os")
    session.autocommit = False  # the transaction is SQLAlchemy's, which Alembic speaks through
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: session,
        poolclass=StaticPool,
        pool_reset_on_return=None,
    )
    try:
        with engine.begin() as connection:
            session.run("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            before = server.revision(session)
            if before is not None and before not in server.REVISIONS:
                server.check_schema(session, place)
            if before is not None and taken is not None:
                raise JournalError(f"{place} has a journal already; nothing was taken over into it")
            if before != server.REVISIONS[-1]:
                session.run(f"CREATE SCHEMA IF NOT EXISTS {server.SCHEMA}")
                config.attributes["connection"] = connection
                command.upgrade(config, to)
            if taken is not None:
                _take(session, taken, place)
            return before
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise error.orig from error
        raise


def _take(session: Session, taken: Taken, place: Place) -> None:
    """Fill the empty journal; the triggers hold every row to the one before it."""
    base = taken.base
    session.run("UPDATE slo_watchdog.about SET identity = %s", [taken.identity])
    session.run("UPDATE slo_watchdog.head SET seq = %s, hash = %s", [base.seq, base.hash])
    session.run("ALTER TABLE slo_watchdog.base DISABLE TRIGGER base_moves_on")
    session.run(
        "UPDATE slo_watchdog.base SET seq = %s, hash = %s, wall = %s, steady = %s, snapshot = %s, "
        "digest = %s",
        [base.seq, base.hash, base.at.wall, base.at.steady, base.snapshot, base.digest],
    )
    session.run("ALTER TABLE slo_watchdog.base ENABLE TRIGGER base_moves_on")
    with session.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO slo_watchdog.entries VALUES (%s, %s, %s, %s, %s, %s, %s)",
            map(astuple, taken.rows),
        )
    end = session.one("SELECT seq, hash FROM slo_watchdog.head")
    if end != (taken.end.seq, taken.end.hash):
        raise place.corrupt(f"what was taken over ends with {end}, not with {taken.end}")
