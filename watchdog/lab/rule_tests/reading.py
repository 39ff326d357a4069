"""Test files from disk: bounded, and never followed into a pipe or a device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from watchdog.policy.folder import TESTS_END
from watchdog.policy.reading import Unreadable, text_of

__all__ = ["MAX_FILES", "Unreadable", "files_at", "text_of"]

MAX_FILES = 1000
"""Test files below one folder."""


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
