"""Moments and durations as papers write them: in UTC, and as the clock on a wall showed them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import tzinfo

from watchdog.core.text import duration
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True)
class Clock:
    """`zone` None is that of the machine, with the summer time of each day.

    Where its clock shows UTC, a time is told once.
    """

    zone: tzinfo | None = None

    def utc(self, at: Instant | None) -> str:
        return "" if at is None else f"{at.utc:%Y-%m-%d %H:%M:%S}Z"

    def local(self, at: Instant | None) -> str:
        return "" if at is None else f"{at.utc.astimezone(self.zone):%Y-%m-%d %H:%M:%S %Z}"

    def differs(self, at: Instant) -> bool:
        """Whether the clock on the wall showed something else than UTC."""
        return bool(at.utc.astimezone(self.zone).utcoffset())

    def both(self, at: Instant | None) -> str:
        if at is None or not self.differs(at):
            return self.utc(at)
        return f"{self.utc(at)} ({self.local(at)})"


def lasted(seconds: float, digits: int = 1) -> str:
    """A duration with no more digits than people read."""
    return duration(round(seconds, digits) if math.isfinite(seconds) else seconds)
