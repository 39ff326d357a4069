"""The state folder's small files beside the journal: the lock, the reserve and the marker.

One process holds the folder for its life. The reserve is room kept back so that the last
decisions can still be recorded on a full disk. The marker remembers how far the journal had
come, so that a journal put back from an old backup is not taken for the present one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from pathlib import Path

from watchdog.ports import JournalBusy, JournalCorrupt, JournalError, JournalMissing
from watchdog.store.schema import Link
from watchdog.store.trouble import NO_ROOM, broken

JOURNAL = "journal.db"
HISTORY = "history.db"
MARKER = "journal.mark"
SHARED_MARKER = "store.mark"  # of a journal that is kept on a server
RESERVE = "journal.reserve"
LOCK = "lock"

MOVED = ".moved"  # is added to the names of a journal that went on elsewhere

RESERVE_BYTES = 4 * 1024 * 1024


def sync_folder(folder: Path) -> None:
    """Make names that were created, renamed or removed durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make the state folder where it is missing; refuse one that others may write to."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        mode = folder.stat().st_mode
        if not stat.S_ISDIR(mode):
            raise JournalError(f"{folder} is not a folder. Name another state folder.") from None
        if mode & 0o022:
            raise JournalError(
                f"{folder} may be written to by others, who could exchange the journal. "
                f"Run: chmod 700 {folder}"
            ) from None
    except OSError as error:
        raise broken(folder, error) from error


class FolderLock:
    """An exclusive flock on the folder's lock file, held until `release` or the process's end."""

    def __init__(self, folder: Path) -> None:
        """Raises JournalBusy, naming the holder, or JournalMissing, or JournalBroken."""
        try:
            self._descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError as error:
            raise JournalMissing(
                f"{folder} does not exist. Run `slo-watchdog init` once to create the journal."
            ) from error
        except OSError as error:
            raise broken(folder, error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise broken(folder, error) from error
            raise JournalBusy(
                f"{folder} is held by process {holder or '(unknown)'}: another slo-watchdog runs "
                "on it. Stop that one, or give this one another state folder."
            ) from error
        # Who holds it, for the message above; on a full disk the lock holds without its name.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._descriptor)


class Reserve:
    """Room on the disk that is ours to give up."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder = folder
        self._path = folder / RESERVE
        self._size_bytes = size_bytes
        try:
            self.ready = self._path.stat().st_size == size_bytes
        except FileNotFoundError:
            self.ready = False

    def free(self) -> bool:
        """Give the room up; False when it had been given up before."""
        freed = self._path.exists()
        self._path.unlink(missing_ok=True)
        self.ready = False
        if freed:
            # Some file systems hand blocks out again only once the removal is on disk. Whether
            # that helped, the retry will show.
            with contextlib.suppress(OSError):
                sync_folder(self._folder)
        return freed

    def refill(self) -> bool:
        """Take the room again where plenty is left; whether it stands now."""
        if self.ready:
            return True
        try:
            room = os.statvfs(self._folder)
            if room.f_bavail * room.f_frsize < 2 * self._size_bytes:
                return False
            self._allocate()
        except OSError as error:
            self._path.unlink(missing_ok=True)
            if error.errno in NO_ROOM:
                return False
            raise broken(self._folder, error) from error
        self.ready = True
        return True

    def _allocate(self) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size_bytes)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Marker:
    """How far the journal had come when it was last written: two slots, written in turn in place.

    Each write changes one slot only and needs no new room, so that the other one stands whatever
    happens meanwhile, also on a full disk. A slot is a line of its own: seq, hash, checksum.
    """

    _SLOT_BYTES = 512  # what a disk writes in one piece

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._slot = self._newest_slot()

    @classmethod
    def create(cls, path: Path, link: Link) -> None:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.pwrite(descriptor, cls._line(link) * 2, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @classmethod
    def open(cls, path: Path) -> Marker | None:
        """None where there is none: a person removed it, to accept the journal as it is."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise broken(path.parent, error) from error
        try:
            return cls(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def read(self) -> Link:
        """Raises JournalCorrupt when neither slot can be read."""
        link = self._read_slot(self._slot)
        if link is None:
            raise JournalCorrupt(
                f"{self._path} is damaged, so it cannot be told whether the journal is "
                "the newest. If it has not been put back from a backup, remove that file and start "
                "again."
            )
        return link

    def write(self, link: Link) -> None:
        """Durable on return. Raises JournalBroken."""
        other = 1 - self._slot
        try:
            os.pwrite(self._descriptor, self._line(link), other * self._SLOT_BYTES)
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise broken(self._path.parent, error) from error
        self._slot = other

    def close(self) -> None:
        os.close(self._descriptor)

    def _newest_slot(self) -> int:
        first, second = (self._read_slot(slot) for slot in (0, 1))
        if first is None or second is None:
            return 0 if second is None else 1
        return 0 if first.seq >= second.seq else 1

    def _read_slot(self, slot: int) -> Link | None:
        raw = os.pread(self._descriptor, self._SLOT_BYTES, slot * self._SLOT_BYTES)
        match raw.decode("ascii", "replace").split():
            case [seq, chain_hash, check] if check == _check(seq, chain_hash):
                return Link(int(seq), chain_hash)
        return None

    @classmethod
    def _line(cls, link: Link) -> bytes:
        text = f"{link.seq} {link.hash} {_check(str(link.seq), link.hash)}"
        return text.ljust(cls._SLOT_BYTES - 1).encode("ascii") + b"\n"


def _check(seq: str, chain_hash: str) -> str:
    return hashlib.sha256(f"{seq} {chain_hash}".encode()).hexdigest()[:16]
