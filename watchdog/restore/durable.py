"""Writing so that after any death, of the process or of the power, a file is whole or not there."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write(path: Path, parts: Iterable[bytes], *, mode: int = 0o600, gid: int = 0) -> None:
    """Put a whole file in the place of another, durably."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fchown(fd, 0, gid)
        os.fchmod(fd, mode)
        os.fsync(fd)
    beside.rename(path)
    sync_folder(path.parent)


def write_json(path: Path, document: Any, *, mode: int = 0o600, gid: int = 0) -> None:
    write(path, [json.dumps(document, indent=1).encode()], mode=mode, gid=gid)


def make_folder(path: Path, *, mode: int = 0o700, gid: int = 0) -> None:
    """A folder of root's, there after any death. Its parent must exist."""
    path.mkdir(0o700, exist_ok=True)
    found = path.stat()
    if (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) != (mode, 0, gid):
        os.chown(path, 0, gid)
        path.chmod(mode)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
