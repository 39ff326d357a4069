"""Files that a command writes for somebody: whole or not at all, and known to be possible first.

A report may be the end of an hour's work, so that where it goes is looked at before that begins.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import fail


def must_be_writable(path: Path | None) -> None:
    """End the command where nothing could be written to this file in the end."""
    if path is None:
        return
    folder = path.parent
    if path.is_dir():
        fail(f"{path} cannot be written: it is a folder. Name a file", NOT_SO)
    if not folder.is_dir():
        fail(f"{path} cannot be written: there is no folder {folder}", NOT_SO)
    if not os.access(path if path.exists() else folder, os.W_OK):
        fail(f"{path} cannot be written: this user may not. Name another file", NOT_SO)


def write_whole(path: Path, text: str) -> None:
    """Write the file, or end the command with why it cannot be, and leave what was there."""
    real = path.resolve()
    part = real.with_name(f".{real.name[:200]}.{os.getpid()}~")
    try:
        if path.exists() and not path.is_file():  # a pipe or a terminal, which nothing can replace
            path.write_text(text, encoding="utf-8")
            return
        try:
            part.write_text(text, encoding="utf-8")
            if path.exists():
                part.chmod(path.stat().st_mode & 0o7777)
            part.replace(real)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror or error}", NOT_SO)
