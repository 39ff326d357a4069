"""Asks a source, beside its polls, what nobody judges: it delays no poll and blinds no rule.

Laws
* A reading is judged first; only then is the rest of its moment asked for. While that is under way
  polls go on; of the readings that come meanwhile the newest alone is asked on.
* One question of a source is under way at a time, and it ends within the source's deadline.
* What was not answered rests for a multiple of the time that it took. So a question that hangs
  keeps the others of its source waiting for a small share of the time, and burdens it as little.
* Whatever goes wrong is told to those who count, as why they do not know, and to nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from watchdog.core.memory import SourceMemory
from watchdog.core.samples import Failure, Fault, Reading
from watchdog.core.words import Blind
from watchdog.ports import Clock

REST = 9.0
"""How long a question rests that failed, by the time that it took: a tenth of the time it asks."""


class Beside:
    """Of one source. `hear` is told what came of which question."""

    def __init__(
        self,
        memory: SourceMemory,
        clock: Clock,
        hear: Callable[[Reading, Sequence[str]], None],
        deadline_seconds: float,
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._hear = hear
        self._deadline_seconds = deadline_seconds
        self._newest: Reading | None = None
        self._came = asyncio.Event()
        self._rests_until: dict[tuple[str, ...], float] = {}

    def offer(self, reading: Reading) -> None:
        """A poll has ended, and what it brought is judged."""
        if self._memory.aside:
            self._newest = reading
            self._came.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            reading, self._newest = self._newest, None
            if reading is not None:
                await self._ask(reading)
            del reading  # it may hold a whole page

    async def _ask(self, polled: Reading) -> None:
        for question in self._memory.questions:
            if not self._rests(question):
                self._hear(await self._answered(polled, question), question)

    def _rests(self, question: tuple[str, ...]) -> bool:
        return self._clock.now().steady < self._rests_until.get(question, 0.0)

    async def _answered(self, polled: Reading, question: tuple[str, ...]) -> Reading:
        if polled.aside is None:
            return polled  # it failed, or holds all that there is
        began = self._clock.now().steady
        try:
            async with asyncio.timeout(self._deadline_seconds):
                reading = await polled.aside(question)
        except TimeoutError:
            reading = self._failed(
                polled, f"no answer within {self._deadline_seconds:g} s: cut off"
            )
        except Exception as error:  # noqa: BLE001  # a source's bug costs an answer, not the daemon
            reading = self._failed(polled, f"{type(error).__name__}: {error}")
        ended = self._clock.now().steady
        answers = [reading.answers.get(text) for text in question]
        if reading.failure is not None or any(a is not None and a.failure for a in answers):
            self._rests_until[question] = ended + REST * (ended - began)
        return reading

    def _failed(self, polled: Reading, reason: str) -> Reading:
        took = self._clock.now().steady - polled.at.steady
        failure = Failure(Fault.OURS, Blind.OURS, reason)
        return Reading(polled.source, polled.at, took, failure=failure)
