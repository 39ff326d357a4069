"""Files in a tree, reached from its root without following a single link.

Whoever writes into a tree may put a link where a folder was; so every part of a name is opened
by itself, and a link is refused. New content is written in the work area, made durable, and then
renamed into its place: a reader sees the old file or the new one, and a crash leaves no litter
in the tree.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What the kernel answers where the name leads to nothing, or through something else than folders.
"""


@contextmanager
def folder_of(root: str, parts: Sequence[str]) -> Iterator[int]:
    """The folder that holds the file `parts`, opened. Raises OSError."""
    handle = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def look(root: str, parts: Sequence[str]) -> os.stat_result | None:
    """What stands there, links not followed; None where nothing does."""
    try:
        with folder_of(root, parts) as folder:
            return os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise


@contextmanager
def regular(root: str, parts: Sequence[str]) -> Iterator[int | None]:
    """The regular file there, opened for reading; None where there is none. Raises OSError."""
    try:
        with folder_of(root, parts) as folder:
            found = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
            handle = None
            if stat.S_ISREG(found.st_mode):
                handle = os.open(parts[-1], _FILE, dir_fd=folder)
    except OSError as error:
        if error.errno not in ABSENT:
            raise
        handle = None
    try:
        is_file = handle is not None and stat.S_ISREG(os.fstat(handle).st_mode)
        yield handle if is_file else None
    finally:
        if handle is not None:
            os.close(handle)


def begin_of(root: str, parts: Sequence[str], most_bytes: int) -> bytes | None:
    """The file's first bytes; None where there is no regular file. Raises OSError."""
    with regular(root, parts) as handle:
        return None if handle is None else os.read(handle, most_bytes)


def put(new: str, root: str, parts: Sequence[str]) -> None:
    """Rename the finished file `new` to its place in the tree, durably. Raises OSError."""
    with folder_of(root, parts) as folder:
        os.rename(new, parts[-1], dst_dir_fd=folder)
        os.fsync(folder)


def write_new(path: str, content: bytes, mode: int = 0o600) -> None:
    """A file of the work area, written anew and durable. Raises OSError."""
    handle = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode
    )
    try:
        os.fchmod(handle, mode)
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: str) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
