"""What a tree is made of: every member with its kind, mode, owner, content, target, attributes.

The law: two trees with the same digest are the same to whoever reads them. The generation marker
and the files that stay live are no part of it; neither are times, which a copy may carry and a
deploy never does. A tree with a device, a pipe or a socket in it has no manifest: what cannot be
copied cannot be restored.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from watchdog.actions.tree.layout import MARKER, TroubleError, shown

FILE, FOLDER, LINK = "file", "folder", "link"
ROOT = b"."


class ChangedError(TroubleError):
    """A tree was written to while it was read."""


@dataclass(frozen=True, slots=True)
class Print:
    """What the kernel says of a file; as long as it says the same, the content is the same."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Member:
    """`sha256` is empty until the content was read. The digest leaves out `seen` and `links`."""

    path: bytes  # relative to the root, which is itself the member "."
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    target: bytes
    xattrs: tuple[tuple[str, str], ...]  # values in hex
    seen: Print
    links: int
    sha256: str = ""

    @property
    def line(self) -> bytes:
        """All that the digest is about."""
        path, target = (raw.decode("utf-8", "surrogateescape") for raw in (self.path, self.target))
        told = [path, self.kind, self.mode, self.uid, self.gid]
        return json.dumps([*told, self.size, self.sha256, target, self.xattrs]).encode() + b"\n"


Members = Mapping[bytes, Member]


def survey(root: str, left_out: Iterable[str] = ()) -> dict[bytes, Member]:
    """Every member in order, contents not yet read. `left_out` are files that stay live.

    Raises TroubleError for what cannot be copied, ChangedError, and OSError for the root itself.
    """
    top = os.fsencode(root)
    without = {os.fsencode(name) for name in (MARKER, *left_out)}
    found = {ROOT: _member(top, ROOT, os.stat(top))}  # first, so that a folder precedes its members
    for path, status in sorted(_walk(top, without)):
        found[path] = _member(os.path.join(top, path), path, status)
    return found


def _walk(top: bytes, without: set[bytes]) -> Iterator[tuple[bytes, os.stat_result]]:
    left = [b""]
    while left:
        folder = left.pop()
        try:
            entries = list(os.scandir(os.path.join(top, folder)))
        except (FileNotFoundError, NotADirectoryError) as gone:
            raise ChangedError(f"{shown(folder)} is gone again") from gone
        except OSError as error:
            raise TroubleError(_unreadable(folder or ROOT, error)) from error
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if path in without:
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError as gone:
                raise ChangedError(f"{shown(path)} is gone again") from gone
            if stat.S_ISDIR(status.st_mode):
                left.append(path)
            yield path, status


def _member(full: bytes, path: bytes, status: os.stat_result) -> Member:
    kind = _kind(path, status.st_mode)
    try:
        target = os.readlink(full) if kind == LINK else b""
        xattrs = xattrs_of(full)
    except FileNotFoundError as gone:
        raise ChangedError(f"{shown(path)} is gone again") from gone
    except OSError as error:
        raise TroubleError(_unreadable(path, error)) from error
    seen = Print(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return Member(
        path,
        kind,
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        status.st_size if kind == FILE else 0,
        target,
        xattrs,
        seen,
        status.st_nlink,
    )


def _kind(path: bytes, mode: int) -> str:
    for test, kind in ((stat.S_ISREG, FILE), (stat.S_ISDIR, FOLDER), (stat.S_ISLNK, LINK)):
        if test(mode):
            return kind
    named = (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket")
    what = next((word for test, word in named if test(mode)), "a device")
    raise TroubleError(f"{shown(path)} is {what}, which cannot be copied: remove it")


def xattrs_of(what: bytes | int) -> tuple[tuple[str, str], ...]:
    """Extended attributes of a path, a link not followed, or of an open file. Raises OSError."""
    follow = isinstance(what, int)
    try:
        names = sorted(os.listxattr(what, follow_symlinks=follow))
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return ()
        raise
    return tuple((name, os.getxattr(what, name, follow_symlinks=follow).hex()) for name in names)


def _unreadable(path: bytes, error: OSError) -> str:
    remedy = ": let the watchdog's user read it" if error.errno == errno.EACCES else ""
    return f"{shown(path)} cannot be read ({error.strerror}){remedy}"


def digest_of(members: Members) -> str:
    """SHA-256 over every member, contents included."""
    whole = hashlib.sha256()
    for member in members.values():
        whole.update(member.line)
    return whole.hexdigest()


def seen_again(members: Members, again: Members) -> bool:
    """Whether two surveys of one tree show that nothing was written between them."""
    blank = {path: replace(member, sha256="") for path, member in members.items()}
    root, other = blank.pop(ROOT), dict(again)
    other_root = other.pop(ROOT)
    # Of the root its times are left out: a marker or a live file written there changes them.
    return blank == other and replace(root, seen=other_root.seen) == other_root


def difference(ours: Members, theirs: Members) -> str:
    """The first member in which `theirs` differs from `ours`; empty where none does."""
    for path in sorted({*ours, *theirs}):
        one, other = ours.get(path), theirs.get(path)
        if one is None or other is None:
            return f"{shown(path)} is {'extra' if one is None else 'missing'}"
        for field in ("kind", "mode", "uid", "gid", "target", "xattrs", "size", "sha256"):
            if getattr(one, field) != getattr(other, field):
                return f"{shown(path)} differs in {field}"
    return ""


def newest_change(members: Members) -> float:
    """When the newest member was last written or changed, by the kernel's own record, in seconds.

    The root is left out: a name beside it, and our own marker, change its times.
    """
    times = [member.seen.ctime_ns for path, member in members.items() if path != ROOT]
    return max(times) / 1e9


def size_of(members: Members) -> tuple[int, int]:
    """How many files, and their bytes; of hard links each counts."""
    sizes = [member.size for member in members.values() if member.kind == FILE]
    return len(sizes), sum(sizes)
