"""Where everything lies, by name: a tree's name in the work area says what it is there for.

The law: `staged-G` whose marker says G is the copy that waits to be swapped in; `staged-G` with
another marker, or none, is what the swap to G displaced and has not yet put aside. Whatever is
called building, trash, probe or new is ours to delete; nothing else ever is.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

MARKER = ".slo-watchdog-generation"

_GENERATION = re.compile(r"[0-9a-f]{32}")
_BACKUP = re.compile(r"(?P<stamp>[0-9]{8}-[0-9]{6})(?:-(?P<number>[1-9][0-9]*))?")
_BEFORE = "before-"


class TroubleError(Exception):
    """It cannot go on, for a reason to be told; nothing was changed by what raised it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The live folder and the work area beside it, on the same file system."""

    parent: str
    name: str

    @property
    def current(self) -> str:
        return os.path.join(self.parent, self.name)

    @property
    def work(self) -> str:
        return os.path.join(self.parent, f".{self.name}.slo-watchdog")

    def own(self, name: str) -> str:
        return f"{self.work}/{name}"

    def staged(self, generation: str) -> str:
        return self.own(f"staged-{generation}")

    def backup(self, stamp: str, number: int) -> str:
        return f"{self.current}-backup-{stamp}" + (f"-{number}" if number > 1 else "")

    def backup_order(self, name: str) -> tuple[str, int] | None:
        """Where a name stands among the backups, oldest first; None for what is no such name."""
        found = _BACKUP.fullmatch(name.removeprefix(f"{self.name}-backup-"))
        if found is None or not name.startswith(f"{self.name}-backup-"):
            return None
        return found["stamp"], int(found["number"] or 1)


def place_of(current: str) -> Place:
    """Raises TroubleError for a path that names no folder to put another in the place of."""
    path = os.path.normpath(current)
    parent, name = os.path.split(path)
    if not path.startswith("/") or not name or "\0" in path:
        raise TroubleError(f"{shown(current)} is no absolute path of a folder")
    return Place(parent, name)


def is_generation(text: str) -> bool:
    return _GENERATION.fullmatch(text) is not None


def before(generation: str) -> str:
    """The generation of what the swap to `generation` displaced."""
    return _BEFORE + generation


def parts_in_tree(name: str) -> tuple[str, ...]:
    """A file's name within a tree, taken apart. Raises TroubleError where it leads elsewhere."""
    parts = tuple(name.split("/"))
    if any(part in {"", ".", ".."} or "\0" in part for part in parts) or parts[0] == MARKER:
        raise TroubleError(f"{shown(name)} is no name of a file within the folder")
    return parts


def shown(path: str | bytes) -> str:
    """A path as it may be shown and recorded: one line, printable."""
    text = path if isinstance(path, str) else path.decode("utf-8", "surrogateescape")
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
