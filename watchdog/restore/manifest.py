"""What is known of an archive: its head, and one line for each member.

Both are written by root (`anchor record`, or the restore that saves what it will overwrite) into
root's folder, under the archive's own digest: so a line is about these bytes and no others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from watchdog.restore.durable import make_folder, write, write_json
from watchdog.restore.members import Member
from watchdog.restore.refused import Refused, shown
from watchdog.restore.trust import why_not_roots


@dataclass(frozen=True, slots=True)
class Head:
    """`written_at`: nothing in the archive is later. All times in seconds since the epoch."""

    archive: str
    sha256: str
    size: int
    members: int
    bytes: int  # unpacked
    written_at: float
    recorded_at: float
    privileged: int  # members that give rights to who runs them
    manifest: str  # digest of the manifest's file


def lines_of(members: Iterable[Member]) -> Iterator[bytes]:
    for member in members:
        yield json.dumps(asdict(member), separators=(",", ":"), sort_keys=True).encode() + b"\n"


def write_anchor(folder: Path, head: Head, members: Iterable[Member], *, gid: int) -> Head:
    """Both files, the head last: where it is, the manifest is. The head, with its digest."""
    make_folder(folder, mode=0o750, gid=gid)
    digest = hashlib.sha256()

    def counted() -> Iterator[bytes]:
        for line in lines_of(members):
            digest.update(line)
            yield line

    write(folder / f"{head.sha256}.manifest", counted())
    told = {**asdict(head), "manifest": digest.hexdigest()}
    write_json(folder / f"{head.sha256}.json", told, mode=0o640, gid=gid)
    return Head(**told)


def read_anchor(folder: Path, sha256: str) -> tuple[Head, list[Member]]:
    """What root recorded of these bytes. Raises Refused."""
    head = folder / f"{sha256}.json"
    manifest = folder / f"{sha256}.manifest"
    if not head.exists():
        raise Refused(f"no anchor is recorded of an archive with the digest {sha256}")
    for path in (head, manifest):
        if reason := why_not_roots(path):
            raise Refused(reason)
    found = Head(**json.loads(head.read_bytes()))
    content = manifest.read_bytes()
    if found.sha256 != sha256 or hashlib.sha256(content).hexdigest() != found.manifest:
        raise Refused(f"the recorded anchor {manifest} is damaged: record it again")
    return found, [_member(line) for line in content.splitlines()]


def difference(expected: Member, found: Member, *, content: bool) -> str:
    """The first thing in which two members differ; empty where in none."""
    for name in Member.__slots__:
        ours, theirs = getattr(expected, name), getattr(found, name)
        if ours != theirs and (content or name != "sha256"):
            what = f"{name} is {theirs!r}, not {ours!r}"
            return f"member {shown(expected.path)!r}: {shown(what)}"
    return ""


def _member(line: bytes) -> Member:
    told = json.loads(line)
    xattrs = tuple((str(name), str(value)) for name, value in told["xattrs"])
    return Member(**{**told, "xattrs": xattrs})
