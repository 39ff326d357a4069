"""One change of a target that says itself how it stands: a flag, the version of a service.

Look, ask the gates once more, change, and read until it shows or the deadline is over. What stands
already is found so only where a second look shows it, too. Before another try the gates are asked
again. Found open after a restart it is settled by reading alone, and nothing is repeated.

Of a release it is asked, right before the gates, whether what was decided for is still so; where
it is not, nothing is tried, and it is decided anew. It is deployed once, unless it was declared
idempotent, and the version that it displaced is told after the proof.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from watchdog.core.entries import Outcome, StepTaken
from watchdog.core.releases import DeployRelease
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.engine.effects.ending import (
    CHANGE,
    FIRST_PAUSE_SECONDS,
    FOUND_AGAIN_SECONDS,
    LEAST_READ_SECONDS,
    LONGEST_PAUSE_SECONDS,
    PROVE,
    READ_BACK_SECONDS,
    READ_BEFORE,
    SETTLE,
    SETTLE_AT_LEAST_SECONDS,
    Ending,
    overtaken,
)
from watchdog.engine.effects.workbench import Work
from watchdog.ports import Attempt, Attempted

PROOF_SHARE = 0.2
"""The part of the deadline that an attempt leaves to the read-back: a tool that hangs after its
effect would else use up the time in which the effect could be seen."""

PROVE_SECONDS = 10.0
"""The most that is given to asking whether what was decided for is still so."""


class Setting:
    """One intent's way from the first look to the proof."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._bench = work.bench
        self._until = work.entry.deadline
        self._kept = min(READ_BACK_SECONDS, PROOF_SHARE * work.action.deadline_seconds)
        self._said: list[str] = []  # what each try came to, without repeats
        how = work.step.how
        self._release = how if isinstance(how, DeployRelease) else None

    async def go(self) -> Ending:
        """Look, ask once more, change, and prove it."""
        if self._left() <= 0:
            return Ending(Outcome.ABANDONED, "its deadline was over before it could begin")
        before = await self._still(await self._read())
        if before.truth is Truth.TRUE:
            return Ending(
                Outcome.FOUND, f"it stood already: {before.reason}", before.seen, before.at
            )
        name = self._work.entry.intent
        looked = StepTaken(name, READ_BEFORE, before.truth.value, before.reason)
        began = () if self._release is not None else (self._bench.begun(name, CHANGE),)
        if not self._bench.note(looked, *began):
            return Ending(Outcome.ABANDONED, "the journal cannot be written", before.seen)
        return await self._change(before)

    async def resume(self) -> Ending:
        """An intent without an outcome: what the target shows decides, nothing is repeated.

        A change is tried only once its first look is recorded, and of a release, which is asked
        about after that, its beginning. Without that record nothing was sent: what stands was
        found. With it, a tool that outlived us, a request that hangs, or a read that lags may show
        its effect until the deadline; given up before, a pause that comes late would be nobody's,
        and nobody would be told of it.
        """
        tried = any(taken.step == READ_BEFORE for taken in self._work.intent.steps)
        if self._release is not None:
            tried = CHANGE in self._work.intent.began
        self._until = self._bench.now.plus(max(self._left(), SETTLE_AT_LEAST_SECONDS))
        pause = FIRST_PAUSE_SECONDS
        while True:
            seen = await self._read()
            seen = seen if tried else await self._still(seen)
            if seen.truth is Truth.TRUE:
                outcome = Outcome.DONE if tried else Outcome.FOUND
                return await self._stands(outcome, f"settled after a restart: {seen.reason}", seen)
            over = self._left() <= pause
            if tried and over:
                self._cut_off()
            if seen.truth is Truth.FALSE and (over or not tried):
                given_up = Outcome.FAILED if tried and not self._repeatable else Outcome.ABANDONED
                reason = f"after a restart the target is unchanged: {seen.reason}"
                return Ending(given_up, reason, seen.seen)
            if over:
                return Ending(
                    Outcome.UNKNOWN, f"after a restart it cannot be read: {seen.reason}", seen.seen
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _cut_off(self) -> None:
        """On the record, so that it is looked out for: it may have been sent, and may come yet."""
        said = Attempted.UNKNOWN.value, "it was cut off, and what came of it is not known"
        self._bench.note(StepTaken(self._work.entry.intent, CHANGE, *said))

    def _left(self) -> float:
        return self._until.steady - self._bench.now.steady

    async def _read(self) -> CheckReading:
        work = self._work
        return await self._bench.read(
            work.action, work.step.expect, self._until, work.intent.facts, back=not work.forth
        )

    async def _still(self, seen: CheckReading) -> CheckReading:
        """What was seen, where that is no reason to do nothing; else what a second look says."""
        if seen.truth is not Truth.TRUE:
            return seen
        await asyncio.sleep(max(0.0, min(FOUND_AGAIN_SECONDS, self._left() / 4)))
        again = await self._read()
        if again.truth is Truth.TRUE:
            return seen
        return replace(again, reason=f"{again.reason}; a moment before it was: {seen.reason}")

    async def _change(self, seen: CheckReading) -> Ending:
        pause = FIRST_PAUSE_SECONDS
        untouched = True  # nothing that was tried can have had an effect
        while True:
            against = await self._asked() if untouched else None
            stop = self._bench.stopped(self._work.entry) if untouched else ""
            if untouched and self._left() <= 0:
                stop = "its deadline is over"
            if stop:
                reason = f"stopped right before the effect: {stop}"
                return Ending(Outcome.ABANDONED, reason, seen.seen)
            attempt = against or await self._attempt()
            untouched = untouched and attempt.result is Attempted.NOT_DONE
            wait = max(pause, attempt.retry_after_seconds or 0.0)
            again = attempt.result is Attempted.NOT_DONE
            again = again or (attempt.result is Attempted.UNKNOWN and self._repeatable)
            # A try that could not end in time would only hide what the ones before it said.
            again = again and wait + self._kept < self._left()
            seen = await self._prove(attempt, wait if again else self._left())
            if seen.truth is Truth.TRUE:
                outcome = Outcome.FOUND if against is not None else Outcome.DONE
                return await self._stands(outcome, f"read back: {seen.reason}", seen)
            if against is not None and against.result is Attempted.CONFLICT:
                return overtaken(against.reason, seen.seen)
            if not again or self._left() <= 0:
                return self._failed(attempt, seen)
            end = None if untouched else await self._let_again(attempt)
            if end is not None:
                return end
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _let_again(self, attempt: Attempt) -> Ending | None:
        """Wait until the gates let another try follow one that nobody knows the end of: None once
        they do, else how it ends.

        What was sent may still be under way meanwhile, so it is read back.
        """
        pause = FIRST_PAUSE_SECONDS
        while stop := self._bench.stopped(self._work.entry):
            over = self._left() - pause < LEAST_READ_SECONDS
            seen = await self._prove(attempt, self._left() if over else pause)
            if seen.truth is Truth.TRUE:
                return await self._stands(Outcome.DONE, f"read back: {seen.reason}", seen)
            if over:
                self._said.append(f"no other try: {stop}")
                return self._failed(attempt, seen)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return None

    @property
    def _repeatable(self) -> bool:
        """Whether another try may follow one of which nobody knows what came of it."""
        return self._release is None or self._release.idempotent

    async def _asked(self) -> Attempt | None:
        """Of a release: why it may not be deployed by now; None where nothing stands against it."""
        if self._release is None:
            return None
        began, name = self._bench.now, self._work.entry.intent
        seconds = min(PROVE_SECONDS, max(0.1, self._left() / 3))
        how, facts = replace(self._release, asks_only=True), self._work.intent.facts
        asked = await self._bench.attempt(how, name, seconds, facts)
        self._taken(PROVE, asked, began)
        return None if asked.result is Attempted.CLAIMED else asked

    async def _attempt(self) -> Attempt:
        """Try once, and record what the tool or service said of it."""
        name, how = self._work.entry.intent, self._work.step.how
        if self._release is not None and not self._bench.note(self._bench.begun(name, CHANGE)):
            return Attempt(Attempted.NOT_DONE, "the journal cannot be written")
        began = self._bench.now
        seconds = max(self._left() - self._kept, self._left() / 2)
        entry, facts = self._work.entry, self._work.intent.facts
        attempt = await self._bench.attempt(how, name, seconds, facts, start=entry)
        self._taken(CHANGE, attempt, began)
        return attempt

    async def _stands(self, outcome: Outcome, reason: str, seen: CheckReading) -> Ending:
        """It is proven. What a release of ours displaced is told, so that it is known as bad."""
        if self._release is not None and outcome is Outcome.DONE:
            began, facts = self._bench.now, self._work.intent.facts
            settled = await self._bench.settle(
                self._release, self._work.entry.intent, READ_BACK_SECONDS, facts
            )
            self._taken(SETTLE, settled, began)
        return Ending(outcome, reason, seen.seen, seen.at)

    def _taken(self, step: str, attempt: Attempt, began: Instant) -> None:
        took = self._bench.now.steady - began.steady
        said = attempt.result.value, attempt.reason, took, attempt.output
        self._bench.note(StepTaken(self._work.entry.intent, step, *said, facts=attempt.facts))
        came_to = f"{attempt.result.value}: {attempt.reason}"
        if came_to not in self._said and (
            step == CHANGE or attempt.result is not Attempted.CLAIMED
        ):
            self._said.append(came_to)

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
