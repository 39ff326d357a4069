"""Every way in which the record can fail us, in an operator's words: what, where, what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from watchdog.ports import (
    JournalBroken,
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalFull,
    JournalMissing,
)
from watchdog.store import sqlite
from watchdog.store.sqlite import Trouble
from watchdog.wire.files import kind

REMEDY = (
    "Nothing acts until a person decides. Keep a copy of the state folder; then put the newest "
    "good backup of it back, or move it away and run `slo-watchdog init`, which forgets open "
    "episodes and holds."
)
_NO_TABLE = ("no such table", "no such column")
_LEAST_BYTES = 512  # the smallest page of SQLite

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a journal is kept, as people call it, and what to do when it cannot be believed."""

    name: str
    remedy: str
    accept: str  # what a person does who accepts that the journal is an older one

    def __str__(self) -> str:
        return self.name

    def corrupt(self, what: str) -> JournalCorrupt:
        return JournalCorrupt(f"{self.name}: {what}. {self.remedy}")


def file_place(path: Path) -> Place:
    return Place(str(path), REMEDY, f"remove {path.with_suffix('.mark')}")


def missing(path: Path) -> JournalMissing:
    if path.with_name("store.mark").exists():
        return JournalMissing(
            f"{path} does not exist: the daemon of this folder keeps its journal on a server. Name "
            "that, as the setting `store` does: postgresql://USER@HOST/DATABASE"
        )
    return JournalMissing(
        f"{path} does not exist. On a new host run `slo-watchdog init` once. On a host that had "
        "one, find out where it went before: a new one knows of no open episode and no hold."
    )


def must_be_there(path: Path) -> None:
    """Raises JournalMissing, JournalCorrupt where something else stands there, and OSError.

    Opening a pipe would wait for ever.
    """
    try:
        about = path.stat()
    except FileNotFoundError:
        raise missing(path) from None
    instead = kind(about.st_mode)
    if instead:
        raise corrupt(path, f"it is {instead}, and no file")
    if not about.st_size:
        raise corrupt(path, "it is empty")
    if about.st_size < _LEAST_BYTES:  # SQLite would take it for a new one, and write into it
        raise corrupt(path, f"it has {about.st_size} bytes, and no journal is that small")


def corrupt(path: Path, what: str) -> JournalCorrupt:
    return file_place(path).corrupt(what)


def broken(folder: Path, error: OSError) -> JournalError:
    """What an error of the file system means."""
    if error.errno == errno.EROFS:
        return JournalBroken(
            f"{folder}: the file system is read-only, so nothing can be recorded and nothing may "
            "act. Look for disk errors (dmesg), remount it read-write, start again."
        )
    if error.errno in NO_ROOM:
        return JournalFull(
            f"{folder}: no room on the file system. Nothing acts until it can be recorded: make "
            "room there."
        )
    return JournalBroken(
        f"{folder}: {error.strerror or error} ({error.filename or 'state folder'}). "
        "Check the disk and the folder's owner and rights, then start again."
    )


def judged(error: DBAPIError, path: Path) -> JournalError:
    """What an error of SQLite on the file `path` means."""
    words = sqlite.said(error)
    match sqlite.trouble(error, path.parent):
        case Trouble.FULL:
            return JournalFull(
                f"{path}: no room to write, also after the reserve was freed. Nothing acts until "
                "it can be recorded: make room on this file system."
            )
        case Trouble.BUSY:
            return JournalBusy(
                f"{path} is open in another program, such as a sqlite3 shell. Close that one; to "
                "look inside use `slo-watchdog decisions`."
            )
        case Trouble.CORRUPT:
            return corrupt(path, words)
        case Trouble.READ_ONLY:
            return JournalBroken(
                f"{path} cannot be written: {words}. Look for disk errors (dmesg), remount the "
                "file system read-write, check the file's rights, start again."
            )
        case Trouble.BROKEN if words.startswith(_NO_TABLE):
            return corrupt(path, f"it is damaged, or is no journal of ours: {words}")
        case _:
            return JournalBroken(
                f"{path}: {words}. The disk cannot be relied on: look for disk errors (dmesg). "
                "The next start checks what is truly recorded."
            )


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the file system around `path`, as the port's own."""
    try:
        yield
    except DBAPIError as error:
        raise judged(error, path) from error
    except OSError as error:
        raise broken(path.parent, error) from error
