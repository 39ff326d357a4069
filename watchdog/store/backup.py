"""A copy of the journal, made beside a running daemon: one whole state of it, checked.

The copy is a folder of its own with `journal.db` in it and nothing else. No marker: put where a
newer marker still lies, it is seen to have forgotten something, and a daemon refuses it until a
person accepts that. No history: windows warm up again.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from watchdog.ports import JournalError
from watchdog.store import folder as files
from watchdog.store.reader import JournalReader


@dataclass(frozen=True, slots=True)
class Backup:
    """What was copied: `entries` of them, the last one's number and hash, the bytes of the file."""

    file: Path
    entries: int
    seq: int
    hash: str
    size_bytes: int


def back_up(state_dir: Path, to: Path) -> Backup:
    """Copy the journal of a state folder into the new folder `to`. Raises JournalError.

    All of it is there, durable and verified, or nothing of it.
    """
    with JournalReader(state_dir) as journal:
        try:
            to.mkdir(mode=0o700)
        except OSError as error:
            why = error.strerror or str(error)
            raise JournalError(f"{to} cannot be made: {why}. Name a new folder.") from None
        try:
            return _copied(journal, to)
        except BaseException:
            shutil.rmtree(to, ignore_errors=True)
            raise


def _copied(journal: JournalReader, to: Path) -> Backup:
    file = to / files.JOURNAL
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        journal.copy(file)
        _sync(file)
        files.sync_folder(to)
        files.sync_folder(to.parent)
    except OSError as error:
        raise JournalError(f"{file} cannot be written: {error.strerror or error}") from None
    with JournalReader(to) as copy:
        entries = copy.verify()
        base = copy.base()
        seq, last = (base[0], base[1]) if base else (0, "")
        for one in copy.read(seq + entries - 1) if entries else ():
            seq, last = one.seq, one.hash
    return Backup(file, entries, seq, last, file.stat().st_size)


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
