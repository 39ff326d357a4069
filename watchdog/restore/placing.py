"""Renames what was unpacked and compared into the live tree: each file whole, at its one moment.

Done again after a death it goes on where it was: what is no longer in the staging folder has been
placed. Folders are made and kept, never exchanged, since what the archive does not name stays in
them; owner, mode, attributes and times of all of them are set at the end.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from watchdog.restore.members import FOLDER, SAME, Member, folders_above, kept
from watchdog.restore.refused import Refused, shown
from watchdog.restore.tree import Tree

_ACLS = frozenset({"system.posix_acl_access", "system.posix_acl_default"})
_HERE = "/proc/self/fd"
_BESIDE = ".slo-watchdog-restore.new"


def place(tree: Tree, staged: Path, members: Sequence[Member], look: Callable[[int], None]) -> None:
    """Put every member into the tree. Raises Refused and OSError, and may then be called again."""
    named = {member.path for member in members if member.kind == FOLDER}
    above = {folder for member in members for folder in folders_above(member.path)}
    for path in sorted(above | named, key=lambda path: path.split("/")):
        # One that is named is dressed at the end, and nobody's until then.
        _make(tree, path, 0o700 if path in named else 0o755)
        _sweep(tree.folder(path))
    for count, member in enumerate(members):  # in their order: first names before second ones
        look(count)
        if member.kind != FOLDER:
            _move(tree, staged, member)


def dress(tree: Tree, staged: Path, members: Sequence[Member]) -> None:
    """Owner, attributes, mode and time of every folder, innermost first; the last thing done."""
    for member in sorted(members, key=_by_depth, reverse=True):
        if member.kind == FOLDER:
            _dress(tree, staged / member.path, member)


def remove(tree: Tree, paths: Iterable[str]) -> tuple[str, ...]:
    """Remove what a restore made, innermost first; the folders that others have filled stay."""
    left: list[str] = []
    for path in sorted(paths, key=lambda path: path.split("/"), reverse=True):
        found = tree.look(path)
        if found is None:
            continue
        folder, name = tree.parent(path)
        if not stat.S_ISDIR(found.st_mode):
            os.unlink(name, dir_fd=folder)
            continue
        _sweep(tree.folder(path))
        folder, name = tree.parent(path)
        try:
            os.rmdir(name, dir_fd=folder)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            left.append(path)
    return tuple(left)


def differs(tree: Tree, members: Iterable[Member]) -> str:
    """The first member that does not stand in the tree as it should; empty where all do.

    Contents were compared before they were renamed.
    """
    for member in members:
        found = tree.look(member.path)
        if found is None:
            return f"{shown(member.path)!r} is not there"
        mtime = member.mtime_ns if member.kind != SAME else found.st_mtime_ns
        wanted = (member.uid, member.gid, mtime)
        if (found.st_uid, found.st_gid, found.st_mtime_ns) != wanted and member.kind != SAME:
            return f"{shown(member.path)!r} has another owner or time"
        if member.kind == FOLDER and stat.S_IMODE(found.st_mode) != member.mode:
            return f"{shown(member.path)!r} has another mode"
    return ""


def _make(tree: Tree, path: str, mode: int) -> None:
    if path == ".":
        return
    folder, name = tree.parent(path)
    try:
        os.mkdir(name, 0o700, dir_fd=folder)
    except FileExistsError:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            raise Refused(f"{shown(path)!r} has become something else than a folder") from None
    else:
        os.fchmod(tree.folder(path), mode)


def _move(tree: Tree, staged: Path, member: Member) -> None:
    folder, name = tree.parent(member.path)
    here = staged / member.path
    try:
        os.rename(here, name, dst_dir_fd=folder)
    except FileNotFoundError:
        if tree.look(member.path) is None:
            raise Refused(f"{shown(member.path)!r} is neither unpacked nor in place") from None
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(tree, here, member)


def _copy(tree: Tree, here: Path, member: Member) -> None:
    """The same across file systems: a whole copy under another name, then the rename."""
    folder, name = tree.parent(member.path)
    beside = f"{_BESIDE}.{os.getpid()}"
    _sweep(folder)
    found = here.lstat()
    if member.kind == SAME:
        _link(tree, member.target, folder, beside)
        folder, name = tree.parent(member.path)
    elif stat.S_ISLNK(found.st_mode):
        os.symlink(here.readlink(), beside, dir_fd=folder)
        os.chown(beside, found.st_uid, found.st_gid, dir_fd=folder, follow_symlinks=False)
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with (
            here.open("rb") as source,
            os.fdopen(os.open(beside, flags, 0o600, dir_fd=folder), "wb") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            # The owner first: a change of it takes rights away that come after.
            os.fchown(target.fileno(), found.st_uid, found.st_gid)
            _attributes(here, target.fileno())
            os.fchmod(target.fileno(), stat.S_IMODE(found.st_mode))
            os.fsync(target.fileno())
    times = (found.st_atime_ns, found.st_mtime_ns)
    os.utime(beside, ns=times, dir_fd=folder, follow_symlinks=False)
    os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    here.unlink()


def _link(tree: Tree, first: str, folder: int, name: str) -> None:
    """A second name of what is in place already."""
    folder = os.dup(folder)  # the tree holds one folder at a time
    try:
        above, its_name = tree.parent(first)
        os.link(its_name, name, src_dir_fd=above, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        os.close(folder)


def _sweep(folder: int) -> None:
    """Remove what a death in the middle of a copy left in a folder."""
    for left in os.listdir(folder):
        if left.startswith(_BESIDE):
            os.unlink(left, dir_fd=folder)


def _by_depth(member: Member) -> list[str]:
    return member.path.split("/")


def _dress(tree: Tree, staged: Path, member: Member) -> None:
    """A folder's owner, attributes, mode and time, as they were unpacked and compared."""
    folder = tree.folder(member.path)
    os.fchown(folder, member.uid, member.gid)
    _attributes(staged, folder)
    os.fchmod(folder, member.mode)
    os.utime(folder, ns=(member.mtime_ns, member.mtime_ns))


def _attributes(source: Path, target: int) -> None:
    """Exactly the attributes and access control lists that `source` has."""
    here = f"{_HERE}/{target}"
    wanted = {name: os.getxattr(source, name) for name in os.listxattr(source) if _ours(name)}
    for name in os.listxattr(here):
        if _ours(name) and name not in wanted:
            os.removexattr(here, name)
    for name, value in wanted.items():
        os.setxattr(here, name, value)


def _ours(name: str) -> bool:
    return kept(name) or name in _ACLS
