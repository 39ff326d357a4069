"""The manifest of a generation, kept beside it, and the live tree held against it.

The law: proven means read anew, every byte, after the exchange. What could not be read in time
is not proven, and nobody says that it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from watchdog.actions.tree import beneath
from watchdog.actions.tree.contents import OutOfTimeError, read
from watchdog.actions.tree.layout import Place, TroubleError
from watchdog.actions.tree.manifest import Member, Members, Print, difference, digest_of, survey

_MOST_BYTES = 1 << 30
_UNSEEN = Print(0, 0, 0, 0)


def keep(place: Place, generation: str, members: Members) -> None:
    """Write a generation's manifest into the work area. Raises OSError."""
    lines = b"".join(member.line for member in members.values())
    new = place.own("manifest.new")
    beneath.write_new(new, lines)
    os.rename(new, _path(place, generation))


def kept(place: Place, generation: str) -> dict[bytes, Member] | None:
    """None where there is none, or one that cannot be read."""
    try:
        with open(_path(place, generation), "rb") as file:
            raw = file.read(_MOST_BYTES)
        return {member.path: member for member in map(_member, raw.splitlines())}
    except (OSError, ValueError):
        return None


def drop_others(place: Place, generations: Iterable[str]) -> None:
    """Delete what was written down of all other generations. Raises OSError."""
    spared = {name for one in generations for name in (f"manifest-{one}", f"link-{one}.json")}
    for entry in os.scandir(place.work):
        if entry.name.startswith(("manifest-", "link-")) and entry.name not in spared:
            os.unlink(entry.path)


def proven(
    place: Place, root: str, generation: str, digest: str, mutable: Iterable[str], until: float
) -> str:
    """Answers "yes", "no: " and the first difference, or nothing where the time was over first.

    Raises OSError for a root that cannot be read.
    """
    try:
        found = read(root, survey(root, mutable), until=until)
    except OutOfTimeError:
        return ""
    except TroubleError as trouble:
        return f"no: {trouble}"
    if digest_of(found) == digest:
        return "yes"
    wanted = kept(place, generation) if generation else None
    first = difference(wanted, found) if wanted else ""
    return f"no: {first or 'its digest is another'}"


def _path(place: Place, generation: str) -> str:
    return place.own(f"manifest-{generation}")


def _member(line: bytes) -> Member:
    path, kind, mode, uid, gid, size, sha256, target, xattrs = json.loads(line)
    raw = (text.encode("utf-8", "surrogateescape") for text in (path, target))
    named = tuple((name, value) for name, value in xattrs)
    return Member(next(raw), kind, mode, uid, gid, size, next(raw), named, _UNSEEN, 0, sha256)
