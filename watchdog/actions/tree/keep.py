"""Files that stay live across a swap: the tree that comes in takes them from the one that goes.

The law: what the live tree says in such a file at the swap is what it says after it. Where the
live tree has no such file, or something else in its place, the one that came stays. A file is
carried whole, by a rename; it is looked at once more after the exchange, for what was written
between the copy and the exchange.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from watchdog.actions.tree import beneath
from watchdog.actions.tree.layout import Place, TroubleError, parts_in_tree, shown
from watchdog.actions.tree.manifest import FILE, Member, Print, xattrs_of
from watchdog.actions.tree.staging import copy_one

_TRIES = 3


def carry(place: Place, old: str, new: str, names: Iterable[str], *, later: bool = False) -> None:
    """From `old` into `new`; with `later` only what was written after its copy was made.

    Raises TroubleError and OSError.
    """
    for name in names:
        parts = parts_in_tree(name)
        there, here = beneath.look(old, parts), beneath.look(new, parts)
        if there is None or not stat.S_ISREG(there.st_mode):
            continue
        if later and here is not None and there.st_mtime_ns <= here.st_mtime_ns:
            continue
        if here is not None and _same(there, here):
            continue
        _carry_one(place, old, new, parts)


def why_not(old: str, new: str, names: Iterable[str]) -> str:
    """Why `names` could not be carried from `old` into `new`; empty where they could.

    Raises TroubleError for a name that leaves the folder, and OSError.
    """
    for name in names:
        parts = parts_in_tree(name)
        there, here = beneath.look(old, parts), beneath.look(new, parts)
        if here is not None and not stat.S_ISREG(here.st_mode):
            return f"{shown(name)}, a file that stays live, is none in {shown(new)}"
        if there is None or not stat.S_ISREG(there.st_mode):
            continue
        if os.geteuid() != 0 and there.st_uid != os.geteuid():
            return (
                f"{shown(name)}, a file that stays live, belongs to user {there.st_uid}: "
                "the watchdog's user cannot recreate it"
            )
        if not os.access(os.path.join(old, name), os.R_OK):
            return f"{shown(name)}, a file that stays live, cannot be read"
        if here is None and not _has_folder(new, parts):
            return f"{shown(name)} stays live, and {shown(new)} has no folder for it: make it there"
    return ""


def _has_folder(root: str, parts: tuple[str, ...]) -> bool:
    if len(parts) == 1:
        return True
    found = beneath.look(root, parts[:-1])
    return found is not None and stat.S_ISDIR(found.st_mode)


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    """A copy made before keeps time and size; so a repeat copies nothing."""
    fields = "st_size", "st_mtime_ns", "st_mode", "st_uid", "st_gid"
    return all(getattr(one, field) == getattr(other, field) for field in fields)


def _carry_one(place: Place, old: str, new: str, parts: tuple[str, ...]) -> None:
    copy = place.own("live-file.new")
    for left in reversed(range(_TRIES)):
        with beneath.regular(old, parts) as source:
            if source is None:
                return  # taken away meanwhile
            before = os.fstat(source)
            copy_one(source, copy, _member(parts, source))
            after = os.fstat(source)
        if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
            beneath.put(copy, new, parts)
            return
        if not left:
            raise TroubleError(f"{shown('/'.join(parts))} is written to all the time")


def _member(parts: tuple[str, ...], source: int) -> Member:
    now = os.fstat(source)
    return Member(
        path=os.fsencode("/".join(parts)),
        kind=FILE,
        mode=stat.S_IMODE(now.st_mode),
        uid=now.st_uid,
        gid=now.st_gid,
        size=now.st_size,
        target=b"",
        xattrs=xattrs_of(source),
        seen=Print(now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns),
        links=1,
    )
