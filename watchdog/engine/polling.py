"""Polls one source on its own clock: a hung one delays nobody else, a late one catches nothing up.

It asks for what is judged and for nothing else; what nobody judges is asked beside it. The source
keeps its own deadline; the one here is for a source that breaks that promise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from watchdog.core.memory import SourceMemory
from watchdog.core.samples import Failure, Fault, Reading
from watchdog.core.words import Blind, Instant
from watchdog.engine.beside import Beside
from watchdog.ports import Clock, MetricSource

GRACE_SECONDS = 1.0
"""How far a source may overrun its own deadline before it is cut off here."""

ALIGNED_WITHIN = 0.02
"""How late a poll may start, as a share of its interval, and still count as on time."""


class Poller:
    """One source's loop. `arrived` judges; `hear_aside` is told what nobody judges."""

    def __init__(
        self,
        source: MetricSource,
        memory: SourceMemory,
        clock: Clock,
        arrived: Callable[[Reading], None],
        hear_aside: Callable[[Reading, Sequence[str]], None],
    ) -> None:
        self.source = source
        self.memory = memory
        self._clock = clock
        self._arrived = arrived
        deadline_seconds = memory.spec.deadline_seconds + GRACE_SECONDS
        self._beside = Beside(memory, clock, hear_aside, deadline_seconds)

    async def run(self) -> None:
        """Until cancelled."""
        beside = asyncio.create_task(self._beside.run(), name=f"beside {self.source.name}")
        try:
            await self._poll_forever()
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    async def _poll_forever(self) -> None:
        """Polls are `every` apart on the steady clock; missed ones are skipped."""
        every = self.memory.spec.every_seconds
        due = self._clock.now().steady
        while True:
            self._take(await self._poll(_aligned(self._clock.now(), due, every)))
            due += every
            late = self._clock.now().steady - due
            if late > 0:
                missed = int(late // every) + 1
                self.memory.missed += missed
                due += missed * every
            await asyncio.sleep(max(0.0, due - self._clock.now().steady))

    def _take(self, reading: Reading) -> None:
        """Have it judged, without what it can answer beside that: it may hold a whole page."""
        self._arrived(reading if reading.aside is None else replace(reading, aside=None))
        self._beside.offer(reading)

    async def _poll(self, at: Instant) -> Reading:
        deadline = self.memory.spec.deadline_seconds + GRACE_SECONDS
        try:
            async with asyncio.timeout(deadline):
                return await self.source.poll(at, self.memory.judged)
        except TimeoutError:
            return self._failed(at, f"no reading within {deadline:g} s: cut off")
        except Exception as error:  # noqa: BLE001  # a source's bug blinds its rules, not the daemon
            return self._failed(at, f"{type(error).__name__}: {error}")

    def _failed(self, at: Instant, reason: str) -> Reading:
        took = self._clock.now().steady - at.steady
        failure = Failure(Fault.OURS, Blind.OURS, reason)
        return Reading(self.source.name, at, took, failure=failure)


def _aligned(now: Instant, due: float, every: float) -> Instant:
    """The instant to pin a poll to: the one it was due at, when that is just past.

    Without it the loop's own jitter makes three intervals of 1 s last 2.995 s, and a `for` of 3 s
    is reached a whole poll late.
    """
    late = now.steady - due
    return now.plus(-late) if 0 <= late < ALIGNED_WITHIN * every else now
