"""What a swap was decided for, held right before the exchange against what is there by then.

The law: what is exchanged is the copy of the `previous` that stands there still, and what it
takes the place of is the tree that was live when that was looked at. It is told by what the kernel
says of the two folders, and by what both tell of themselves: the exchange waits neither for a
gigabyte nor for twenty thousand names. Somebody who writes deep into `previous` meanwhile, and
changes neither, is met by the next look: until then its copy is whole, and what was decided on.
Of the live folder what it is counts alone: a service may write into it all day.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from watchdog.actions.tree.facts import Facts, present
from watchdog.actions.tree.layout import shown
from watchdog.actions.tree.marker import generation_of

PREVIOUS_SEEN, LIVE_SEEN = "previous_seen_digest", "live_seen_digest"
"""Facts: what the kernel said of both when it was looked at."""


def seen(previous: str, live: str) -> Facts:
    """Of what was there before their contents were read. Raises OSError."""
    before, now = os.stat(previous), os.stat(live)
    written = before.st_dev, before.st_ino, before.st_mtime_ns, before.st_ctime_ns
    identity = now.st_dev, now.st_ino, generation_of(live)
    return (PREVIOUS_SEEN, _digest(written)), (LIVE_SEEN, _digest(identity))


def _digest(told: object) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()


def why_not(
    facts: Mapping[str, str],
    previous: str,
    live: str,
    named: Mapping[str, str],
) -> str:
    """What is there otherwise than it was decided for; empty where nothing is. Raises OSError."""
    before = os.path.realpath(previous)
    if not os.path.isdir(before):
        return f"{shown(previous)} is being changed, or gone"
    for name in named:
        for folder, known in ((live, f"present_{name}"), (before, name)):
            now, then = dict(present(folder, named)).get(f"present_{name}"), facts.get(known)
            if now != then:
                told = f"{now or 'not told'} by now, and not {then or 'not told'}"
                return f"{name} of {shown(folder)} is {told}"
    found = dict(seen(before, live))
    if found[PREVIOUS_SEEN] != facts.get(PREVIOUS_SEEN):
        return f"{shown(previous)} was written to since its copy was made"
    if found[LIVE_SEEN] != facts.get(LIVE_SEEN):
        return f"{shown(live)} is another folder by now"
    return ""
