"""Making the schema, or bringing an older one up to date: what `slo-watchdog init` does.

All in one transaction, under a lock of its own, so that two hosts may be told to at once, and an
init that is cut short leaves what was there before. It never touches a journal that is up to date.
"""

from __future__ import annotations

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from watchdog.store.postgres import server
from watchdog.store.postgres.address import Address
from watchdog.store.postgres.line import Line, Session

SETUP_SECONDS = 60.0
_LOCK = 0x510_D06  # any number, the same for every init


def create(address: Address) -> str:
    """What was done, in a sentence. Raises JournalError."""

    def prepare(session: Session) -> None:
        server.greet(session, address.place, writes=True)

    with Line(address, "init", prepare) as line:
        return line.ask(lambda session: _brought_up(session, address), SETUP_SECONDS)


def upgrade(session: Session, to: str = "head") -> None:
    """Take the steps up to `to`, or none. Raises psycopg.Error."""
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
            session.run(f"CREATE SCHEMA IF NOT EXISTS {server.SCHEMA}")
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise error.orig from error
        raise


def _brought_up(session: Session, address: Address) -> str:
    place = address.place
    before = server.revision(session)
    if before == server.REVISIONS[-1]:
        return f"There is a journal on {place} already; nothing was changed there"
    if before is not None and before not in server.REVISIONS:
        server.check_schema(session, place)
    upgrade(session)
    if before is None:
        return f"Created the journal on {place}"
    return f"Brought the journal on {place} from schema {before} to {server.REVISIONS[-1]}"
