"""Which archive a restore would take, and whether what it needs is there: looked at, not trusted.

What root recorded of an archive (`slo-watchdog anchor record`) is read here to be ready in time
and to say so long before it is needed; the helper reads and checks all of it again.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from watchdog.core.trees import RestoreSystem

_UNIT = "slo-watchdog-restore@.service"
_UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
_MOST_BYTES = 1 << 20
_PER_FILE_BYTES = 8192  # what a small file takes on a disk beside its content


@dataclass(frozen=True, slots=True)
class RestorePlaces:
    """Root's: `etc` and `state`. Ours: `requests`."""

    etc: Path = Path("/etc/slo-watchdog")
    requests: Path = Path("/var/lib/slo-watchdog/restore")
    state: Path = Path("/var/lib/slo-watchdog-restore")
    units: tuple[Path, ...] = field(default=tuple(Path(one) for one in _UNITS))


@dataclass(frozen=True, slots=True)
class Found:
    """The archive that would be restored, as root recorded it; its bytes are still to be proven."""

    archive: str
    digest: str
    written_at: float
    reason: str
    mark: tuple[int, ...]  # changes when the file does


@dataclass(frozen=True, slots=True)
class NotReady:
    reason: str


def look(how: RestoreSystem, places: RestorePlaces, now: float) -> Found | NotReady:
    """What is wrong first, in the order in which the helper would meet it."""
    for file in (places.etc / "restore.toml", places.etc / "allowed_signers"):
        if not file.is_file():
            return NotReady(f"{file} is missing: see docs/restore.md")
    if not any((folder / _UNIT).is_file() for folder in places.units):
        return NotReady(f"{_UNIT} is not installed")
    if reason := _not_allowed(how, places.etc / "restore.toml"):
        return NotReady(reason)
    try:
        return _newest(how, places, now)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return NotReady(f"{where}{error.strerror}")


def _not_allowed(how: RestoreSystem, file: Path) -> str:
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"{file} cannot be read: {error}"
    if how.root not in told.get("roots", ()):
        return f"{file} does not allow the root {how.root}"
    if missing := set(how.services) - set(told.get("services", ())):
        return f"{file} does not allow the services {', '.join(sorted(missing))}"
    if how.verify and not told.get("verify_user"):
        return f"{file} names no verify_user, as whom verify commands run"
    folder = how.archive.rpartition("/")[0]
    if folder not in {str(one).rpartition("/")[0] for one in told.get("archives", ())}:
        return f"{file} allows no archive in {folder}"
    return ""


def _newest(how: RestoreSystem, places: RestorePlaces, now: float) -> Found | NotReady:
    folder, _, pattern = how.archive.rpartition("/")
    fitting = sorted(
        (
            (entry.stat().st_mtime, entry.path)
            for entry in os.scandir(folder or "/")
            if fnmatchcase(entry.name, pattern) and stat.S_ISREG(entry.stat().st_mode)
        ),
        reverse=True,
    )
    if not fitting:
        return NotReady(f"there is no archive {how.archive}")
    young = [path for at, path in fitting if now - at <= how.max_age_seconds]
    if not young:
        hours = (now - fitting[0][0]) / 3600
        return NotReady(f"{fitting[0][1]} is the newest archive, and {hours:.1f} h old")
    recorded = _recorded(places.state / "anchors")
    passed_over: list[str] = []
    for path in young:
        head = recorded.get(str(Path(path).resolve()))
        if head is not None:
            return _found(how, path, head, passed_over)
        passed_over.append(path)
    return NotReady(f"no anchor is recorded of {young[0]}: slo-watchdog anchor record {young[0]}")


def _recorded(folder: Path) -> dict[str, Any]:
    """Archive -> what root recorded of it last."""
    found: dict[str, Any] = {}
    for file in folder.glob("*.json"):
        with file.open("rb") as opened:
            head = json.loads(opened.read(_MOST_BYTES))
        before = found.get(head["archive"])
        if before is None or before["recorded_at"] < head["recorded_at"]:
            found[head["archive"]] = head
    return found


def _found(how: RestoreSystem, path: str, head: Any, passed_over: list[str]) -> Found | NotReady:
    seen = Path(path).stat()
    if seen.st_size != head["size"]:
        return NotReady(f"{path} has {seen.st_size} bytes, and {head['size']} when recorded")
    disk = os.statvfs(how.root)
    needed = head["bytes"] + head["members"] * _PER_FILE_BYTES
    if disk.f_bavail * disk.f_frsize < needed:
        free = disk.f_bavail * disk.f_frsize
        return NotReady(f"{how.root} has {free} bytes free, and to unpack it {needed} are needed")
    reason = f"{path} is recorded and whole, {head['members']} members"
    if passed_over:
        reason += f"; {passed_over[0]} is newer and not recorded"
    mark = (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
    return Found(path, head["sha256"], float(head["written_at"]), reason, mark)
