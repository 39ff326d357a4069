"""What a restore will overwrite, saved as an archive of its own: by it the restore is taken back.

Written here and not by tar, since each file is opened by the handle of its folder and no link is
followed: others may exchange folders for links while root reads. In one pass it becomes an
archive, its manifest, and its digest.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from watchdog.restore.durable import sync_folder
from watchdog.restore.members import FILE, FOLDER, LINK, SAME, Member, kept
from watchdog.restore.refused import Refused, shown
from watchdog.restore.tree import Tree

_CHUNK = 1 << 20
_BLOCK = 512
_TYPES = {FILE: tarfile.REGTYPE, FOLDER: tarfile.DIRTYPE, LINK: tarfile.SYMTYPE}
_ACLS = {"system.posix_acl_access": "access", "system.posix_acl_default": "default"}
_ACL_TAGS = {1: "user::", 2: "user:{}:", 4: "group::", 8: "group:{}:", 16: "mask::", 32: "other::"}
_HERE = "/proc/self/fd"


def save(
    tree: Tree, paths: Sequence[str], to: Path, look: Callable[[int], None] = lambda _: None
) -> tuple[str, list[Member]]:
    """Write the archive durably; its digest and its members. Raises Refused and OSError."""
    beside = to.with_name(f".{to.name}.new")
    beside.unlink(missing_ok=True)
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        saver = _Saver(tree, file)
        for path in paths:
            saver.add(path)
            look(saver.written)
        saver.write(bytes(2 * _BLOCK))
        file.flush()
        os.fsync(fd)
    beside.rename(to)
    sync_folder(to.parent)
    return saver.digest.hexdigest(), saver.members


class _Saver:
    def __init__(self, tree: Tree, file: BinaryIO) -> None:
        self._tree = tree
        self._file = file
        self._first: dict[tuple[int, int], str] = {}
        self.digest = hashlib.sha256()
        self.written = 0
        self.members: list[Member] = []

    def write(self, part: bytes) -> None:
        self._file.write(part)
        self.digest.update(part)
        self.written += len(part)

    def add(self, path: str) -> None:
        """One path, opened so that it cannot become something else while it is read."""
        within, name = (self._tree.folder("."), ".") if path == "." else self._tree.parent(path)
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
        try:
            found = os.fstat(handle)
            if stat.S_ISLNK(found.st_mode):
                self._header(_told(path, LINK, found, target=os.readlink("", dir_fd=handle)), {})
            elif stat.S_ISDIR(found.st_mode):
                self._folder(path, handle, found)
            elif stat.S_ISREG(found.st_mode):
                self._plain(path, handle, found)
            else:
                raise Refused(f"{shown(path)!r} has become a device, a pipe or a socket")
        finally:
            os.close(handle)

    def _folder(self, path: str, handle: int, found: os.stat_result) -> None:
        xattrs, acls = _xattrs(handle)
        self._header(_told(path, FOLDER, found, xattrs=xattrs, acl=bool(acls)), acls)

    def _plain(self, path: str, handle: int, found: os.stat_result) -> None:
        xattrs, acls = _xattrs(handle)
        first = self._first.setdefault((found.st_dev, found.st_ino), path)
        if first != path:
            told = _told(path, SAME, found, target=first, xattrs=xattrs, acl=bool(acls))
            self._header(told, acls)
            return
        told = _told(path, FILE, found, xattrs=xattrs, acl=bool(acls), size=found.st_size)
        self._header(told, acls)
        digest = hashlib.sha256()
        left = found.st_size
        fd = os.open(f"{_HERE}/{handle}", os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            while left:
                part = file.read(min(left, _CHUNK))
                if not part:
                    raise Refused(f"{shown(path)!r} became shorter while it was saved")
                left -= len(part)
                digest.update(part)
                self.write(part)
        self.write(bytes(-found.st_size % _BLOCK))
        fields = {name: getattr(told, name) for name in Member.__slots__}
        self.members[-1] = Member(**{**fields, "sha256": digest.hexdigest()})

    def _header(self, member: Member, acls: dict[str, str]) -> None:
        info = tarfile.TarInfo(member.path)
        info.type = tarfile.LNKTYPE if member.kind == SAME else _TYPES[member.kind]
        info.mode, info.uid, info.gid = member.mode, member.uid, member.gid
        info.size, info.mtime = member.size, member.mtime_ns // 10**9
        info.linkname = member.target
        info.pax_headers = {
            "mtime": f"{info.mtime}.{member.mtime_ns % 10**9:09d}",
            **{
                f"SCHILY.xattr.{name}": os.fsdecode(bytes.fromhex(value))
                for name, value in member.xattrs
            },
            **{f"SCHILY.acl.{name}": text for name, text in acls.items()},
        }
        self.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        self.members.append(member)


def _told(
    path: str,
    kind: str,
    found: os.stat_result,
    *,
    target: str = "",
    xattrs: tuple[tuple[str, str], ...] = (),
    acl: bool = False,
    size: int = 0,
) -> Member:
    mode = stat.S_IMODE(found.st_mode)
    ids = (found.st_uid, found.st_gid)
    return Member(path, kind, mode, *ids, size, found.st_mtime_ns, target, xattrs, acl)


def _xattrs(handle: int) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    """The extended attributes, and the access control lists as tar writes them."""
    here = f"{_HERE}/{handle}"
    found = {name: os.getxattr(here, name) for name in sorted(os.listxattr(here))}
    acls = {_ACLS[name]: _acl_text(value) for name, value in found.items() if name in _ACLS}
    plain = ((name, value.hex()) for name, value in found.items() if kept(name))
    return tuple(plain), acls


def _acl_text(value: bytes) -> str:
    """A list as text, from the kernel's form: a version, then (tag, rights, id) each."""
    entries = (struct.unpack_from("<HHI", value, at) for at in range(4, len(value), 8))
    return "\n".join(
        _ACL_TAGS[tag].format(who)
        + "".join(
            letter if rights & bit else "-" for letter, bit in zip("rwx", (4, 2, 1), strict=True)
        )
        for tag, rights, who in entries
    )
