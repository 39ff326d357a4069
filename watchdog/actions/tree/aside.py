"""What a swap displaced: put aside under a name never used before, found again, cleared away.

The law: nothing is deleted that does not carry our marker of something displaced and a backup's
name; a backup that a person made stays, and is not counted. What is deleted first leaves the
place where people look, whole, so that nobody ever meets half a backup.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Collection
from datetime import UTC, datetime

from watchdog.actions.tree.exchange import move, sync
from watchdog.actions.tree.layout import Place, before
from watchdog.actions.tree.marker import Marker, mark, marker_of

_MOST_NAMES = 1000


def mark_displaced(place: Place, root: str, generation: str, key: str) -> None:
    """Make a tree say that the swap to `generation` displaced it, after all that are aside now.

    Said again after a crash it is the same. Raises OSError.
    """
    order = 1 + max((marker.place_in_order for _, marker in backups(place)), default=0)
    marker = Marker(before(generation), displaced_by=generation, key=key, order=str(order))
    mark(place, root, marker)


def put_aside(place: Place, root: str) -> str:
    """Move a marked tree to a new backup's name, durably; the path it has then. Raises OSError.

    Within a second it comes after all there are: people, and older programs, go by the names.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    orders = filter(None, map(place.backup_order, os.listdir(place.parent)))
    first = 1 + max((number for of, number in orders if of == stamp), default=0)
    for number in range(first, first + _MOST_NAMES):
        path = place.backup(stamp, number)
        with contextlib.suppress(FileExistsError):
            move(root, path)
            sync(place)
            return path
    raise FileExistsError(f"{place.backup(stamp, first)} and all the names after it are taken")


def marked(place: Place) -> list[tuple[str, Marker]]:
    """The folders with a backup's name and any marker, oldest first. Raises OSError.

    Their markers tell the order; the names do only where those do not: a clock goes back.
    """
    found = []
    for entry in os.scandir(place.parent):
        order = place.backup_order(entry.name)
        if order is None or not entry.is_dir(follow_symlinks=False):
            continue
        with contextlib.suppress(PermissionError):  # one that we may not look into is not ours
            marker = marker_of(entry.path)
            if marker is not None:
                found.append(((marker.place_in_order, *order), entry.path, marker))
    return [(path, marker) for _, path, marker in sorted(found, key=lambda one: one[:2])]


def backups(place: Place) -> list[tuple[str, Marker]]:
    """Those that a swap made."""
    return [(path, marker) for path, marker in marked(place) if marker.displaced_by]


def find_aside(place: Place, generation: str) -> str | None:
    """The newest backup that the swap to `generation` made."""
    made = [path for path, marker in backups(place) if marker.generation == before(generation)]
    return made[-1] if made else None


def prune(place: Place, keep: int, spared: Collection[str]) -> list[str]:
    """Delete our backups beyond `keep`, oldest first; what was deleted. Raises OSError.

    What is live stays, and `spared`, by whatever way they are named.
    """
    clear_trash(place)
    ours = [path for path, _ in backups(place)]
    excess = len(ours) - keep
    needed = {os.path.realpath(path) for path in (place.current, *spared) if path}
    gone = [path for path in ours if os.path.realpath(path) not in needed][: max(0, excess)]
    for path in gone:
        move(path, place.own(f"trash-{os.path.basename(path)}"))
    if gone:
        sync(place)
    clear_trash(place)
    return gone


def clear_trash(place: Place, *prefixes: str) -> None:
    """Delete what is called trash in the work area, and whatever else is named. Raises OSError."""
    for entry in os.scandir(place.work):
        if not entry.name.startswith(("trash-", *prefixes)):
            continue
        if entry.is_dir(follow_symlinks=False):
            _delete(entry.path)
        else:
            os.unlink(entry.path)


def _delete(root: str) -> None:
    """Folders that their owner may not write to are deleted as well."""
    _open_up(root)
    for folder, names, _ in os.walk(root):
        for name in names:
            _open_up(os.path.join(folder, name))
    shutil.rmtree(root)


def _open_up(path: str) -> None:
    mode = os.lstat(path).st_mode
    if stat.S_ISDIR(mode) and mode & 0o700 != 0o700:
        os.chmod(path, 0o700)
