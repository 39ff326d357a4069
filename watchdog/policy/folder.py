"""Reads the rules folder from disk, and refuses what a stranger could have written.

Files belong to us or to root, are not writable by everyone, and stay inside the folder; each is
opened once and judged by what was opened, so nothing can be exchanged in between. The result is
plain text by path; what could not be read is a problem of the part that it belongs to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.policy.problem import Problem
from watchdog.policy.tree import MAX_CHARACTERS

MAX_FILES = 500
MAX_FILE_BYTES = 4 * MAX_CHARACTERS
"""Four bytes are the longest character of UTF-8; the parser has its own, lower limit."""

TESTS_END = ".test.yaml"
"""Unit tests of rules lie beside them; what judges at night never reads them."""

MESSAGES = "messages/"
"""The folder of texts that people are told, in place of our own: TOPIC.j2."""

_LEFT_ALONE = ("~", ".swp", ".md", ".txt", TESTS_END)  # editors' files, notes for people, tests
_OF_FILES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Folder:
    """What was read. `whole` is False when the folder itself could not be looked at."""

    files: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    whole: bool = True


def is_test(path: str) -> bool:
    """Whether a file holds unit tests of rules, and no rules."""
    return path.endswith(TESTS_END)


def read_folder(folder: str | Path) -> Folder:
    """All rule files below `folder`, by their path in it."""
    reader = _Reader(Path(folder))
    whole = reader.read()
    return Folder(reader.files, tuple(reader.problems), whole)


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = ""
        self.files: dict[str, str] = {}
        self.problems: list[Problem] = []

    def _refuse(self, path: str, what: str, remedy: str, at: tuple[int, int] = (1, 1)) -> None:
        self.problems.append(Problem(path, *at, what, remedy))

    def read(self) -> bool:
        try:
            self._root = os.path.realpath(self._folder, strict=True)
            if not Path(self._root).is_dir():
                what = "this is a file, and rules are read as a folder"
                self._refuse(str(self._folder), what, "Name the folder that holds platform.yaml.")
                return False
            if not self._trusted(".", Path(self._root).stat()):
                return False
            names = _names(self._root)
        except (OSError, ValueError) as error:
            self._refuse(str(self._folder), f"the rules folder cannot be read: {_why(error)}", "")
            return False
        for path in self._paths("", names, 0):
            if len(self.files) >= MAX_FILES:
                self._refuse(path, f"more than {MAX_FILES} rule files", "Put rules together.")
                return False
            self._file(path)
        return True

    def _paths(self, under: str, names: list[str], depth: int) -> Iterator[str]:
        for name in names:
            path = f"{under}{name}"
            if name.startswith((".", "#")) or name.endswith(_LEFT_ALONE):
                continue
            full = f"{self._root}/{path}"
            if Path(full).is_dir() and name.endswith(_OF_FILES):
                what = "this is a folder, and it has the name of a file"
                self._refuse(path, what, "Put the file there in its place, or rename the folder.")
            elif Path(full).is_dir():
                yield from self._inside(path, full, depth)
            elif name.endswith(".yaml") or (under == MESSAGES and name.endswith(".j2")):
                yield path
            elif name.endswith(_OF_FILES):
                self._refuse(
                    path, "rule files end in .yaml, so this one would not be read", "Rename it."
                )

    def _inside(self, path: str, full: str, depth: int) -> Iterator[str]:
        try:
            if not self._contained(path, full) or not self._trusted(path, Path(full).stat()):
                return
            names = _names(full)
        except OSError as error:
            self._refuse(
                path, f"the folder cannot be read: {_why(error)}", "Give the daemon access."
            )
            return
        if depth and any(name.endswith(".yaml") and not is_test(name) for name in names):
            self._refuse(
                path,
                "a folder inside an owner's folder",
                "Rules lie directly in the owner's folder.",
            )
        elif not depth:
            yield from self._paths(f"{path}/", names, depth + 1)

    def _contained(self, path: str, full: str) -> bool:
        real = os.path.realpath(full)
        if real != self._root and not real.startswith(self._root + os.sep):
            self._refuse(
                path, "a link that leads out of the rules folder", "Copy the file instead."
            )
            return False
        return True

    def _trusted(self, path: str, found: os.stat_result) -> bool:
        shown = str(self._folder) if path == "." else path
        if found.st_uid not in {0, os.geteuid()}:
            self._refuse(
                shown,
                f"it belongs to user {found.st_uid}",
                "Rule files belong to root or to the daemon's user: chown it.",
            )
            return False
        if found.st_mode & stat.S_IWOTH:
            self._refuse(shown, "everyone may write to it", "Take that right away: chmod o-w.")
            return False
        return True

    def _file(self, path: str) -> None:
        full = f"{self._root}/{path}"
        try:
            if not self._contained(path, full):
                return
            # not blocking: a named pipe must not hold up the load
            handle = os.open(
                os.path.realpath(full), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
            )
        except (OSError, ValueError) as error:
            self._refuse(path, f"it cannot be read: {_why(error)}", "Give the daemon access.")
            return
        try:
            self._opened(path, handle)
        except OSError as error:
            self._refuse(path, f"it cannot be read: {_why(error)}", "Restore it.")
        finally:
            os.close(handle)

    def _opened(self, path: str, handle: int) -> None:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            self._refuse(path, "it is no regular file", "Put a plain file there.")
            return
        if not self._trusted(path, found):
            return
        if found.st_size > MAX_FILE_BYTES:
            self._refuse(
                path,
                f"it has {found.st_size} bytes; {MAX_FILE_BYTES} are the most",
                "Split it into several files.",
            )
            return
        data = b""
        while len(data) <= MAX_FILE_BYTES:
            chunk = os.read(handle, 65536)
            if not chunk:
                break
            data += chunk
        try:
            self.files[path] = data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = data[: error.start]
            line = before.count(b"\n") + 1
            column = error.start - (before.rfind(b"\n") + 1) + 1
            self._refuse(
                path, "it is no UTF-8 text", "It is binary or in another encoding.", (line, column)
            )


def _names(folder: str) -> list[str]:
    return sorted(found.name for found in Path(folder).iterdir())


def _why(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
