"""Test files from disk: bounded, and never followed into a pipe or a device."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from watchdog.policy.folder import MAX_FILE_BYTES, TESTS_END
from watchdog.policy.problem import Problem

MAX_FILES = 1000
"""Test files below one folder."""


class Unreadable(Exception):
    """A path that cannot be used; carries the problem in words."""

    def __init__(self, path: Path, what: str, remedy: str, at: tuple[int, int] = (1, 1)) -> None:
        self.problem = Problem(str(path), *at, what, remedy)
        super().__init__(self.problem.text)


def text_of(path: Path) -> str:
    """The file's text. Raises Unreadable."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise Unreadable(path, f"it cannot be read: {_why(error)}", "Is it there?") from None
    try:
        data = _bytes_of(handle, path)
    except OSError as error:
        raise Unreadable(path, f"it cannot be read: {_why(error)}", "Restore it.") from None
    finally:
        os.close(handle)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        at = (before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        how = "It is binary or in another encoding."
        raise Unreadable(path, "it is no UTF-8 text", how, at) from None


def _bytes_of(handle: int, path: Path) -> bytes:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(path, "it is no regular file", "Name a plain file.")
    if found.st_size > MAX_FILE_BYTES:
        what = f"it has {found.st_size} bytes; {MAX_FILE_BYTES} are the most"
        raise Unreadable(path, what, "Split it into several files.")
    data = b""
    while len(data) <= MAX_FILE_BYTES:
        chunk = os.read(handle, 65_536)
        if not chunk:
            break
        data += chunk
    return data


def files_at(given: Path) -> tuple[Path, ...]:
    """The file itself, or every test file below the folder, in order. Raises Unreadable."""
    if not given.is_dir():
        return (given,)
    found: list[Path] = []
    for path in _below(given):
        found.append(path)
        if len(found) > MAX_FILES:
            raise Unreadable(given, f"more than {MAX_FILES} test files", "Name fewer folders.")
    return tuple(sorted(found))


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):  # links to folders are not followed
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root) / n for n in names if n.endswith(TESTS_END) and n[0] != ".")


def _why(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
