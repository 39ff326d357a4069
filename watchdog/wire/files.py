"""Reading files that somebody else may have prepared: plain ones only, and only so much of them.

The law: nothing is opened for reading before it is known to be a regular file, and, where a tree
is given, to lie in it. Opening a pipe would hang and opening a device may do something; a path
handle (O_PATH) does neither, and what it points at cannot be exchanged between look and read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = "/proc/self/fd"


class NotPlainError(Exception):
    """It is there, and it is no regular file; the message says what it is instead."""


class AstrayError(Exception):
    """A link leads out of the tree."""


@contextmanager
def folder(path: str) -> Iterator[int]:
    """A handle of a folder: it stays the same one when another is put in its place."""
    handle = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def plain_file(path: str, *, tree: int | None = None) -> Iterator[int]:
    """A regular file opened for reading; relative to `tree` and inside of it, where that is given.

    Raises NotPlainError, AstrayError and OSError.
    """
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC, dir_fd=tree)
    try:
        if tree is not None and not inside(handle, tree):
            raise AstrayError("a link leads out of the tree")
        what = kind(os.fstat(handle).st_mode)
        if what:
            raise NotPlainError(what)
        fd = os.open(f"{_HERE}/{handle}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(handle)
    try:
        yield fd
    finally:
        os.close(fd)


def inside(handle: int, tree: int) -> bool:
    """Whether what a handle points at lies below the tree, as the kernel knows both."""
    root, found = (Path(f"{_HERE}/{fd}").readlink() for fd in (tree, handle))
    return root in found.parents


def kind(mode: int) -> str:
    """What is there in place of a regular file; empty for one."""
    for test, word in (
        (stat.S_ISREG, ""),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISLNK, "a link"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return word
    return "a device"


def read_all(fd: int, max_bytes: int) -> bytes | None:
    """The file's bytes; None where there are more than `max_bytes`."""
    found = bytearray()
    while len(found) <= max_bytes:
        part = os.read(fd, min(1 << 20, max_bytes + 1 - len(found)))
        if not part:
            return bytes(found)
        found += part
    return None
