"""All that is asked of a request before anything is touched, in the order of what it costs."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from watchdog.restore.anchor import read_members
from watchdog.restore.approval import approvals_of
from watchdog.restore.manifest import Head, difference, read_anchor
from watchdog.restore.members import Member
from watchdog.restore.places import Places
from watchdog.restore.plan import Plan, read_plan
from watchdog.restore.refused import Refused, shown
from watchdog.restore.rules import Rules, read_rules
from watchdog.restore.survey import room, survey
from watchdog.restore.tree import Tree
from watchdog.restore.trust import open_folder, read_anybodys, why_not_roots

_MOST_LIFE_SECONDS = 86400.0
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive held open: what was checked is what will be unpacked."""

    fd: int
    head: Head
    members: Sequence[Member]
    zipped: bool


def approved(name: str, places: Places, now: float) -> tuple[Plan, Rules, tuple[str, ...]]:
    """The plan of a request, and the people who approved exactly it. Raises Refused."""
    rules = read_rules(places.rules)
    try:
        parent = open_folder(places.requests)
    except OSError as error:
        raise Refused(f"{places.requests}: {error.strerror}") from None
    try:
        folder = open_folder(name, parent)
    except OSError as error:
        raise Refused(f"there is no request {name}: {error.strerror}") from None
    finally:
        os.close(parent)
    try:
        plan = read_plan(read_anybodys("request.json", folder))
        if plan.id != name:
            raise Refused(f"the request of {name} says that it is {plan.id}")
        if reason := rules.refusal(plan):
            raise Refused(reason)
        if plan.expires_at <= now:
            raise Refused(f"the request expired {now - plan.expires_at:.0f} s ago")
        if plan.expires_at > now + _MOST_LIFE_SECONDS:
            raise Refused("the request expires more than a day from now")
        given = approvals_of(plan, folder, places)
    finally:
        os.close(folder)
    # Root's number is the least; a request may ask for more and never for less.
    if reason := given.missing(max(rules.approvals, plan.approvals)):
        raise Refused(reason)
    return plan, rules, given.people


@contextmanager
def opened(
    plan: Plan, rules: Rules, places: Places, look: Callable[[int, int], None]
) -> Iterator[Archive]:
    """The archive of a plan, its bytes and members as root recorded them. Raises Refused."""
    try:
        fd = os.open(plan.archive, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"archive {shown(plan.archive)}: {error.strerror}") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Refused(f"archive {shown(plan.archive)} is no plain file")
        head, expected = read_anchor(places.anchors, plan.sha256)
        if found.st_size != head.size:
            raise Refused(f"the archive has {found.st_size} bytes, and {head.size} when recorded")
        if why_not_roots(Path(plan.archive)):
            fd = _copied(fd, places.of(plan.id) / "archive", found.st_size)
        digest, members = read_members(
            fd,
            places,
            plan.root,
            rules.most_bytes,
            lambda count: look(count, found.st_size),
            digests=False,
        )
        if digest != plan.sha256:
            raise Refused(f"the archive's digest is {digest}, and {plan.sha256} was approved")
        _match(expected, members)
        yield Archive(fd, head, expected, os.pread(fd, 2, 0) == b"\x1f\x8b")
    finally:
        os.close(fd)


def fits(plan: Plan, archive: Archive, places: Places, staging: Path) -> None:
    """Whether the live tree and the disks will take it. Raises Refused."""
    with Tree(plan.root) as tree:
        found = survey(tree, archive.members, (*places.own, str(places.state)))
    unpacked = sum(room(member.size) for member in archive.members)
    beside, kept = staging.parent, places.state
    wanted = {beside: unpacked}
    if beside.stat().st_dev == kept.stat().st_dev:
        wanted[beside] += found.bytes
    else:
        wanted[kept] = found.bytes
    for folder, size in wanted.items():
        seen = os.statvfs(folder)
        free = seen.f_bavail * seen.f_frsize
        if free < size:
            raise Refused(f"{folder}: {size} bytes are needed there, and {free} are free")
        if seen.f_files > 0 and seen.f_favail < len(archive.members):
            raise Refused(f"{folder}: {len(archive.members)} files are needed there: no inodes")


def staging_of(plan: Plan, places: Places) -> Path:
    """Where it is unpacked: on the root's own file system, where nobody else may exchange it."""
    state = places.of(plan.id)
    if os.stat(plan.root).st_dev == places.state.stat().st_dev:  # noqa: PTH116  # as the others here
        return state / "staging"
    if reason := why_not_roots(Path(plan.root)):
        raise Refused(f"{reason}, and {places.state} is on another file system")
    return Path(plan.root, f".slo-watchdog-restore-{plan.id}")


def _match(expected: Sequence[Member], found: Sequence[Member]) -> None:
    for ours, theirs in zip(expected, found, strict=False):
        if reason := difference(ours, theirs, content=False):
            raise Refused(reason)
    if len(expected) != len(found):
        raise Refused(f"the archive has {len(found)} members, and {len(expected)} when recorded")


def _copied(fd: int, to: Path, size: int) -> int:
    """A copy that nobody but root can write: somebody else may write the archive while we read."""
    seen = os.statvfs(to.parent)
    if seen.f_bavail * seen.f_frsize < size:
        raise Refused(f"{to.parent}: {size} bytes are needed for the archive's copy")
    to.unlink(missing_ok=True)
    copy = os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    at = 0
    while at < size and (count := os.sendfile(copy, fd, at, min(_CHUNK, size - at))):
        at += count
    os.close(fd)
    return copy
