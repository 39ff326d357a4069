"""A copy of a tree: the same to every reader, sharing blocks with its original where it can.

The law: a copy is whole and durable before it gets the name under which it may be swapped in.
Modes, owners, times, extended attributes, symbolic links as they are and hard links among
themselves are those of the original; what may not be recreated makes the copy impossible, and
is said. The original is opened for reading alone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable

from watchdog.actions.tree import beneath
from watchdog.actions.tree.contents import Report
from watchdog.actions.tree.exchange import sync_file_system
from watchdog.actions.tree.layout import TroubleError, shown
from watchdog.actions.tree.manifest import (
    FOLDER,
    LINK,
    ROOT,
    ChangedError,
    Member,
    Members,
    size_of,
)

_FICLONE = 0x40049409
_CHUNK = 1 << 26
_MANY = 200
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_REFLINK = frozenset(
    {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM}
)


class _Contents:
    """How bytes get over; once the file system has no reflinks, it is not asked again."""

    def __init__(self) -> None:
        self._reflinks = True

    def copy(self, source: int, target: int) -> None:
        if self._reflinks:
            try:
                fcntl.ioctl(target, _FICLONE, source)
            except OSError as error:
                if error.errno not in _NO_REFLINK:
                    raise
                self._reflinks = False
            else:
                return
        try:
            while os.copy_file_range(source, target, _CHUNK):
                pass
        except OSError as error:
            if error.errno not in _NO_REFLINK:
                raise
            os.lseek(source, 0, os.SEEK_SET)
            os.ftruncate(target, 0)
            os.lseek(target, 0, os.SEEK_SET)
            while os.sendfile(target, source, None, _CHUNK):
                pass


def copy_tree(members: Members, source: str, target: str, report: Report) -> None:
    """Make `target`, a folder that is not there yet, a copy of `source` as surveyed.

    Raises TroubleError for what is not permitted, ChangedError, and OSError for a full or failing
    disk. What was begun is left where it is.
    """
    top, new = os.fsencode(source), os.fsencode(target)
    contents, linked = _Contents(), dict[int, bytes]()
    done, (_, whole) = 0, size_of(members)
    for member in members.values():  # in order: a folder comes before what is in it
        full = _under(new, member.path)
        with _telling(member):
            if member.kind == FOLDER:
                os.mkdir(full, 0o700)
            elif member.kind == LINK:
                os.symlink(member.target, full)
                _owned(full, member)
                _attributed(full, member)
                os.utime(full, ns=_times(member), follow_symlinks=False)
            elif member.links > 1 and member.seen.inode in linked:
                os.link(linked[member.seen.inode], full, follow_symlinks=False)
            else:
                linked[member.seen.inode] = full
                _copy_file(_under(top, member.path), full, member, contents)
        done += member.size
        report(done, whole)
    folders = [member for member in members.values() if member.kind == FOLDER]
    for member in reversed(folders):  # from within: writing into a folder changes its times
        with _telling(member):
            _dressed(_under(new, member.path), member)


def copy_one(source: int, target: str, member: Member) -> None:
    """A copy of one opened file, durable. Raises TroubleError and OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(target)
    with _telling(member):
        handle = os.open(target, _CREATE, 0o600)
        try:
            _Contents().copy(source, handle)
            _dressed(handle, member)
            os.fsync(handle)
        finally:
            os.close(handle)


def make_durable(target: str, members: int) -> None:
    """Everything in the tree. Raises OSError when a disk failed.

    Of many members each alone would take minutes; of few the whole file system may, since it
    holds what others are writing.
    """
    if members > _MANY and sync_file_system(target):
        return
    for folder, _, names in os.walk(target):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                _sync_file(path)
        beneath.sync_folder(folder)


def _sync_file(path: str) -> None:
    handle = os.open(path, _READ)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy_file(source: bytes, target: bytes, member: Member, contents: _Contents) -> None:
    try:
        original = os.open(source, _READ)
    except OSError as error:
        if error.errno in beneath.ABSENT:
            raise ChangedError(f"{shown(member.path)} is gone again") from error
        raise
    try:
        handle = os.open(target, _CREATE, 0o600)
        try:
            contents.copy(original, handle)
            _dressed(handle, member)
        finally:
            os.close(handle)
    finally:
        os.close(original)


def _dressed(what: int | bytes, member: Member) -> None:
    """Owner first, which takes away setuid; times last, which everything changes."""
    _owned(what, member)
    _attributed(what, member)
    os.chmod(what, member.mode)
    os.utime(what, ns=_times(member))


def _owned(what: int | bytes, member: Member) -> None:
    """Only where it is another: a daemon that may not give files away may still keep its own."""
    is_open = isinstance(what, int)
    now = os.fstat(what) if isinstance(what, int) else os.lstat(what)
    if (now.st_uid, now.st_gid) != (member.uid, member.gid):
        os.chown(what, member.uid, member.gid, follow_symlinks=is_open)


def _attributed(what: int | bytes, member: Member) -> None:
    wanted = dict(member.xattrs)
    follow = isinstance(what, int)
    setting: Callable[..., None] = os.setxattr
    for name, value in wanted.items():
        setting(what, name, bytes.fromhex(value), follow_symlinks=follow)


def _times(member: Member) -> tuple[int, int]:
    return member.seen.mtime_ns, member.seen.mtime_ns


def _under(top: bytes, path: bytes) -> bytes:
    return top if path == ROOT else os.path.join(top, path)


class _telling(contextlib.AbstractContextManager[None]):  # noqa: N801  # reads as the verb it is
    """Says of which member it was that something is not permitted."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError) and error.errno in {errno.EPERM, errno.EACCES}:
            member = self._member
            raise TroubleError(
                f"{shown(member.path)} cannot be recreated ({error.strerror}): it is owned by "
                f"{member.uid}:{member.gid}, mode {member.mode:04o}"
                + "".join(f", {name}" for name, _ in member.xattrs)
                + "; let the watchdog's user own it, or run the daemon with the right to"
            ) from error
