"""The lease of a store that one process holds alone: its lock on the file is one.

So it always leads, in the one epoch that there is. The engine asks it like any other.
"""

from __future__ import annotations

import math

from watchdog.ports import FIRST_EPOCH, Clock, Lead


class SoleLease:
    """`ports.Lease` beside `SqliteJournal`, whose lock on the state folder is the real one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._holder = ""

    def ask(self, holder: str, lease_seconds: float) -> Lead:
        """Always ours, for ever."""
        del lease_seconds
        self._holder = holder
        return self.look()

    def look(self) -> Lead:
        return Lead(self._holder, FIRST_EPOCH, self._clock.now().steady, math.inf, mine=True)

    def yield_(self) -> None:
        """There is nobody to yield to."""

    def close(self) -> None:
        """The journal holds the lock."""
