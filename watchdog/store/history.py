"""Checkpoints of what can be measured again: windows, counters, clocks.

The law: losing this costs warm-up time, never a decision. So nothing here is fatal: a damaged
file is moved aside and begun anew, a save that fails is tried again in full by the next one, and
`problem` says meanwhile what is wrong. What is saved stands after a power cut as well: an older
one would let a clock go on that health had set back. Values are cut into pieces at fixed places and
a piece is written only when it has changed: of a window kept as a ring of buckets, one or two.

Safe to use from a worker thread: a save of many megabytes need not hold up the event loop.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)
from sqlalchemy.exc import DBAPIError

from watchdog.store import pieces, sqlite
from watchdog.store.folder import HISTORY
from watchdog.store.pieces import Change, Digests
from watchdog.store.sqlite import Trouble

VERSION = 1

_metadata = MetaData()
_keys = Table(
    "checkpoints",
    _metadata,
    Column("key", String(512), primary_key=True),
    Column("pieces", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # over the pieces' digests, in order
)
_pieces = Table(
    "pieces",
    _metadata,
    Column("key", String(512), primary_key=True),
    Column("piece", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)


class SqliteHistory:
    """`ports.History`. `notices` are to be logged once; `problem` is empty while saving works."""

    def __init__(self, state_dir: Path) -> None:
        """What `open` does."""
        self._path = state_dir / HISTORY
        self._mutex = threading.Lock()
        self._known: dict[str, Digests] = {}  # what is on the disk, as far as we wrote or read it
        self._open: sqlite.Opened | None = None
        self.notices: list[str] = []
        self.problem = ""
        with self._troubled():
            self._connect()

    @classmethod
    def open(cls, state_dir: Path) -> Self:
        """Always succeeds; where the file cannot be used, `problem` says why."""
        return cls(state_dir)

    def save(self, items: Mapping[str, bytes]) -> bool:
        """Write what has changed, all or nothing, and say whether it stands. See `problem`."""
        with self._mutex, self._troubled():
            connection = self._connect()
            news = {}
            for key, value in items.items():
                digests = pieces.digests_of(value)
                if digests != self._known.get(key):
                    news[key] = digests
            if news:
                with connection.begin():
                    for key, digests in news.items():
                        changed = pieces.change(items[key], self._known.get(key), digests)
                        _write(connection, key, changed)
            self._known.update(news)
            self.problem = ""
        return not self.problem

    def load(self) -> Mapping[str, bytes]:
        """What was saved last; a value that is not whole is left out, with a notice."""
        found: dict[str, bytes] = {}
        with self._mutex, self._troubled():
            connection = self._connect()
            with connection.begin():
                found = self._read(connection)
        return found

    def drop(self, keys: Iterable[str]) -> None:
        """Forget these. Never raises: see `problem`."""
        gone = [{"k": key} for key in keys]
        if not gone:
            return
        with self._mutex, self._troubled():
            connection = self._connect()
            with connection.begin():
                for table in (_keys, _pieces):
                    connection.execute(delete(table).where(table.c.key == bindparam("k")), gone)
            for key in gone:
                self._known.pop(key["k"], None)

    def close(self) -> None:
        with self._mutex:
            self._disconnect()

    # -- inside ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _troubled(self) -> Iterator[None]:
        """Whatever goes wrong becomes `problem`; the next call starts from a fresh connection."""
        try:
            yield
        except DBAPIError as error:
            trouble = sqlite.trouble(error, self._path.parent)
            self.problem = f"{self._path}: {sqlite.said(error)}"
            self._disconnect()
            if trouble is Trouble.CORRUPT:
                self._move_aside(sqlite.said(error))
        except OSError as error:
            self.problem = f"{self._path}: {error.strerror or error}"
            self._disconnect()

    def _connect(self) -> Connection:
        if self._open is None:
            self._path.touch(mode=0o600)
            self._open = sqlite.open_writer(self._path, synchronous="FULL")
            connection = self._open[1]
            with connection.begin():
                version = sqlite.commits(connection)
                if version == 0:
                    _metadata.create_all(connection)
                    sqlite.count_commit(connection, VERSION)
            if version not in {0, VERSION}:
                self._disconnect()
                self._move_aside(f"it has version {version}, this program writes {VERSION}")
                return self._connect()
        return self._open[1]

    def _disconnect(self) -> None:
        self._known.clear()
        if self._open is not None:
            opened, self._open = self._open, None
            with contextlib.suppress(DBAPIError):
                sqlite.close(*opened)

    def _read(self, connection: Connection) -> dict[str, bytes]:
        values: dict[str, list[bytes]] = {}
        query = select(_pieces.c.key, _pieces.c.body).order_by(_pieces.c.key, _pieces.c.piece)
        for key, body in connection.execute(query):
            values.setdefault(key, []).append(body)
        whole = {}
        for key, count, digest in connection.execute(
            select(_keys.c.key, _keys.c.pieces, _keys.c.digest)
        ):
            found = pieces.joined(values.get(key, []), count, digest)
            if found is None:
                self.notices.append(f"{self._path}: {key} is not whole; its window warms up again")
                continue
            whole[key], self._known[key] = found
        return whole

    def _move_aside(self, why: str) -> None:
        aside = self._path.with_name(f"{HISTORY}.damaged")
        with contextlib.suppress(OSError):
            self._path.replace(aside)
            self._path.with_name(f"{HISTORY}-journal").unlink(missing_ok=True)
        self.notices.append(
            f"{self._path}: {why}. It was moved to {aside.name} and begun anew: windows warm up "
            "again, which delays detection and decides nothing."
        )


def _write(connection: Connection, key: str, changed: Change) -> None:
    """Replace the pieces that differ; all of them where it is not known what stands there."""
    connection.execute(delete(_keys).where(_keys.c.key == key))
    connection.execute(insert(_keys).values(key=key, pieces=changed.count, digest=changed.digest))
    mine = delete(_pieces).where(_pieces.c.key == key)
    connection.execute(mine.where(_pieces.c.piece >= (0 if changed.anew else changed.count)))
    if not changed.pieces:
        return
    if not changed.anew:
        gone = [{"p": number} for number, _ in changed.pieces]
        connection.execute(mine.where(_pieces.c.piece == bindparam("p")), gone)
    connection.execute(
        insert(_pieces),
        [{"key": key, "piece": number, "body": body} for number, body in changed.pieces],
    )
