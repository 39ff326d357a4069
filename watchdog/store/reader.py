"""Looking into the journal from another process, while the daemon is up or down.

It takes no lock and writes nothing, so that no command somebody leaves standing can keep the
daemon from recording. Instead it looks twice: SQLite changes the journal's file only while the
rollback journal beside it is in use, and every commit changes a counter in the file's header.
If neither has happened between before and after, what was read in between is one whole state;
otherwise it is read again.

A rollback journal that stays in use was left by a daemon that died, or was stopped, in the
middle of a commit. Then both files are copied to a private folder and SQLite undoes the half
commit there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from watchdog.core.entries import Recorded
from watchdog.ports import JournalBroken, JournalBusy, JournalError
from watchdog.store import chain, sqlite, tables
from watchdog.store import folder as files
from watchdog.store.schema import Base, Link, Row
from watchdog.store.trouble import file_place, judged, must_be_there, told

PATIENCE_SECONDS = 0.5  # a commit takes milliseconds
_PAUSE_SECONDS = 0.002
_COPIES = 10

_Answer = TypeVar("_Answer")
_Stamp = tuple[int, int, int | None]  # inode, bytes, commits


class JournalReader:
    """`read`, `base` and `verify` of `SqliteJournal`, each looking at the file anew."""

    def __init__(self, state_dir: Path) -> None:
        """Raises JournalMissing, JournalCorrupt, JournalTooNew or JournalBroken."""
        self._path = state_dir / files.JOURNAL
        self._place = file_place(self._path)
        with told(self._path):
            must_be_there(self._path)
        self._base()

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Recorded]:
        """Entries above `after` in order, each checked; what the base stands for is gone."""
        base = self._base()
        for row in chain.walk(self._fetch, [Link(base.seq, base.hash)], after, limit, self._place):
            yield chain.recorded(row, self._place)

    def base(self) -> tuple[int, str, bytes] | None:
        """(seq, hash, snapshot) of what stands for the retired entries; None while none are."""
        return chain.stands_for(self._base())

    def verify(self) -> int:
        """Check all of it, as `SqliteJournal.verify` does. Returns the number of entries."""
        found = self._look(sqlite.damage)
        if found:
            raise self._place.corrupt(found)
        return sum(1 for _ in self.read())

    def copy(self, to: Path) -> None:
        """All of it into an empty file, as one whole state. Raises JournalError or OSError."""

        def into(connection: Connection) -> None:
            os.truncate(to, 0)  # what an attempt before this one may have left
            sqlite.copy_into(connection, to)

        self._look(into)

    def alive_at(self) -> float:
        """When a daemon last wrote to the files, on the wall clock; 0 where none has."""
        alive = 0.0
        for name in (files.HISTORY, files.JOURNAL):
            with contextlib.suppress(OSError):
                alive = max(alive, self._path.with_name(name).stat().st_mtime)
        return alive

    def close(self) -> None:
        """Nothing is held between two looks; here so that a reader closes like a journal."""

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

    def _base(self) -> Base:
        return self._look(self._read_base)

    def _read_base(self, connection: Connection) -> Base:
        identity = tables.read_about(connection, self._place)
        return tables.read_base(connection, self._place, identity)

    def _fetch(self, after: int, at_most: int) -> list[Row]:
        def both(connection: Connection) -> tuple[Base, list[Row]]:
            return self._read_base(connection), tables.fetch(connection, after, at_most)

        base, rows = self._look(both)
        if rows and after < base.seq < rows[0].seq:
            raise JournalBusy(
                f"{self._path}: entries up to {base.seq} were retired while they were being read. "
                "Run the command again."
            )
        return rows

    def _look(self, question: Callable[[Connection], _Answer]) -> _Answer:
        """The answer about one whole state of the file. Raises JournalError."""
        with told(self._path):
            for _ in range(round(PATIENCE_SECONDS / _PAUSE_SECONDS)):
                before = self._stamp()
                if before is not None:
                    answer = _ask(self._path, question, sqlite.open_still)
                    if self._stamp() == before:
                        if isinstance(answer, JournalError):
                            raise answer
                        return answer
                time.sleep(_PAUSE_SECONDS)
            return self._look_at_copy(question)

    def _stamp(self) -> _Stamp | None:
        """What changes with every commit; None while one is under way."""
        if _starts(self._rollback(), len(sqlite.HOT_MAGIC)) == sqlite.HOT_MAGIC:
            return None
        found = self._path.stat()
        commits = sqlite.commits_on_disk(_starts(self._path, 100))
        return found.st_ino, found.st_size, commits

    def _rollback(self) -> Path:
        return self._path.with_name(f"{self._path.name}-journal")

    def _look_at_copy(self, question: Callable[[Connection], _Answer]) -> _Answer:
        with tempfile.TemporaryDirectory(prefix="slo-watchdog-") as private:
            for _ in range(_COPIES):
                if self._copied_whole(Path(private)):
                    answer = _ask(Path(private) / self._path.name, question, sqlite.open_copy)
                    if isinstance(answer, JournalError):
                        raise answer
                    return answer
        raise JournalBusy(f"{self._path} is being written without a pause. Try again.")

    def _copied_whole(self, private: Path) -> bool:
        """Whether neither file changed while both were copied."""
        originals = (self._path, self._rollback())
        before = [_times(original) for original in originals]
        for original in originals:
            copy = private / original.name
            copy.unlink(missing_ok=True)
            if original.exists():
                shutil.copyfile(original, copy)
        return before == [_times(original) for original in originals]


def _ask(
    path: Path,
    question: Callable[[Connection], _Answer],
    opened: Callable[[Path], sqlite.Opened],
) -> _Answer | JournalError:
    """An error is an answer here: whether it counts, the second look at the file decides."""
    try:
        engine, connection = opened(path)
        try:
            with connection.begin():
                return question(connection)
        finally:
            sqlite.close(engine, connection)
    except DBAPIError as error:
        return judged(error, path)
    except JournalError as error:
        return error


def _starts(path: Path, length: int) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(length) or b""
    except FileNotFoundError:
        if path.suffix == Path(files.JOURNAL).suffix:
            raise JournalBroken(f"{path} has gone away while it was being read.") from None
        return b""


def _times(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
