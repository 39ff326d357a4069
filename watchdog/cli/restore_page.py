"""What approvers read before they sign: what would run, against what, and what would be lost."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from watchdog.restore.manifest import Head, read_anchor
from watchdog.restore.members import FOLDER, Member
from watchdog.restore.places import Places
from watchdog.restore.plan import Plan
from watchdog.restore.refused import Refused, shown
from watchdog.restore.services import running

_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class Loss:
    """Files that were written after the archive was, and that it would overwrite."""

    files: int
    bytes: int
    newest: tuple[tuple[float, str], ...]  # the newest first: when, where


def losses(root: str, members: Sequence[Member], written_at: float) -> Loss:
    """As far as it can be told from times of change: what only a time-keeping copy wrote is not."""
    found: list[tuple[float, str]] = []
    size = 0
    for member in members:
        try:
            seen = Path(root, member.path).lstat()
        except OSError:
            continue
        if member.kind != FOLDER and not stat.S_ISDIR(seen.st_mode) and seen.st_mtime > written_at:
            found.append((seen.st_mtime, member.path))
            size += seen.st_size
    found.sort(reverse=True)
    return Loss(len(found), size, tuple(found[:_MOST_NAMES]))


def told(plan: Plan, places: Places, now: float) -> tuple[dict[str, Any], str]:
    """A document for machines, and the same for people."""
    left = plan.expires_at - now
    lines = [
        f"{plan.act} {plan.id}" + (f", of {plan.of}" if plan.of else ""),
        f"asked     by {shown(plan.requester)}, for {shown(plan.decision)}",
        f"host      {shown(plan.host)}",
        f"over      {shown(plan.root)}",
        f"archive   {shown(plan.archive)}",
        f"sha256    {plan.sha256}",
        f"approvals {plan.approvals} or more, none of them {shown(plan.requester)}'s",
        f"expires   {_clock(plan.expires_at)}, " + (f"in {left:.0f} s" if left > 0 else "EXPIRED"),
        f"services  {shown(', '.join(plan.services)) or 'none'}",
    ]
    document: dict[str, Any] = {"plan": plan.id, "digest": plan.digest, "text": plan.text}
    try:
        units = running(plan.services)
    except Refused as refused:
        lines.append(f"          which of them run here cannot be told: {refused}")
    else:
        document["units"] = list(units)
        lines.append(f"          running here, to be stopped: {', '.join(units) or 'none'}")
    lines += [
        f"verify    {shown(' '.join(argv))}   in {shown(plan.verify_in)}" for argv in plan.verify
    ]
    try:
        head, members = read_anchor(places.anchors, plan.sha256)
    except (Refused, OSError) as error:
        lines.append(f"anchor    cannot be read here: {error}")
    else:
        document |= _anchor(lines, head, now)
        document |= _loss(lines, losses(plan.root, members, head.written_at))
    return document, "\n".join(lines)


def _anchor(lines: list[str], head: Head, now: float) -> dict[str, Any]:
    lines.append(f"anchor    {head.members} members, {head.bytes} bytes unpacked")
    hours = (now - head.written_at) / 3600
    lines.append(f"          newest of {_clock(head.written_at)}, {hours:.1f} h ago")
    if head.privileged:
        lines.append(f"          {head.privileged} members give rights to who runs them")
    return {"anchor": {"written_at": head.written_at, "members": head.members}}


def _loss(lines: list[str], loss: Loss) -> dict[str, Any]:
    if not loss.files:
        lines.append("lost      nothing that the archive holds was written since, by its times")
    else:
        lines.append(f"lost      {loss.files} files written since, {loss.bytes} bytes; the newest:")
        lines += [f"          {_clock(at)}  {shown(path)}" for at, path in loss.newest]
    return {"lost": {"files": loss.files, "bytes": loss.bytes, "newest": list(loss.newest)}}


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}"
