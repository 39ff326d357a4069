"""Everything that is SQLite's alone: how it is opened, what its errors mean, its triggers.

One connection, and the rollback journal: the WAL of the version in Debian 12 can lose data with
more than one. `locking_mode=EXCLUSIVE` keeps the lock for the daemon's life, so that nobody's
`sqlite3` shell, left open in a transaction, can keep the watchdog from recording, and with it
from acting. It also saves two of five fsyncs a commit: the rollback journal stays and has its
header wiped instead of being deleted.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

BUSY_SECONDS = 2.0

HOT_MAGIC = bytes.fromhex("d9d505f920a163d7")  # opens a rollback journal that is in use
_COMMITS_AT = 60  # where the file keeps `user_version`, which we count commits with
_COMMITS_END = 64

# The only way out for a row is below the base, and the base only moves on to rows that exist.
TRIGGERS = (
    """CREATE TRIGGER entries_follow BEFORE INSERT ON entries
       WHEN NEW.seq <> 1 + COALESCE((SELECT MAX(seq) FROM entries), (SELECT seq FROM base))
       BEGIN SELECT RAISE(ABORT, 'an entry follows the one before it'); END""",
    """CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
       BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER entries_retire BEFORE DELETE ON entries
       WHEN OLD.seq > (SELECT seq FROM base)
       BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER base_moves_on BEFORE UPDATE ON base
       WHEN NEW.seq <= OLD.seq OR NOT EXISTS
            (SELECT 1 FROM entries WHERE seq = NEW.seq AND hash = NEW.hash)
       BEGIN SELECT RAISE(ABORT, 'the base moves on to an entry that stands'); END""",
    """CREATE TRIGGER base_stays BEFORE DELETE ON base
       BEGIN SELECT RAISE(ABORT, 'the base stays'); END""",
)


Opened = tuple[Engine, Connection]


class Trouble(StrEnum):
    """What an error of SQLite means for us."""

    FULL = "full"
    BUSY = "busy"
    READ_ONLY = "read-only"
    CORRUPT = "corrupt"
    REFUSED = "refused"  # a trigger or a constraint: what was asked would break a law
    BROKEN = "broken"  # an I/O error, or anything not foreseen: nothing can be relied on


_TROUBLES = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: Trouble.CORRUPT,
    sqlite3.SQLITE_NOTADB: Trouble.CORRUPT,
    sqlite3.SQLITE_CONSTRAINT: Trouble.REFUSED,
}


def trouble(error: DBAPIError, folder: Path) -> Trouble:
    """What `error` means; the file system is asked where SQLite only says "unable to open"."""
    code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_CANTOPEN:
        room = os.statvfs(folder)
        if room.f_flag & os.ST_RDONLY:
            return Trouble.READ_ONLY
        if room.f_bavail == 0 or (room.f_files and room.f_favail == 0):
            return Trouble.FULL
    return _TROUBLES.get(code, Trouble.BROKEN)


def said(error: DBAPIError) -> str:
    """SQLite's own words, with the name of the code: "disk I/O error (SQLITE_IOERR_FSYNC)"."""
    name = getattr(error.orig, "sqlite_errorname", "")
    return f"{error.orig} ({name})" if name else str(error.orig)


def open_writer(path: Path, *, synchronous: str) -> Opened:
    """The one connection that writes. Takes the file's lock at once and keeps it."""
    engine = _engine(f"file:{_quoted(path)}?mode=rw", "BEGIN IMMEDIATE")
    connection = engine.connect()
    try:
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "journal_mode = DELETE",
            f"synchronous = {synchronous}",
            "trusted_schema = OFF",
            "cell_size_check = ON",
        ):
            _outside_transaction(connection, f"PRAGMA {pragma}")
        _outside_transaction(connection, "BEGIN EXCLUSIVE")
        _outside_transaction(connection, "COMMIT")
    except BaseException:
        close(engine, connection)
        raise
    return engine, connection


def open_still(path: Path) -> Opened:
    """A connection that takes no lock and writes nothing, for a file that stands still."""
    engine = _engine(f"file:{_quoted(path)}?mode=ro&immutable=1", "BEGIN")
    return engine, engine.connect()


def open_copy(path: Path) -> Opened:
    """A connection to a private copy, which may roll a copied rollback journal back."""
    engine = _engine(f"file:{_quoted(path)}?mode=rw", "BEGIN")
    return engine, engine.connect()


def copy_into(connection: Connection, file: Path) -> None:
    """All that the connection sees, into a file of its own. Raises DBAPIError."""
    try:
        with contextlib.closing(sqlite3.connect(file)) as copy:
            connection.connection.driver_connection.backup(copy)  # type: ignore[union-attr]  # open
    except sqlite3.Error as error:
        raise DBAPIError("backup", None, error) from error


def close(engine: Engine, connection: Connection) -> None:
    connection.close()
    engine.dispose()


def damage(connection: Connection) -> str:
    """What SQLite's own check of the whole file finds wrong, or nothing."""
    found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    return "" if found == "ok" else str(found)


def commits(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def count_commit(connection: Connection, number: int) -> None:
    """Part of every transaction that writes, so that a reader without a lock sees it happen."""
    connection.exec_driver_sql(f"PRAGMA user_version = {number & 0x7FFFFFFF}")


def commits_on_disk(header: bytes) -> int | None:
    """The same number in the file's first bytes; None while the file is too short to have it."""
    if len(header) < _COMMITS_END:
        return None
    return int.from_bytes(header[_COMMITS_AT:_COMMITS_END], "big")


def _engine(uri: str, begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=StaticPool)

    def begin_for_real(connection: Connection) -> None:
        connection.exec_driver_sql(begin)  # the module's own would start too late, and deferred

    event.listen(engine, "begin", begin_for_real)
    return engine


def _outside_transaction(connection: Connection, statement: str) -> None:
    """Run what SQLite ignores or refuses inside a transaction; its result does not matter."""
    raw = connection.connection.cursor()
    try:
        raw.execute(statement)
        raw.fetchall()
    except sqlite3.Error as error:
        raise DBAPIError(statement, None, error) from error
    finally:
        raw.close()


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
