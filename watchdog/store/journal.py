"""The journal on SQLite: what is returned as recorded is on the disk, whole and in order.

Laws: an append is durable or has not happened; rows are gapless and each follows from the one
before; nothing is opened that does not verify. After a failed fsync nothing about the file is
certain any more, so this object refuses everything from then on and the process must end. When
the disk is full the reserve is given up and the append tried once more.

Decisions wait for the disk on purpose: an append is called from the event loop, is rare, and
takes a few milliseconds. A daemon that cannot record must not act.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from watchdog.core.entries import Entry, Recorded
from watchdog.core.words import Instant
from watchdog.ports import (
    FIRST_EPOCH,
    JournalBroken,
    JournalBusy,
    JournalError,
    JournalFull,
    JournalMoved,
)
from watchdog.store import chain, schema, sqlite, tables
from watchdog.store import folder as files
from watchdog.store.schema import Base, Link, Row
from watchdog.store.sqlite import Trouble
from watchdog.store.trouble import file_place, must_be_there, told


class SqliteJournal:
    """`ports.Journal` on one SQLite file in a state folder that it holds alone.

    `notices` are things that a person should hear of but that stop nothing: log them once.
    """

    def __init__(self, state_dir: Path, *, reserve_bytes: int = files.RESERVE_BYTES) -> None:
        """What `open` does."""
        self._folder = state_dir
        self._path = state_dir / files.JOURNAL
        self._place = file_place(self._path)
        self._mutex = threading.RLock()
        self._broken = ""
        self.notices: list[str] = []
        with contextlib.ExitStack() as undo, told(self._path):
            undo.callback(files.FolderLock(state_dir).release)
            must_be_there(self._path)
            engine, self._connection = sqlite.open_writer(self._path, synchronous="EXTRA")
            undo.callback(sqlite.close, engine, self._connection)
            self._marker = files.Marker.open(state_dir / files.MARKER)
            if self._marker is not None:
                undo.callback(self._marker.close)
            self._base, self._end = self._verify_at_open()
            if self._marker is None:
                self._marker = self._new_marker()
                undo.callback(self._marker.close)
            elif self._marker.read() != self._end:
                self._marker.write(self._end)  # the last process died between the two
            self._reserve = files.Reserve(state_dir, reserve_bytes)
            if not self._reserve.refill():
                self.notices.append(
                    f"{state_dir}: no room for the reserve of {reserve_bytes} bytes"
                )
            self._undo = undo.pop_all()

    @classmethod
    def create(cls, state_dir: Path, *, reserve_bytes: int = files.RESERVE_BYTES) -> None:
        """Make a new, empty journal. Raises JournalError where there is one already.

        The journal's own name appears last, when all the rest is durable: a creation that is cut
        short leaves nothing that looks like a journal, and may be tried again.
        """
        files.make_folder(state_dir)
        path, draft = state_dir / files.JOURNAL, state_dir / f"{files.JOURNAL}.new"
        with contextlib.ExitStack() as undo, told(path):
            undo.callback(files.FolderLock(state_dir).release)
            if path.exists():
                raise JournalError(
                    f"{path} exists already; nothing was changed. To begin anew, move the folder "
                    "away first: everything that the watchdog knows is in it."
                )
            for leftover in (draft, draft.with_name(f"{draft.name}-journal")):
                leftover.unlink(missing_ok=True)
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            first = _write_empty(draft)
            files.Marker.create(state_dir / files.MARKER, first)
            files.Reserve(state_dir, reserve_bytes).refill()
            draft.rename(path)
            files.sync_folder(state_dir)
            files.sync_folder(state_dir.parent)

    @classmethod
    def open(cls, state_dir: Path, *, reserve_bytes: int = files.RESERVE_BYTES) -> Self:
        """Hold the folder, verify the whole chain, be ready to append.

        Raises JournalMissing, JournalBusy, JournalCorrupt, JournalTooNew or JournalBroken.
        """
        return cls(state_dir, reserve_bytes=reserve_bytes)

    @property
    def last(self) -> Link:
        """The newest entry's number and hash."""
        return self._end

    @property
    def reserve_ready(self) -> bool:
        """Whether there is room kept back for the day the disk is full."""
        return self._reserve.ready

    def append(
        self,
        entries: Sequence[Entry],
        at: Instant,
        *,
        epoch: int = FIRST_EPOCH,
        after: int | None = None,
    ) -> tuple[Recorded, ...]:
        """Write all of them durably in one transaction, or none. Raises JournalError."""
        batch = chain.batch_of(entries, at)
        with self._mutex:
            chain.only_epoch(epoch, self._place)
            if after is not None and after != self._end.seq:
                raise JournalMoved(f"{self._path} ends with entry {self._end.seq}, not {after}")
            rows = chain.rows_after(self._end, batch)
            if not rows:
                return ()
            self._write(lambda connection: self._insert(connection, rows))
            self._end = rows[-1].link
            self._mark()
            return chain.as_recorded(rows, entries)

    def newest(self) -> int:
        """The newest entry's number."""
        return self._end.seq

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Recorded]:
        """Entries above `after` in order, each checked; what the base stands for is gone."""
        start = Link(self._base.seq, self._base.hash)
        for row in chain.walk(self._fetch, [start, self._end], after, limit, self._place):
            yield chain.recorded(row, self._place)

    def rows(self) -> tuple[Base, Iterator[Row]]:
        """What stands for the retired entries, and every row as it is stored, each checked."""
        base = self._base
        start = [Link(base.seq, base.hash)]
        return base, chain.walk(self._fetch, start, base.seq, None, self._place)

    def verify(self) -> int:
        """Check all of it: the file's pages, the chain, and that every entry can be understood.

        Returns the number of entries. Raises JournalCorrupt or JournalTooNew.
        """
        with self._mutex, told(self._path):
            self._usable()
            with self._connection.begin():
                found = sqlite.damage(self._connection)
        if found:
            raise self._place.corrupt(found)
        return sum(1 for _ in self.read())

    def base(self) -> tuple[int, str, bytes] | None:
        """(seq, hash, snapshot) of what stands for the retired entries; None while none are."""
        return chain.stands_for(self._base)

    def prune(
        self, upto_seq: int, snapshot: bytes, at: Instant, *, epoch: int = FIRST_EPOCH
    ) -> None:
        """Retire the entries up to and with `upto_seq`; `snapshot` is the state they led to.

        One transaction: the base and the rows change together or not at all. Raises ValueError
        where there is no such entry, JournalError where it cannot be written.
        """
        with self._mutex:
            chain.only_epoch(epoch, self._place)
            held = [] if upto_seq <= self._base.seq else self._fetch(upto_seq - 1, 1)
            if not held or held[0].seq != upto_seq:
                raise ValueError(f"the journal has no entry {upto_seq} to retire up to")
            digest = schema.base_digest(upto_seq, held[0].hash, at, snapshot)
            base = Base(upto_seq, held[0].hash, at, snapshot, digest)
            self._write(lambda connection: _retire(connection, base))
            self._base = base

    def refill(self) -> bool:
        """Make the reserve again where there is room; whether it stands. Raises JournalBroken."""
        with self._mutex, self._breaking():
            self._usable()
            return self._reserve.refill()

    def close(self) -> None:
        with self._mutex:
            self._broken = self._broken or f"{self._path} has been closed"
            self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- inside ------------------------------------------------------------------------------------

    def _verify_at_open(self) -> tuple[Base, Link]:
        with self._connection.begin():
            identity = tables.read_about(self._connection, self._place)
            base = tables.read_base(self._connection, self._place, identity)
            self.identity = identity
            mark = None if self._marker is None else self._marker.read()
            rows = tables.every(self._connection, base.seq)
            end = chain.verified_end(rows, base, mark, self._place)
            self._commits = sqlite.commits(self._connection)
        return base, end

    def _new_marker(self) -> files.Marker:
        files.Marker.create(self._folder / files.MARKER, self._end)
        files.sync_folder(self._folder)
        self.notices.append(
            f"{self._folder / files.MARKER} was missing and has been made anew: a journal put back "
            f"from a backup would not have been noticed. It ends with entry {self._end.seq}."
        )
        marker = files.Marker.open(self._folder / files.MARKER)
        assert marker is not None, "made one line above"  # noqa: S101  # assertions stay on
        return marker

    def _write(self, change: Callable[[Connection], None]) -> None:
        """Do `change` in one durable transaction, on a full disk with the reserve's room."""
        self._usable()
        with self._breaking():
            try:
                self._commit(change)
            except DBAPIError as error:
                if sqlite.trouble(error, self._folder) is not Trouble.FULL:
                    raise
                self._reserve.free()
                self._commit(change)
            if not self._reserve.ready:
                self._reserve.refill()

    def _commit(self, change: Callable[[Connection], None]) -> None:
        with self._connection.begin():
            newest = self._connection.execute(select(func.max(schema.entries.c.seq))).scalar_one()
            if max(newest or 0, self._base.seq) != self._end.seq:
                raise JournalBroken(
                    f"{self._path} ends with entry {newest} and should end with {self._end.seq}: "
                    "somebody else writes to it. Find out who, then start again."
                )
            change(self._connection)
            sqlite.count_commit(self._connection, self._commits + 1)
        self._commits += 1

    def _insert(self, connection: Connection, rows: Sequence[Row]) -> None:
        connection.execute(insert(schema.entries), [tables.write_row(row) for row in rows])

    def _mark(self) -> None:
        with self._breaking():
            assert self._marker is not None, "open made it"  # noqa: S101  # assertions stay on
            self._marker.write(self._end)

    def _fetch(self, after: int, at_most: int) -> list[Row]:
        with self._mutex, told(self._path):
            self._usable()
            with self._connection.begin():
                return tables.fetch(self._connection, after, at_most)

    def _usable(self) -> None:
        if self._broken:
            raise JournalBroken(self._broken)

    @contextlib.contextmanager
    def _breaking(self) -> Iterator[None]:
        """Refuse everything from then on, unless the trouble is one that passes."""
        try:
            with told(self._path):
                yield
        except (JournalFull, JournalBusy):
            raise
        except JournalError as error:
            self._broken = str(error)
            raise


def _write_empty(path: Path) -> Link:
    engine, connection = sqlite.open_writer(path, synchronous="EXTRA")
    try:
        with connection.begin():
            schema.metadata.create_all(connection)
            for trigger in sqlite.TRIGGERS:
                connection.exec_driver_sql(trigger)
            return tables.write_empty(connection, secrets.token_hex(16))
    finally:
        sqlite.close(engine, connection)


def _retire(connection: Connection, base: Base) -> None:
    connection.execute(
        update(schema.base).values(
            seq=base.seq,
            hash=base.hash,
            wall=base.at.wall,
            steady=base.at.steady,
            snapshot=base.snapshot,
            digest=base.digest,
        )
    )
    connection.execute(delete(schema.entries).where(schema.entries.c.seq <= base.seq))
