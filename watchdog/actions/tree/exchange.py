"""Two folders change places, at once where the file system can.

The law: whatever dies in between, the live path is the one folder or the other. RENAME_EXCHANGE
gives that by itself. Where it is not to be had, three renames do the same with a gap of one
instant, in which the live path is missing; a record, durable before the first of them, lets
whoever comes next close the gap: it is put back as it was.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import shutil
from collections.abc import Callable
from enum import StrEnum

from watchdog.actions.tree import beneath
from watchdog.actions.tree.layout import Place, TroubleError, shown

_AT_FDCWD = -100
_NOREPLACE, _EXCHANGE = 1, 2
_NOT_TO_BE_HAD = frozenset({errno.EINVAL, errno.ENOSYS})
_GAP, _GAP_RECORD = "gap", "gap.json"


class Way(StrEnum):
    EXCHANGE = "one exchange of the two folders"
    RENAMES = "renames with a gap of an instant, since the file system exchanges no folders"
    LINK = "one replacement of the symbolic link"


def _call(name: str) -> Callable[..., int] | None:
    """A function of the C library, where it has it."""
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    return found


def rename(old: str, new: str, flags: int) -> None:
    """renameat2(2). Raises OSError."""
    function = _call("renameat2")
    number = errno.ENOSYS
    if function is not None:
        raw = os.fsencode(old), os.fsencode(new)
        if function(_AT_FDCWD, raw[0], _AT_FDCWD, raw[1], ctypes.c_uint(flags)) == 0:
            return
        number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), old, None, new)


def move(old: str, new: str) -> None:
    """Rename to a name that is not taken. Raises FileExistsError and other OSError."""
    try:
        rename(old, new, _NOREPLACE)
    except OSError as error:
        if error.errno not in _NOT_TO_BE_HAD:
            raise
        if os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
        os.rename(old, new)


def sync_file_system(path: str) -> bool:
    """Make all that was written to the file system durable; False where that is not to be had.

    Raises OSError when the disk failed since the folder was opened.
    """
    function = _call("syncfs")
    if function is None:
        return False
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if function(handle) == 0:
            return True
        number = ctypes.get_errno()
    finally:
        os.close(handle)
    if number in {errno.ENOSYS, errno.EPERM}:
        return False
    raise OSError(number, os.strerror(number), path)


def exchange(place: Place, live: str, other: str) -> Way:
    """`live` and `other` change places; names are durable then. Raises OSError.

    After an error only the markers tell what stands where.
    """
    way = Way.EXCHANGE
    try:
        rename(live, other, _EXCHANGE)
    except OSError as error:
        if error.errno not in _NOT_TO_BE_HAD:
            raise
        way = Way.RENAMES
        _by_renames(place, live, other)
    sync(place, other)
    return way


def sync(place: Place, *others: str) -> None:
    """The names beside the live folder, in the work area and beside `others`."""
    for folder in dict.fromkeys((place.parent, place.work, *map(os.path.dirname, others))):
        beneath.sync_folder(folder)


def _by_renames(place: Place, live: str, other: str) -> None:
    gap, record = place.own(_GAP), place.own(_GAP_RECORD)
    new = f"{record}.new"
    beneath.write_new(new, json.dumps({"live": live, "other": other}).encode())
    os.rename(new, record)
    beneath.sync_folder(place.work)
    move(live, gap)
    try:
        move(other, live)
    except OSError:
        move(gap, live)
        raise
    move(gap, other)
    sync(place, other)
    os.unlink(record)


def close_gap(place: Place) -> str:
    """End what a death between two renames left open; what was done, empty for nothing.

    Raises TroubleError and OSError.
    """
    gap, record = place.own(_GAP), place.own(_GAP_RECORD)
    raw = beneath.begin_of(place.work, (_GAP_RECORD,), 1 << 16)
    if raw is None:
        return ""
    told = json.loads(raw)
    live, other = told["live"], told["other"]
    said = ""
    if os.path.lexists(gap):
        if not os.path.lexists(live):
            move(gap, live)
            said = "a swap had been cut off with nothing in the live place: the folder is back"
        elif not os.path.lexists(other):
            move(gap, other)
            said = "a swap had been cut off before its last rename, which is done now"
        else:
            raise TroubleError(
                f"{shown(gap)} holds a folder whose place is taken: look at it and move it away"
            )
        sync(place, other)
    os.unlink(record)
    return said


def probe(place: Place) -> Way:
    """Which way is to be had, tried with two folders in the work area.

    Raises TroubleError where none is.
    """
    one, two, link = (place.own(f"probe-{what}") for what in ("1", "2", "link"))
    _clear_probes(one, two, link)
    try:
        os.mkdir(one)
        os.mkdir(two)
        os.mkdir(f"{one}/was-first")
        if os.path.islink(place.current):
            replace_link(link, one)
            replace_link(link, two)
            return Way.LINK
        rename(one, two, _EXCHANGE)
    except OSError as error:
        if error.errno in _NOT_TO_BE_HAD:
            return Way.RENAMES
        raise TroubleError(
            f"two folders in {shown(place.work)} cannot be exchanged ({error.strerror})"
        ) from error
    else:
        if os.path.isdir(f"{two}/was-first"):
            return Way.EXCHANGE
        raise TroubleError("the file system says that it exchanged two folders, and did not")
    finally:
        _clear_probes(one, two, link)


def replace_link(link: str, target: str, new: str = "") -> None:
    """Make `link` a symbolic link to `target`, at once. Raises OSError."""
    new = new or f"{link}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    os.symlink(target, new)
    os.rename(new, link)


def _clear_probes(one: str, two: str, link: str) -> None:
    for folder in (one, two):
        shutil.rmtree(folder, ignore_errors=True)
    for left in (link, f"{link}.new"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(left)
