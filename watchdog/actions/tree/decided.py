"""What a swap was decided for, held right before the exchange against what is there by then.

The law: what is exchanged is the copy of the `previous` that stands there still, and what it
takes the place of is the tree that was live when that was looked at. What the kernel says of every
member tells it; no content is read: the exchange does not wait for a gigabyte. Of the live tree
its folder, its generation and its facts count alone: a service may write into it all day.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping

from watchdog.actions.tree.facts import Facts, present
from watchdog.actions.tree.fingerprint import Fingerprint, fingerprint
from watchdog.actions.tree.layout import shown
from watchdog.actions.tree.marker import generation_of

PREVIOUS_SEEN, LIVE_SEEN = "previous_seen_digest", "live_seen_digest"
"""Facts: what the kernel said of both when it was looked at."""


def seen(previous: Fingerprint, live: str) -> Facts:
    """Of what was there before their contents were read. Raises OSError."""
    status = os.stat(live)
    told = repr((status.st_dev, status.st_ino, generation_of(live)))
    identity = hashlib.sha256(told.encode()).hexdigest()
    return (PREVIOUS_SEEN, previous.sha256), (LIVE_SEEN, identity)


def why_not(
    facts: Mapping[str, str],
    previous: str,
    live: str,
    mutable: Iterable[str],
    named: Mapping[str, str],
) -> str:
    """What is there otherwise than it was decided for; empty where nothing is. Raises OSError."""
    now = dict(present(live, named))
    for name in (f"present_{name}" for name in named):
        if facts.get(name, "") != now.get(name, ""):
            told = f"{now.get(name) or 'not told'} by now, and not {facts.get(name) or 'not told'}"
            return f"{name.removeprefix('present_')} of {shown(live)} is {told}"
    try:
        found = dict(seen(fingerprint(os.path.realpath(previous), mutable), live))
    except (FileNotFoundError, NotADirectoryError):
        return f"{shown(previous)} is being changed, or gone"
    if found[PREVIOUS_SEEN] != facts.get(PREVIOUS_SEEN):
        return f"{shown(previous)} was written to since its copy was made"
    if found[LIVE_SEEN] != facts.get(LIVE_SEEN):
        return f"{shown(live)} is another folder by now"
    return ""
