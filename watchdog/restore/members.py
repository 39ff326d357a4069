"""What an archive may hold, said of each member before anything is unpacked or stopped.

Names are relative to the root over which it is restored; `.` is that root itself.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from watchdog.restore.refused import Refused, shown

FILE, FOLDER, LINK, SAME = "file", "folder", "link", "same"
"""Kinds: plain files, folders, symbolic links, and second names of an earlier file."""

_MOST_NAME = 4095
_MOST_PART = 255
_SET_ID = 0o6000
_CAPABILITY = "security.capability"


def kept(xattr: str) -> bool:
    """Whether an extended attribute is part of what is saved and restored.

    What the kernel's other guards write (labels, seals) they write anew; `trusted.` may not be.
    """
    return xattr.startswith("user.") or xattr == _CAPABILITY


@dataclass(frozen=True, slots=True)
class Member:
    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    target: str = ""  # of a link; of a second name: the member it is the same as
    xattrs: tuple[tuple[str, str], ...] = ()  # name, value in hex; sorted
    acl: bool = False  # it has access control lists of its own
    sha256: str = ""  # of a plain file's content

    @property
    def privileged(self) -> bool:
        """Whether running it gives rights to who runs it."""
        return self.kind in {FILE, SAME} and (
            bool(self.mode & _SET_ID) or any(name == _CAPABILITY for name, _ in self.xattrs)
        )


@dataclass(slots=True)
class Checker:
    """Looks at the members in their order. Raises Refused at the first that may not be."""

    root: str
    own: tuple[str, ...]
    kinds: dict[str, str] = field(default_factory=dict)
    above: set[str] = field(default_factory=set)

    def look(self, member: Member) -> None:
        try:
            self._look(member)
        except Refused as refused:
            raise Refused(f"member {shown(member.path)!r}: {refused}") from None
        self.kinds[member.path] = member.kind

    def _look(self, member: Member) -> None:
        self._name(member.path)
        if member.path in self.kinds:
            raise Refused("it is there twice")
        if member.kind != FOLDER and member.path in self.above:
            raise Refused("it is no folder, and other members lie in it")
        if foreign := [name for name, _ in member.xattrs if not kept(name)]:
            raise Refused(f"the extended attribute {shown(foreign[0])} cannot be put back")
        for folder in folders_above(member.path):
            if self.kinds.get(folder, FOLDER) != FOLDER:
                raise Refused(f"{shown(folder)}, in which it lies, is no folder")
            self.above.add(folder)
        if member.kind == LINK:
            self._link(member)
        if member.kind == SAME and self.kinds.get(member.target) != FILE:
            raise Refused(f"second name of {shown(member.target)!r}, which is no earlier file")
        self._own(member.path)

    def _name(self, path: str) -> None:
        parts = path.split("/")
        if path.startswith("/") or not path:
            raise Refused("an absolute or empty name")
        if ".." in parts:
            raise Refused("its name climbs out of the root")
        if path != posixpath.normpath(path) or "\0" in path:
            raise Refused("its name is not plain")
        if len(path.encode("utf-8", "surrogateescape")) > _MOST_NAME:
            raise Refused("its name is too long")
        if any(len(one.encode("utf-8", "surrogateescape")) > _MOST_PART for one in parts):
            raise Refused("a part of its name is too long")

    def _link(self, member: Member) -> None:
        if not member.target or "\0" in member.target:
            raise Refused("a link to nothing")
        here = posixpath.join("/", posixpath.dirname(member.path))
        if member.target.startswith("/"):
            led = posixpath.normpath(member.target)
            if self.root not in {"/", led} and not led.startswith(f"{self.root}/"):
                raise Refused(f"a link out of the root, to {shown(member.target)}")
            return
        depth = 0 if here == "/" else here.count("/")
        for part in member.target.split("/"):
            depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
            if depth < 0:
                raise Refused(f"a link out of the root, to {shown(member.target)}")

    def _own(self, path: str) -> None:
        there = posixpath.normpath(f"{self.root}/{path}").replace("//", "/")
        for own in self.own:
            if there == own or there.startswith(f"{own}/"):
                raise Refused(f"it is the watchdog's own ({own}), which a restore never overwrites")


def folders_above(path: str) -> list[str]:
    """The folders in which a member lies, outermost first, without the root itself."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
