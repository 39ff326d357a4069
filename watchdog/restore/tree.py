"""The live tree, held by a handle, and every folder in it reached without following a link.

Others may write in parts of it while we work as root: who exchanged a folder for a link between
our look and our write would make us write elsewhere. By handles, they make us fail.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

from watchdog.restore.trust import open_folder


class Tree:
    """Use as a context manager. Paths are relative; `.` is the root."""

    def __init__(self, root: str) -> None:
        self._root = open_folder(root)
        self._path = "."
        self._handle = self._root

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()
        os.close(self._root)

    def folder(self, path: str) -> int:
        """A handle of a folder, ours until the next call. Raises OSError."""
        if path in {".", ""}:
            return self._root
        if path != self._path:
            self._leave()
            handle = os.dup(self._root)
            try:
                for part in path.split("/"):
                    within, handle = handle, -1
                    try:
                        handle = open_folder(part, within)
                    finally:
                        os.close(within)
            except OSError:
                if handle >= 0:
                    os.close(handle)
                raise
            self._handle, self._path = handle, path
        return self._handle

    def parent(self, path: str) -> tuple[int, str]:
        """A handle of the folder in which a path lies, ours until the next call, and its name."""
        above, _, name = path.rpartition("/")
        return self.folder(above), name

    def look(self, path: str) -> os.stat_result | None:
        """What is there, not followed; None where nothing is, and where a folder above is none."""
        if path == ".":
            return os.fstat(self._root)
        try:
            folder, name = self.parent(path)
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _leave(self) -> None:
        if self._handle != self._root:
            os.close(self._handle)
            self._handle, self._path = self._root, "."
