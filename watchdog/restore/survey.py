"""The live tree under an archive, before anything is stopped: what would be overwritten by what.

The archive is laid over it as `tar -x` does: what the archive does not name stays. Refused is what
could not be taken back, or would be written through a link.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from watchdog.restore.members import FOLDER, Member, folders_above
from watchdog.restore.refused import Refused, shown
from watchdog.restore.tree import Tree

_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Survey:
    present: tuple[str, ...]  # what will be overwritten or has its times changed, in order
    absent: tuple[str, ...]  # what the restore makes; to be removed when it is taken back
    bytes: int  # of what is present


def survey(tree: Tree, members: Sequence[Member], own: Sequence[str]) -> Survey:
    """Raises Refused at the first conflict, naming it."""
    kinds = {member.path: member.kind for member in members}
    paths = {".", *kinds, *(above for path in kinds for above in folders_above(path))}
    guarded = _identities(own)
    present: list[str] = []
    absent: list[str] = []
    size = 0
    for path in sorted(paths, key=lambda path: path.split("/")):
        found = tree.look(path)
        if found is None:
            absent.append(path)
            continue
        _conflict(path, kinds.get(path, FOLDER), found, guarded)
        present.append(path)
        size += room(found.st_size)
    return Survey(tuple(present), tuple(absent), size)


def room(size: int) -> int:
    """What a file takes on a disk, its own entry included."""
    return -(-size // _BLOCK) * _BLOCK + _BLOCK


def _conflict(
    path: str, kind: str, found: os.stat_result, guarded: dict[tuple[int, int], str]
) -> None:
    where = f"member {shown(path)!r}"
    mode = found.st_mode
    if found.st_mtime_ns < 0:
        raise Refused(f"{where}: in the live tree its time is before 1970")
    if (found.st_dev, found.st_ino) in guarded:
        own = guarded[found.st_dev, found.st_ino]
        raise Refused(f"{where}: in the live tree it is the watchdog's own {own}")
    if kind == FOLDER:
        if not stat.S_ISDIR(mode):
            what = "a link" if stat.S_ISLNK(mode) else "no folder"
            raise Refused(f"{where}: a folder in the archive, and {what} in the live tree")
    elif stat.S_ISDIR(mode):
        raise Refused(f"{where}: a folder in the live tree, and none in the archive")
    elif not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise Refused(f"{where}: in the live tree it is a device, a pipe or a socket")


def _identities(own: Sequence[str]) -> dict[tuple[int, int], str]:
    """The watchdog's own by what the kernel calls them, whatever other name leads there."""
    found: dict[tuple[int, int], str] = {}
    for path in own:
        try:
            seen = Path(path).stat()
        except OSError:
            continue
        found[seen.st_dev, seen.st_ino] = path
    return found
