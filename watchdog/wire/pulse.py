"""Telling a slow server from our own lateness.

A time-out proves something about the server only if we were there to hear it. The pulse beats
on the same loop as the request and adds up by how much it was late: the loop was blocked, the
process stopped, or the machine starved. Where that is a fair part of the deadline, the request
was late because of us.
"""

from __future__ import annotations

import asyncio
from typing import Self

_OURS_ABOVE = 0.2  # share of the deadline
_BEATS = 20


class Pulse:
    """Use as a context manager around one request."""

    def __init__(self, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._step_seconds = min(0.25, deadline_seconds / _BEATS)
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._late_seconds = 0.0

    def __enter__(self) -> Self:
        self._arm()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        self._due = self._loop.time() + self._step_seconds
        self._timer = self._loop.call_at(self._due, self._beat)

    def _beat(self) -> None:
        self._late_seconds += self._loop.time() - self._due
        self._arm()

    @property
    def late_seconds(self) -> float:
        """How long the loop stood still so far, the beat that is overdue now included."""
        return self._late_seconds + max(0.0, self._loop.time() - self._due)

    @property
    def ours(self) -> bool:
        return self.late_seconds > _OURS_ABOVE * self._deadline_seconds
