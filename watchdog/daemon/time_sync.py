"""Whether the machine's clock is synchronised, as timedated says."""

from __future__ import annotations

from watchdog.core.words import Truth
from watchdog.wire.process import Exited, run

_ASK = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
_DEADLINE_SECONDS = 5.0


async def time_synced() -> Truth:
    """UNKNOWN where timedated cannot be asked."""
    ended = await run(_ASK, deadline_seconds=_DEADLINE_SECONDS)
    if not isinstance(ended, Exited) or ended.status != 0:
        return Truth.UNKNOWN
    return Truth.of(ended.stdout.text.strip() == "yes")
