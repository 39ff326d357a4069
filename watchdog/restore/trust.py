"""Whose files these are: root's alone, or anybody's, which are read as hostile.

A file is root's when it and every folder above it belong to root and nobody else may write them.
(In a sticky folder, like /tmp, others may add names and not exchange root's.)
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from watchdog.restore.refused import Refused, shown

_MOST_BYTES = 1 << 20


def why_not_roots(path: Path) -> str:
    """What makes it not root's alone; empty where nothing does."""
    for one in (*reversed(path.parents), path):
        try:
            found = one.lstat()
        except OSError as error:
            return f"{shown(str(one))}: {error.strerror}"
        if stat.S_ISLNK(found.st_mode):
            return f"{shown(str(one))} is a link"
        if found.st_uid != 0:
            return f"{shown(str(one))} does not belong to root"
        sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX and one != path
        if found.st_mode & 0o022 and not sticky:
            return f"{shown(str(one))} may be written by others than root"
    return ""


def read_roots(path: Path) -> bytes:
    """The content of a file that is root's alone. Raises Refused."""
    reason = why_not_roots(path)
    if reason:
        raise Refused(reason)
    return _read(path, None)


def read_anybodys(name: str, folder: int) -> bytes:
    """The content of a plain file in an open folder, whoever wrote it. Raises Refused."""
    return _read(Path(name), folder)


def open_folder(path: Path | str, within: int | None = None) -> int:
    """A handle of a folder that is no link. Raises OSError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, dir_fd=within)


def _read(path: Path, folder: int | None) -> bytes:
    where = shown(str(path))
    try:
        # Not blocking: a pipe in its place must not hang us.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(path, flags, dir_fd=folder)
    except OSError as error:
        raise Refused(f"{where}: {error.strerror}") from None
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Refused(f"{where} is no plain file")
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise Refused(f"{where} has more than {_MOST_BYTES} bytes")
    return content
