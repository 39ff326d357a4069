"""The digests of a tree's files: read anew, or known, since the kernel says that nothing changed.

The law: a digest is known by a file's inode, size and times only when the file had rested before
it was read: a write within one tick of the clock could otherwise hide. What is asked to be proven
is read anew whatever is known. A file that changes while it is read has no digest.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from watchdog.actions.tree import beneath
from watchdog.actions.tree.layout import TroubleError, shown
from watchdog.actions.tree.manifest import FILE, ChangedError, Member, Members, Print

_BLOCK = 1 << 18
_AT_ONCE = 32
_RESTED_SECONDS = 2.0
_MOST_INDEX_BYTES = 1 << 28
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class OutOfTimeError(Exception):
    """The time to read contents in was over first."""


Report = Callable[[int, int], None]
"""Is told how many bytes are done, and of how many."""


def silent(_done: int, _of: int) -> None: ...


class Known:
    """Digests of files that rest, by what the kernel says of them; kept in the work area."""

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._before: dict[str, str] = {}
        self._now: dict[str, str] = {}
        if path:
            self._before = _loaded(path)

    def get(self, seen: Print) -> str:
        found = self._before.get(_key(seen), "")
        if found:
            self._now[_key(seen)] = found
        return found

    def learn(self, seen: Print, sha256: str, read_at: float, *, ours: bool = False) -> None:
        """`ours`: nobody else can write to it, so that it need not rest."""
        if ours or read_at - max(seen.ctime_ns, seen.mtime_ns) / 1e9 > _RESTED_SECONDS:
            self._now[_key(seen)] = sha256

    def save(self) -> None:
        """Keep what was asked for since the begin, and nothing else. Raises OSError."""
        if self._path and self._now != self._before:
            new = f"{self._path}.new"
            with open(new, "w", encoding="utf-8") as file:
                json.dump(self._now, file)
            os.rename(new, self._path)


def read(
    root: str,
    members: Members,
    *,
    known: Known | None = None,
    ours: bool = False,
    until: float | None = None,
    report: Report = silent,
) -> dict[bytes, Member]:
    """The members with all contents read; `until` is on the steady clock.

    Raises ChangedError, OutOfTimeError and TroubleError.
    """
    top, found = os.fsencode(root), dict(members)
    wanted = [member for member in members.values() if member.kind == FILE]
    done, whole = 0, sum(member.size for member in wanted)
    shas: dict[int, str] = {}  # by inode: hard links are read once
    unread: list[Member] = []
    for member in wanted:
        inode = member.seen.inode
        sha256 = known.get(member.seen) if known else ""
        if sha256:
            shas[inode] = sha256
        elif inode not in shas:
            shas[inode] = ""
            unread.append(member)
        else:
            done += member.size
    done += whole - done - sum(member.size for member in unread)
    began = time.time()
    for member, sha256 in _hashed(top, unread, until):
        shas[member.seen.inode] = sha256
        if known:
            known.learn(member.seen, sha256, began, ours=ours)
        done += member.size
        report(done, whole)
    for member in wanted:
        found[member.path] = replace(member, sha256=shas[member.seen.inode])
    return found


def _hashed(
    top: bytes, unread: Sequence[Member], until: float | None
) -> Iterator[tuple[Member, str]]:
    """In threads: the digest's computing and the disk's reading hold no lock of the interpreter."""

    def some(members: Sequence[Member]) -> list[str]:
        return [_sha256(os.path.join(top, one.path), one, until) for one in members]

    shares = [unread[begin : begin + _AT_ONCE] for begin in range(0, len(unread), _AT_ONCE)]
    with ThreadPoolExecutor(max_workers=min(4, len(os.sched_getaffinity(0)))) as pool:
        try:
            for share, found in zip(shares, pool.map(some, shares), strict=True):
                yield from zip(share, found, strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


def _sha256(full: bytes, member: Member, until: float | None) -> str:
    """Raises ChangedError where the file is not, or does not stay, as the survey saw it."""
    try:
        handle = os.open(full, _READ)
    except OSError as error:
        if error.errno in beneath.ABSENT:
            raise ChangedError(f"{shown(member.path)} is gone again") from error
        remedy = ": let the watchdog's user read it" if error.errno == errno.EACCES else ""
        reason = f"{shown(member.path)} cannot be read ({error.strerror}){remedy}"
        raise TroubleError(reason) from error
    try:
        _same(handle, member)
        whole = hashlib.sha256()
        try:
            while block := os.read(handle, _BLOCK):
                if until is not None and time.monotonic() > until:
                    raise OutOfTimeError
                whole.update(block)
        except OSError as error:
            reason = f"{shown(member.path)} cannot be read ({error.strerror})"
            raise TroubleError(reason) from error
        _same(handle, member)
        return whole.hexdigest()
    finally:
        os.close(handle)


def _same(handle: int, member: Member) -> None:
    now = os.fstat(handle)
    seen = Print(now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
    if not stat.S_ISREG(now.st_mode) or seen != member.seen:
        raise ChangedError(f"{shown(member.path)} was written to meanwhile")


def _key(seen: Print) -> str:
    return f"{seen.inode}.{seen.size}.{seen.mtime_ns}.{seen.ctime_ns}"


def _loaded(path: str) -> dict[str, str]:
    """What was known; nothing where that cannot be read: all is read anew then."""
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(_MOST_INDEX_BYTES))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
