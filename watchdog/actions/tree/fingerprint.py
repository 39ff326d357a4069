"""What the last look found, true as long as the kernel says that nothing was written since.

The law: a look that finds every member's inode, size, mode, owner and times unchanged, in all
three trees, may say again what the last one said. Nothing is remembered of trees that had not
rested: a write within one tick of the clock could hide. Of the live tree's folders the times are
left out, since a file that stays live may be renewed in them all day.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from watchdog.actions.tree.layout import MARKER

_RESTED_SECONDS = 2.0
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Fingerprint:
    sha256: str
    newest: float  # the last change of any member, by the kernel's record

    @property
    def rests(self) -> bool:
        return time.time() - self.newest > _RESTED_SECONDS


def fingerprint(root: str, left_out: Iterable[str], *, folders: bool = True) -> Fingerprint:
    """`folders` False leaves out when folders were changed. Raises OSError."""
    top, without = os.fsencode(root), {os.fsencode(name) for name in (MARKER, *left_out)}
    found, left, newest = [], [b""], 0
    while left:
        folder = left.pop()
        with os.scandir(os.path.join(top, folder)) as entries:
            for entry in entries:
                path = os.path.join(folder, entry.name)
                if path in without:
                    continue
                seen = entry.stat(follow_symlinks=False)
                times = (seen.st_mtime_ns, seen.st_ctime_ns)
                if stat.S_ISDIR(seen.st_mode):
                    left.append(path)
                    times = times if folders else (0, 0)
                newest = max(newest, *times)
                own = seen.st_ino, seen.st_mode, seen.st_uid, seen.st_gid, seen.st_size
                found.append(b"%r %r" % (path, (*own, *times)))
    whole = hashlib.sha256(repr(os.stat(top)[:5]).encode())
    for line in sorted(found):
        whole.update(line)
    return Fingerprint(whole.hexdigest(), newest / 1e9)


def remembered(path: str, key: str) -> Any:
    """What was kept under `key`, a text that says all that it rests upon; None where nothing."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        with open(path, "rb") as file:
            told = json.loads(file.read(_MOST_BYTES))
        if told["key"] == key:
            return told["what"]
    return None


def remember(path: str, key: str, what: Any) -> None:
    """Not durable: whoever does not find it looks again. Raises OSError."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump({"key": key, "what": what}, file)
    os.rename(f"{path}.new", path)
