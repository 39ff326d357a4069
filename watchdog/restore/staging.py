"""An archive unpacked beside the live tree, and compared with its manifest, member by member.

GNU tar unpacks, from the very bytes that were checked, into a fresh folder that only root may
enter. That is done while everything still runs: what cannot be unpacked, or comes out otherwise
than the manifest says, stops nothing. Afterwards the members are renamed into place.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from watchdog.restore.child import run
from watchdog.restore.manifest import difference
from watchdog.restore.members import FILE, FOLDER, LINK, SAME, Member, folders_above, kept
from watchdog.restore.refused import Refused, shown

_TAR = "/usr/bin/tar"
_ACLS = ("system.posix_acl_access", "system.posix_acl_default")
_CHUNK = 1 << 20


def unpack(
    fd: int,
    folder: Path,
    *,
    zipped: bool,
    acls: bool,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Unpack an open archive into a folder that exists. Raises Refused."""
    argv = [
        # By the handle's own name and not by "-": of that, tar would copy each byte once more.
        *(_TAR, "--extract", "--file=/proc/self/fd/0", f"--directory={folder}"),
        *("--same-owner", "--numeric-owner", "--preserve-permissions"),
        *("--xattrs", "--xattrs-include=*", "--warning=no-unknown-keyword"),
        *(["--acls"] if acls else []),  # one more call for each file
        *(["--gzip"] if zipped else []),
    ]
    ended = run(argv, stdin=fd, seconds=None, look=look)
    if ended.status != 0:
        raise Refused(f"tar ended with {ended.status}: {ended.said}")


def fresh(folder: Path) -> None:
    """An empty folder that only root may enter, whatever an earlier try left there."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(0o700)


def compare(folder: Path, members: Iterable[Member]) -> None:
    """Raises Refused, naming the first member that is not there exactly as its manifest says."""
    wanted = {member.path: member for member in members}
    between = {above for path in wanted for above in folders_above(path)} - wanted.keys()
    first: dict[tuple[int, int], str] = {}
    for path, member in wanted.items():
        try:
            seen = _seen(folder, path, member, first)
        except OSError as error:
            raise Refused(f"member {shown(path)!r}: unpacked, {error.strerror}") from None
        if reason := difference(member, seen, content=True):
            raise Refused(f"unpacked, {reason}")
    for found in _names(folder):
        if found not in wanted and found not in between:
            raise Refused(f"unpacked, {shown(found)!r} is there, and in no member")


def _seen(folder: Path, path: str, member: Member, first: dict[tuple[int, int], str]) -> Member:
    """What was unpacked, told as the manifest tells it."""
    here = folder / path
    found = here.lstat()
    kind = _kind(found.st_mode)
    target = str(here.readlink()) if kind == LINK else ""
    if kind == FILE and member.kind == SAME:
        kind, target = SAME, first.get((found.st_dev, found.st_ino), "")
    elif kind == FILE:
        first[found.st_dev, found.st_ino] = path
    names = [] if kind == LINK else os.listxattr(here, follow_symlinks=False)
    values = ((name, os.getxattr(here, name, follow_symlinks=False).hex()) for name in names)
    xattrs = tuple(sorted((name, value) for name, value in values if kept(name)))
    if kind == SAME:
        # Of a second name tar keeps what the first one has.
        xattrs = member.xattrs
    return Member(
        path,
        kind,
        member.mode if kind in {LINK, SAME} else stat.S_IMODE(found.st_mode),
        found.st_uid if kind != SAME else member.uid,
        found.st_gid if kind != SAME else member.gid,
        found.st_size if kind == FILE else member.size,
        found.st_mtime_ns if kind != SAME else member.mtime_ns,
        target,
        xattrs if kind != LINK else member.xattrs,
        any(name in _ACLS for name in names) if kind != SAME else member.acl,
        _digest(here) if kind == FILE else "",
    )


def _kind(mode: int) -> str:
    for test, kind in ((stat.S_ISREG, FILE), (stat.S_ISDIR, FOLDER), (stat.S_ISLNK, LINK)):
        if test(mode):
            return kind
    return "something else"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            digest.update(part)
    return digest.hexdigest()


def _names(folder: Path) -> Iterable[str]:
    for here, folders, files in os.walk(folder):
        within = os.path.relpath(here, folder)
        for name in (*folders, *files):
            yield name if within == "." else f"{within}/{name}"
