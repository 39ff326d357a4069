"""One step at a time, on the record before it begins and after it ended.

What a step learned is known to those after it, and to who resumes after a crash.
"""

from __future__ import annotations

import asyncio

from watchdog.core.entries import StepTaken
from watchdog.core.spec import How
from watchdog.core.trees import Facts, merged
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.engine.effects.ending import (
    FIRST_PAUSE_SECONDS,
    LEAST_READ_SECONDS,
    LONGEST_PAUSE_SECONDS,
)
from watchdog.engine.effects.workbench import Work
from watchdog.ports import Attempt, Attempted

READ_BACK, SETTLE = "read_back", "settle"
BACK = "back: "
"""Before the name of a step on the way back to what stood before."""

WAY_BACK_SHARE = 1 / 3
"""The part of the deadline that is kept for the way back."""


class Steps:
    """Of one intent. `until` is when it must have ended, the way back included."""

    def __init__(self, work: Work) -> None:
        self.facts: Facts = work.intent.facts
        self.until: Instant = work.entry.deadline
        self.way_back_seconds = WAY_BACK_SHARE * work.action.deadline_seconds
        self._work = work
        self._bench = work.bench
        self._intent = work.entry.intent
        self._begun = set(work.intent.began)
        taken = work.intent.steps
        self._done = {one.step for one in taken if one.result == Attempted.CLAIMED}

    @property
    def left(self) -> float:
        return self.until.steady - self._bench.now.steady

    @property
    def left_forward(self) -> float:
        """Without the time that is kept for the way back."""
        return self.left - self.way_back_seconds

    def at_least(self, seconds: float) -> None:
        """What is half done is brought to an end, however late it is."""
        least = self._bench.now.plus(seconds)
        self.until = max(self.until, least, key=lambda instant: instant.steady)

    def is_done(self, name: str) -> bool:
        return name in self._done

    def was_begun(self, name: str) -> bool:
        return name in self._begun

    async def try_once(
        self, name: str, how: How, *, back: bool = False, gated: bool = False
    ) -> Attempt:
        """One attempt at a step; on the way forward it leaves the time for the way back.

        `gated` is what the gates may stop up to the last moment.
        """
        began = self._bench.now
        if not self._bench.note(self._bench.begun(self._intent, name)):
            return Attempt(Attempted.NOT_DONE, "the journal cannot be written")
        self._begun.add(name)
        seconds = max(0.1, self.left if back else self.left_forward)
        try:
            start = self._work.entry if gated else None
            attempt = await self._bench.attempt(how, self._intent, seconds, self.facts, start=start)
        except asyncio.CancelledError:
            stopping = Attempt(Attempted.UNKNOWN, "the watchdog is stopping")
            self._taken(name, stopping, began)
            raise
        self._taken(name, attempt, began)
        return attempt

    async def try_until_done(self, name: str, how: How) -> Attempt:
        """On the way back: again and again, until it is claimed, refused, or time is up."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            attempt = await self.try_once(name, how, back=True)
            again = attempt.result in {Attempted.NOT_DONE, Attempted.UNKNOWN}
            if not again or pause >= self.left:
                return attempt
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def settle(self) -> Attempt:
        """Clear away what only the way there needed."""
        began = self._bench.now
        if not self._bench.note(self._bench.begun(self._intent, SETTLE)):
            return Attempt(Attempted.NOT_DONE, "the journal cannot be written")
        seconds = max(1.0, self.left)
        settled = await self._bench.settle(self._work.step.how, self._intent, seconds, self.facts)
        self._taken(SETTLE, settled, began)
        return settled

    async def mark(self, deadline_seconds: float) -> CheckReading:
        """Whether anything was changed, by the mark at the target."""
        how, key = self._work.step.how, self._intent
        return await self._bench.actuator.stands(
            how, key=key, deadline_seconds=deadline_seconds, facts=self.facts
        )

    async def prove(self, until: Instant, *, back: bool = False) -> CheckReading:
        """Read until it shows what it should, or time is up; on the record."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            seen = await self.read(until, back=back)
            rest = until.steady - self._bench.now.steady
            if seen.truth is Truth.TRUE or rest - min(pause, rest) < LEAST_READ_SECONDS:
                break
            await asyncio.sleep(min(pause, rest))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        name = (BACK if back else "") + READ_BACK
        self._bench.note(StepTaken(self._intent, name, seen.truth.value, seen.reason))
        return seen

    async def read(self, until: Instant, *, back: bool = False) -> CheckReading:
        """What is served, against what it should be: forth as meant, back as it stood before."""
        work = self._work
        return await self._bench.read(
            work.action, work.step.expect, until, self.facts, back=back is work.forth
        )

    def _taken(self, name: str, attempt: Attempt, began: Instant) -> None:
        took = self._bench.now.steady - began.steady
        said = attempt.result.value, attempt.reason, took, attempt.output
        self._bench.note(StepTaken(self._intent, name, *said, facts=attempt.facts))
        self.facts = merged(self.facts, attempt.facts)
