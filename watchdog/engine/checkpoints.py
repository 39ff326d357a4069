"""Keeps windows, clocks and the time of the last pass, written beside the loop.

Losing one costs warm-up time, never a decision.
"""

from __future__ import annotations

import asyncio

from watchdog.core.memory import Memory
from watchdog.core.words import Instant
from watchdog.engine.passes import Passes
from watchdog.ports import History

KEEP_COUNTING_SECONDS = 1.0


class Checkpoints:
    """One per process, leading or not."""

    def __init__(self, memory: Memory, history: History, passes: Passes) -> None:
        self._memory = memory
        self._history = history
        self._passes = passes

    async def save(self) -> None:
        """All of it."""
        await self._keep(self._memory.checkpoint())

    async def counting_forever(self) -> None:
        """While a `for` clock runs, a crash may cost a second of it and not a whole checkpoint."""
        while True:
            await asyncio.sleep(KEEP_COUNTING_SECONDS)
            counting = self._memory.counting()
            if counting:
                await self._keep(self._memory.checkpoint(counting))

    async def _keep(self, items: dict[str, bytes]) -> None:
        at = self._passes.completed
        if at is not None:
            items["last_pass"] = f"{at.wall!r} {at.steady!r}".encode()
            await asyncio.to_thread(self._history.save, items)


def last_pass(history: History) -> Instant | None:
    """When a pass was last completed and kept, by the process before this one."""
    found = history.load().get("last_pass")
    if found is None:
        return None
    wall, steady = found.decode().split()
    return Instant(float(wall), float(steady))
