"""One text file that somebody names: plain, of a bounded size, UTF-8; or why it is not read.

Nothing is waited for: a pipe or a device is refused by its kind, and what is too large by its size,
before anything is read. A file that says of itself that it is empty (those of /proc do) or that
grows meanwhile is read up to the limit and no further.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from watchdog.policy.folder import MAX_FILE_BYTES
from watchdog.policy.problem import Problem


class Unreadable(Exception):
    """A path that cannot be used; carries the problem in words."""

    def __init__(self, path: Path, what: str, remedy: str, at: tuple[int, int] = (1, 1)) -> None:
        self.problem = Problem(str(path), *at, what, remedy)
        super().__init__(self.problem.text)


def text_of(path: Path, most_bytes: int = MAX_FILE_BYTES) -> str:
    """The file's text. Raises Unreadable."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise Unreadable(path, f"it cannot be read: {why(error)}", "Is it there?") from None
    try:
        data = _bytes_of(handle, path, most_bytes)
    except OSError as error:
        raise Unreadable(path, f"it cannot be read: {why(error)}", "Restore it.") from None
    finally:
        os.close(handle)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        at = (before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        how = "It is binary or in another encoding."
        raise Unreadable(path, "it is no UTF-8 text", how, at) from None


def _bytes_of(handle: int, path: Path, most: int) -> bytes:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(path, "it is no regular file", "Name a plain file.")
    data = bytearray()
    while found.st_size <= most and len(data) <= most:
        chunk = os.read(handle, 65_536)
        if not chunk:
            return bytes(data)
        data += chunk
    size = max(found.st_size, len(data))
    what = f"it has {size} bytes; {most} are the most"
    raise Unreadable(path, what, "Is it the right one? Else split it into several files.")


def why(error: Exception) -> str:
    """What the system says, without its number and the path."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
