"""What must hold of the folders before anything else: looked at anew at every preflight.

The law: each reason says what to do, and is found long before a swap is needed.
"""

from __future__ import annotations

import errno
import os
import stat

from watchdog.actions.tree.layout import MARKER, Place, TroubleError, parts_in_tree, shown
from watchdog.actions.tree.manifest import Members

SLACK_BYTES = 16 << 20
"""Room that is left beside a copy: for markers, manifests and the files that stay live."""

_MOST_INODES = 64
_WRITE = os.W_OK | os.X_OK


def look(place: Place, previous: str, mutable: tuple[str, ...]) -> None:
    """Raises TroubleError with the first thing that is wrong, and OSError."""
    for name in mutable:
        parts_in_tree(name)
    _look_at_current(place)
    if previous:
        _look_at_previous(place, previous)


def _look_at_current(place: Place) -> None:
    current, parent = shown(place.current), shown(place.parent)
    if not os.path.lexists(place.current):
        raise TroubleError(f"{current} is missing: there is no live folder to swap")
    if not os.path.isdir(place.current):
        what = "a link to no folder" if os.path.islink(place.current) else "no folder"
        raise TroubleError(f"{current} is {what}")
    live = os.path.realpath(place.current)
    if _device(live) != _device(place.parent) or live in _mount_points():
        raise TroubleError(
            f"{current} is a mount point or on another file system than {parent}, and cannot be "
            "renamed: mount the folder above it"
        )
    for folder in dict.fromkeys((place.parent, os.path.dirname(live), live)):
        if not os.access(folder, _WRITE, effective_ids=True):
            raise TroubleError(
                f"{shown(folder)} is not writable for the watchdog: let its user write there, and "
                f"name {parent} in ReadWritePaths= of its unit"
            )
        _may_rename_in(folder, live)


def _may_rename_in(folder: str, live: str) -> None:
    """In a folder with the sticky bit only owners rename."""
    status = os.stat(folder)
    if folder == live or not status.st_mode & stat.S_ISVTX or os.geteuid() == 0:
        return
    if os.geteuid() not in {status.st_uid, os.stat(live).st_uid}:
        raise TroubleError(f"{shown(folder)} is sticky: only the owners rename folders there")


def _look_at_previous(place: Place, previous: str) -> None:
    path = shown(previous)
    if not previous.startswith("/") or "\0" in previous:
        raise TroubleError(f"{path} is no absolute path of a folder")
    if not os.path.lexists(previous):
        raise TroubleError(f"{path} is missing: there is nothing to restore")
    if not os.path.isdir(previous):
        raise TroubleError(f"{path} is no folder")
    real, live = os.path.realpath(previous), os.path.realpath(place.current)
    if real == live:
        raise TroubleError(f"{path} is the live folder itself")
    if f"{real}/".startswith((f"{live}/", f"{place.work}/")) or f"{live}/".startswith(f"{real}/"):
        raise TroubleError(f"{path} and {shown(place.current)} lie in one another")
    if _device(real) != _device(place.parent):
        raise TroubleError(
            f"{path} is on another file system than {shown(place.parent)}: keep it on the same"
        )
    try:
        names = os.listdir(real)
    except PermissionError as error:
        raise TroubleError(f"{path} cannot be read: let the watchdog's user read it") from error
    if not set(names) - {MARKER}:
        raise TroubleError(f"{path} is empty: there is nothing to restore")
    if os.geteuid() != 0 and not os.stat(real).st_mode & stat.S_IWUSR:
        raise TroubleError(f"{path} is read-only: a folder that is to be renamed must be writable")


def may_recreate(members: Members) -> None:
    """Raises TroubleError for the first member that has an owner which we could not give it."""
    us = os.geteuid()
    if us == 0:
        return  # a refusal in spite of that is found when a copy is made
    groups = {os.getegid(), *os.getgroups()}
    for member in members.values():
        if member.uid != us or member.gid not in groups:
            raise TroubleError(
                f"{shown(member.path)} is owned by {member.uid}:{member.gid}, which the watchdog's "
                f"user {us} cannot recreate: let it own the folder, or run with CAP_CHOWN"
            )


def make_work(place: Place) -> None:
    """The work area, ours alone. Raises TroubleError and OSError."""
    try:
        os.mkdir(place.work, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise TroubleError(
            f"{shown(place.parent)} is not writable for the watchdog ({error.strerror}): let its "
            "user write there, and name it in ReadWritePaths= of its unit"
        ) from error
    else:
        try:  # what is made in it inherits nothing from the folder above
            os.removexattr(place.work, "system.posix_acl_default")
        except OSError as error:
            if error.errno not in {errno.ENODATA, errno.ENOTSUP}:
                raise
        os.chmod(place.work, 0o700)
    status = os.lstat(place.work)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise TroubleError(
            f"{shown(place.work)} is not a folder of the watchdog's user: move it away"
        )
    if stat.S_IMODE(status.st_mode) != 0o700:
        os.chmod(place.work, 0o700)


def has_room(place: Place, bytes_wanted: int, names_wanted: int) -> None:
    """Raises TroubleError where the file system has too little."""
    room = os.statvfs(place.parent)
    free, wanted = room.f_bavail * room.f_frsize, bytes_wanted + bytes_wanted // 20 + SLACK_BYTES
    if free < wanted:
        raise TroubleError(
            f"not enough space beside {shown(place.current)}: {wanted >> 20} MiB are needed, "
            f"{free >> 20} MiB are free"
        )
    if room.f_files and room.f_favail < names_wanted + _MOST_INODES:
        raise TroubleError(f"not enough inodes beside {shown(place.current)}")


def _device(path: str) -> int:
    return os.stat(path).st_dev


def _mount_points() -> frozenset[str]:
    """Of this process's view, also those that share the device of the folder above."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        raw = (line.split(" ")[4] for line in file)
        return frozenset(
            text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n") for text in raw
        )
