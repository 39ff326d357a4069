"""One change of a target that says itself how it stands, like a flag.

Look, ask the gates once more, change, and read until it shows or the deadline is over. Found open
after a restart it is settled by reading alone, and nothing is repeated.
"""

from __future__ import annotations

import asyncio

from watchdog.core.entries import Outcome, StepBegan, StepTaken
from watchdog.core.words import CheckReading, Truth
from watchdog.engine.effects.ending import (
    CHANGE,
    FIRST_PAUSE_SECONDS,
    LEAST_READ_SECONDS,
    LONGEST_PAUSE_SECONDS,
    READ_BACK_SECONDS,
    READ_BEFORE,
    SETTLE_AT_LEAST_SECONDS,
    Ending,
)
from watchdog.engine.effects.workbench import Work
from watchdog.ports import Attempt, Attempted

PROOF_SHARE = 0.2
"""The part of the deadline that an attempt leaves to the read-back: a tool that hangs after its
effect would else use up the time in which the effect could be seen."""


class Setting:
    """One intent's way from the first look to the proof."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._bench = work.bench
        self._until = work.entry.deadline
        self._kept = min(READ_BACK_SECONDS, PROOF_SHARE * work.action.deadline_seconds)
        self._said: list[str] = []  # what each try came to, without repeats

    async def go(self) -> Ending:
        """Look, ask once more, change, and prove it."""
        if self._left() <= 0:
            return Ending(Outcome.ABANDONED, "its deadline was over before it could begin")
        before = await self._read()
        if before.truth is Truth.TRUE:
            return Ending(
                Outcome.FOUND, f"it stood already: {before.reason}", before.seen, before.at
            )
        name = self._work.entry.intent
        looked = StepTaken(name, READ_BEFORE, before.truth.value, before.reason)
        if not self._bench.note(looked, StepBegan(name, CHANGE)):
            return Ending(Outcome.ABANDONED, "the journal cannot be written", before.seen)
        return await self._change(before)

    async def resume(self) -> Ending:
        """An intent without an outcome: what the target shows decides, nothing is repeated.

        A change is tried only once its first look is recorded. Without that record nothing was
        sent: what stands was found. With it, a tool that outlived us, a request that hangs, or a
        read that lags may show its effect until the deadline; given up before, a pause that comes
        late would be nobody's, and nobody would be told of it.
        """
        tried = any(taken.step == READ_BEFORE for taken in self._work.intent.steps)
        self._until = self._bench.now.plus(max(self._left(), SETTLE_AT_LEAST_SECONDS))
        pause = FIRST_PAUSE_SECONDS
        while True:
            seen = await self._read()
            if seen.truth is Truth.TRUE:
                return Ending(
                    Outcome.DONE if tried else Outcome.FOUND,
                    f"settled after a restart: {seen.reason}",
                    seen.seen,
                    seen.at,
                )
            over = self._left() <= pause
            if seen.truth is Truth.FALSE and (over or not tried):
                return Ending(
                    Outcome.ABANDONED,
                    f"after a restart the target is unchanged: {seen.reason}",
                    seen.seen,
                )
            if over:
                return Ending(
                    Outcome.UNKNOWN, f"after a restart it cannot be read: {seen.reason}", seen.seen
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _left(self) -> float:
        return self._until.steady - self._bench.now.steady

    async def _read(self) -> CheckReading:
        work = self._work
        return await self._bench.read(
            work.action, work.step.expect, self._until, work.intent.facts, back=not work.forth
        )

    async def _change(self, seen: CheckReading) -> Ending:
        pause = FIRST_PAUSE_SECONDS
        untouched = True  # nothing that was tried can have had an effect
        while True:
            stop = self._bench.stopped(self._work.entry) if untouched else ""
            if untouched and self._left() <= 0:
                stop = "its deadline is over"
            if stop:
                reason = f"stopped right before the effect: {stop}"
                return Ending(Outcome.ABANDONED, reason, seen.seen)
            attempt = await self._attempt()
            untouched = untouched and attempt.result is Attempted.NOT_DONE
            wait = max(pause, attempt.retry_after_seconds or 0.0)
            again = attempt.result in {Attempted.NOT_DONE, Attempted.UNKNOWN}
            # A try that could not end in time would only hide what the ones before it said.
            again = again and wait + self._kept < self._left()
            seen = await self._prove(attempt, wait if again else self._left())
            if seen.truth is Truth.TRUE:
                return Ending(Outcome.DONE, f"read back: {seen.reason}", seen.seen, seen.at)
            if not again or self._left() <= 0:
                return self._failed(attempt, seen)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _attempt(self) -> Attempt:
        """Try once, and record what the tool or service said of it."""
        began = self._bench.now
        seconds = max(self._left() - self._kept, self._left() / 2)
        name, how = self._work.entry.intent, self._work.step.how
        attempt = await self._bench.attempt(how, name, seconds, self._work.intent.facts)
        took = self._bench.now.steady - began.steady
        said = attempt.result.value, attempt.reason, took, attempt.output
        self._bench.note(StepTaken(name, CHANGE, *said))
        came_to = f"{attempt.result.value}: {attempt.reason}"
        if came_to not in self._said:
            self._said.append(came_to)
        return attempt

    async def _prove(self, attempt: Attempt, for_seconds: float) -> CheckReading:
        """Read back until it shows, or for as long as another try, or the deadline, is away."""
        if attempt.result in {Attempted.REFUSED, Attempted.CONFLICT}:
            return await self._read()
        stop = min(self._bench.now.steady + for_seconds, self._until.steady)
        pause = FIRST_PAUSE_SECONDS / 2
        while True:
            seen = await self._read()
            rest = stop - self._bench.now.steady
            if seen.truth is Truth.TRUE or rest <= 0:
                return seen
            if self._left() - min(pause, rest) < LEAST_READ_SECONDS:
                return seen
            await asyncio.sleep(min(pause, rest))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS / 2)

    def _failed(self, attempt: Attempt, seen: CheckReading) -> Ending:
        """Time is up, or no other try makes sense: what was last seen decides."""
        said = ", then ".join(self._said[-2:])
        if attempt.result is Attempted.CONFLICT:
            return Ending(
                Outcome.UNKNOWN, f"somebody else changed it meanwhile ({attempt.reason})", seen.seen
            )
        if seen.truth is Truth.FALSE:
            return Ending(Outcome.FAILED, f"read-back: {seen.reason} ({said})", seen.seen)
        return Ending(Outcome.UNKNOWN, f"cannot be read back: {seen.reason} ({said})", seen.seen)
