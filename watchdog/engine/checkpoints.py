"""Keeps windows, clocks and the time of the last pass, written beside the loop.

Losing one costs warm-up time, never a decision. So what a look has set back is kept at once: a
`for` clock that ran in an older checkpoint would go on after a restart as if nobody had looked, and
two breaches with health between them would count as one.
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
        self._one_at_a_time = asyncio.Lock()  # an older one is never written after a newer
        self._running: frozenset[str] = frozenset()  # the clocks that may run in the newest one
        self._known = True  # what the newest one holds: not after a start, which may have left some
        self._set_back = asyncio.Event()
        passes.looked = self._looked

    def restore(self) -> tuple[str, ...]:
        """Go on from the newest one. Returns what could not be used, in words."""
        self._known = False  # it could not be read, perhaps, or holds clocks that we did not take
        problems = self._memory.restore(self._history.load())
        self._running = self._memory.counting()
        return problems

    async def save(self) -> None:
        """All of it."""
        await self._keep(everything=True)

    async def counting_forever(self) -> None:
        """While a `for` clock runs, a crash may cost a second of it and not a whole checkpoint."""
        while True:
            try:
                async with asyncio.timeout(KEEP_COUNTING_SECONDS):
                    await self._set_back.wait()
            except TimeoutError:
                pass
            self._set_back.clear()
            if self._running or self._memory.counting() or not self._known:
                await self._keep(everything=False)

    def _looked(self) -> None:
        if self._running and not self._running <= self._memory.counting():
            self._set_back.set()

    async def _keep(self, *, everything: bool) -> None:
        async with self._one_at_a_time:
            at = self._passes.completed
            if at is None:
                return
            counting = self._memory.counting()
            items = self._memory.checkpoint(None if everything else counting | self._running)
            items["last_pass"] = f"{at.wall!r} {at.steady!r}".encode()
            self._running |= counting
            if await asyncio.to_thread(self._history.save, items):
                self._running, self._known = counting, True


def last_pass(history: History) -> Instant | None:
    """When a pass was last completed and kept, by the process before this one."""
    found = history.load().get("last_pass")
    if found is None:
        return None
    wall, steady = found.decode().split()
    return Instant(float(wall), float(steady))
