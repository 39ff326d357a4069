"""Whether the machine's clock is synchronised, as timedated says."""

from __future__ import annotations

from watchdog.core.words import Truth
from watchdog.wire.process import Exited, run

_ASK = ("show", "--property=NTPSynchronized", "--value")
_DEADLINE_SECONDS = 5.0


async def time_synced(
    tool: str = "timedatectl", deadline_seconds: float = _DEADLINE_SECONDS
) -> Truth:
    """UNKNOWN where timedated cannot be asked."""
    ended = await run((tool, *_ASK), deadline_seconds=deadline_seconds)
    if not isinstance(ended, Exited) or ended.status != 0:
        return Truth.UNKNOWN
    return Truth.of(ended.stdout.text.strip() == "yes")
