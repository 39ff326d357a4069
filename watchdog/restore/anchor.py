"""`slo-watchdog anchor record ARCHIVE`: what a restore will demand of these bytes, known before.

Run as root by whatever makes the backups, right after they are made. It reads the whole archive
once, as strictly as a restore, and writes nothing where a restore would refuse.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from watchdog.restore.durable import make_folder
from watchdog.restore.manifest import Head, write_anchor
from watchdog.restore.members import Checker, Member
from watchdog.restore.places import Places
from watchdog.restore.refused import Refused, shown
from watchdog.restore.tape import Flow, members_of


def record(
    archive: Path,
    places: Places,
    *,
    root: str,
    now: float,
    most_bytes: int,
    privileged: bool = True,
    look: Callable[[int], None] = lambda _: None,
) -> Head:
    """The head of the recorded anchor. Without `privileged` no member may give rights to who
    runs it. Raises Refused and OSError.
    """
    fd = os.open(archive, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise Refused(f"{shown(str(archive))} is no plain file")
        sha256, members = read_members(fd, places, root, most_bytes, look, digests=True)
        after = os.fstat(fd)
    finally:
        os.close(fd)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Refused(f"{shown(str(archive))} was written to while it was read")
    if not members:
        raise Refused(f"{shown(str(archive))} is empty")
    if not privileged and (rights := [one.path for one in members if one.privileged]):
        raise Refused(f"member {shown(rights[0])!r}: it gives rights to who runs it")
    newest = max([before.st_mtime_ns, *(one.mtime_ns for one in members)]) / 10**9
    head = Head(
        str(archive.resolve()),
        sha256,
        before.st_size,
        len(members),
        sum(one.size for one in members),
        # Times can be set; but these bytes were here now, so nothing in them is later than now.
        min(newest, now),
        now,
        sum(one.privileged for one in members),
        "",
    )
    gid = readers_of(places)
    make_folder(places.state, mode=0o750, gid=gid)
    return write_anchor(places.anchors, head, members, gid=gid)


def read_members(
    fd: int,
    places: Places,
    root: str,
    most_bytes: int,
    look: Callable[[int], None],
    *,
    digests: bool,
) -> tuple[str, list[Member]]:
    """The digest of an archive, and its members, each of them checked. Raises Refused."""
    flow = Flow(fd, most_bytes, look)
    checker = Checker(root, (*places.own, str(places.state), str(places.requests)))
    members: list[Member] = []
    for member in members_of(flow, digests=digests):
        checker.look(member)
        members.append(member)
    return flow.finish(), members


def readers_of(places: Places) -> int:
    """The group that may read what a restore says: that of the daemon's folder, where it is."""
    try:
        return places.requests.parent.stat().st_gid
    except OSError:
        return 0
