"""Several steps on the way to one desired state: change, verify, publish, read back, settle.

Laws: each step is on the record before it begins and after it ended, with what it learned. A step
looks at its mark at the target and repeats nothing, so that after a crash the way goes on from the
step that was cut off; one that was cut off three times is left to people. A failure before any
effect changes nothing. After one the target is brought back to a whole state, once, and that is
proven as well; what cannot be proven either way is handed to a person, and nothing is tried again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from watchdog.core.book import OpenIntent
from watchdog.core.entries import Outcome, StepBegan, StepTaken
from watchdog.core.filling_in import Lacking, filled_how
from watchdog.core.spec import ActionSpec, How, Step
from watchdog.core.trees import Facts, RestoreSystem, SwapTree, merged
from watchdog.core.words import CheckReading, Direction, Instant, Truth
from watchdog.engine.effects.ending import (
    FIRST_PAUSE_SECONDS,
    LEAST_READ_SECONDS,
    LONGEST_PAUSE_SECONDS,
    SETTLE_AT_LEAST_SECONDS,
    Ending,
)
from watchdog.engine.effects.workbench import Workbench
from watchdog.ports import Attempt, Attempted

READ_BEFORE = "read_before"
CHANGE, PUBLISH, READ_BACK, SETTLE = "change", "publish", "read_back", "settle"
BACK = "back: "
"""Before the name of a step on the way back to what stood before."""

WAY_BACK_SHARE = 1 / 3
"""The part of the deadline that is kept for the way back."""

MOST_CRASHES = 3
PROVEN = "proven"
"""The fact by which a swap says whether the content that stands now is the one that was meant."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why the way forward ends here, and whether anything at the target was changed by then."""

    reason: str
    changed: bool = True
    unknown: bool = False  # nothing can be told, so nothing more may be tried
    stopped: bool = False  # by a gate, right before the effect


class Replacing:
    """One intent's way through its steps, or back."""

    def __init__(
        self, bench: Workbench, intent: OpenIntent, action: ActionSpec, step: Step
    ) -> None:
        self._bench = bench
        self._intent = intent
        self._entry = intent.entry
        self._action = action
        self._step = step
        self._facts: Facts = intent.facts
        self._done = {taken.step for taken in intent.steps if taken.result == Attempted.CLAIMED}
        self._until = intent.entry.deadline
        self._way_back_seconds = WAY_BACK_SHARE * action.deadline_seconds

    # -- the two ways in ---------------------------------------------------------------------------

    async def go(self) -> Ending:
        """From the beginning."""
        if self._left() <= 0:
            return Ending(Outcome.ABANDONED, "its deadline was over before it could begin")
        before = await self._read(self._until)
        if before.truth is Truth.TRUE and not self._whole():
            reason = f"it stood already: {before.reason}"
            return Ending(Outcome.FOUND, reason, before.seen, before.at)
        looked = StepTaken(self._entry.intent, READ_BEFORE, before.truth.value, before.reason)
        if not self._bench.note(looked):
            return Ending(Outcome.ABANDONED, "the journal cannot be written", before.seen)
        return await self._forward()

    async def resume(self) -> Ending:
        """After a restart: go on from the step that was cut off, or give up what had not begun."""
        cut, in_vain = self._intent.cut_off()
        if in_vain >= MOST_CRASHES:
            return Ending(
                Outcome.UNKNOWN,
                f"{cut!r} was begun {in_vain} times and never ended: it is left to people",
            )
        # What is half done is brought to an end, however long nobody was there to do it.
        least = self._bench.now.plus(
            max(SETTLE_AT_LEAST_SECONDS, self._action.deadline_seconds - self._way_back_seconds)
        )
        self._until = max(self._until, least, key=lambda instant: instant.steady)
        if CHANGE not in self._done:
            stands = await self._mark()
            if stands.truth is Truth.FALSE:
                return Ending(
                    Outcome.ABANDONED, f"after a restart nothing is changed: {stands.reason}"
                )
            if stands.truth is Truth.UNKNOWN:
                return Ending(
                    Outcome.UNKNOWN, f"after a restart it cannot be told: {stands.reason}"
                )
        failed = next((t for t in reversed(self._intent.steps) if _ended_it(t)), None)
        if any(name.startswith(BACK) for name in self._intent.began):
            reason = f"{failed.step}: {failed.reason}" if failed else "it failed before a restart"
            return await self._way_back(_Failure(reason))
        return await self._forward()

    # -- forward -----------------------------------------------------------------------------------

    async def _forward(self) -> Ending:
        failure = await self._change() if CHANGE not in self._done else None
        failure = failure or await self._verify()
        failure = failure or await self._publish("")
        if failure is not None:
            return await self._give_up(failure)
        stop = self._until.plus(-self._way_back_seconds)
        seen = await self._prove(stop, back=False)
        if seen.truth is Truth.FALSE:
            return await self._way_back(_Failure(f"read-back: {seen.reason}"))
        if seen.truth is Truth.UNKNOWN:
            return Ending(Outcome.UNKNOWN, f"cannot be read back: {seen.reason}", seen.seen)
        left = await self._settle()
        return Ending(Outcome.DONE, f"read back: {seen.reason}{left}", seen.seen, seen.at)

    async def _change(self) -> _Failure | None:
        pause = FIRST_PAUSE_SECONDS
        untouched = True
        while True:
            stop = self._bench.stopped(self._entry) if untouched and not self._begun() else ""
            if stop:
                return _Failure(stop, changed=False, stopped=True)
            attempt = await self._try(CHANGE, self._step.how)
            untouched = untouched and attempt.result in {Attempted.NOT_DONE, Attempted.REFUSED}
            proven = dict(attempt.facts).get(PROVEN, "")
            if proven.startswith("no"):
                return _Failure(f"what stands now is not what was meant: {proven}")
            said = f"{attempt.result.value}: {attempt.reason}"
            match attempt.result:
                case Attempted.CLAIMED:
                    return None
                case Attempted.REFUSED:
                    return _Failure(said, changed=not untouched, unknown=not untouched)
                case Attempted.CONFLICT:
                    return _Failure(f"somebody else changed it meanwhile: {said}", unknown=True)
                case _:
                    wait = max(pause, attempt.retry_after_seconds or 0.0)
                    if wait >= self._left() - self._way_back_seconds:
                        return _Failure(said, changed=not untouched, unknown=not untouched)
                    await asyncio.sleep(wait)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _verify(self) -> _Failure | None:
        """Each command once: it only looks, and one that does not pass has not verified."""
        for number, command in enumerate(self._action.verify, start=1):
            name = f"verify {number}"
            if name in self._done:
                continue
            attempt = await self._try(name, command)
            if attempt.result is not Attempted.CLAIMED:
                return _Failure(f"{' '.join(command.argv)}: {attempt.reason}")
        return None

    async def _publish(self, back: str) -> _Failure | None:
        publish, name = self._action.publish, back + PUBLISH
        if publish is None or name in self._done:
            return None
        if self._intent.cut_off()[0] == name and not publish.idempotent:
            return _Failure(
                f"{name} was cut off, and may not be repeated: it is not declared idempotent",
                unknown=True,
            )
        pause = FIRST_PAUSE_SECONDS
        while True:
            attempt = await self._try(name, publish.command, to_the_end=bool(back))
            if attempt.result is Attempted.CLAIMED:
                return None
            said = f"{' '.join(publish.command.argv)}: {attempt.reason}"
            if attempt.result is Attempted.UNKNOWN and not publish.idempotent:
                return _Failure(f"{said}, and it is not declared idempotent", unknown=True)
            kept = 0.0 if back else self._way_back_seconds
            again = attempt.result in {Attempted.NOT_DONE, Attempted.UNKNOWN}
            if not again or pause >= self._left() - kept:
                return _Failure(said)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _settle(self) -> str:
        """What only the way needed is cleared away; that it cannot be is told, and no failure."""
        name, began = self._entry.intent, self._bench.now
        self._bench.note(StepBegan(name, SETTLE))
        settled = await self._bench.actuator.settle(
            self._step.how, key=name, deadline_seconds=max(1.0, self._left()), facts=self._facts
        )
        self._note_taken(SETTLE, settled, began)
        return "" if settled.result is Attempted.CLAIMED else f"; not settled: {settled.reason}"

    # -- and back ----------------------------------------------------------------------------------

    async def _give_up(self, failure: _Failure) -> Ending:
        if failure.stopped:
            return Ending(Outcome.ABANDONED, f"stopped right before the effect: {failure.reason}")
        if failure.unknown:
            return Ending(Outcome.UNKNOWN, failure.reason)
        if not failure.changed:
            return Ending(Outcome.FAILED, f"nothing was changed: {failure.reason}")
        return await self._way_back(failure)

    async def _way_back(self, failure: _Failure) -> Ending:
        """Once: put back what stood before, serve it, and prove that as well."""
        how = self._how_back()
        if how is None:
            return Ending(
                Outcome.UNKNOWN, f"{failure.reason}; it has no way back, and stays as it is"
            )
        least = self._bench.now.plus(self._way_back_seconds)
        self._until = max(self._until, least, key=lambda instant: instant.steady)
        name = BACK + CHANGE
        attempt = await self._until_claimed(name, how)
        if attempt.result is not Attempted.CLAIMED:
            return Ending(
                Outcome.UNKNOWN,
                f"{failure.reason}; and it could not be put back: {attempt.reason}",
            )
        published = any(taken.startswith(PUBLISH) for taken in self._tried())
        again = await self._publish(BACK) if published else None
        if again is not None:
            return Ending(
                Outcome.UNKNOWN,
                f"{failure.reason}; it was put back, and not served: {again.reason}",
            )
        seen = await self._prove(self._until, back=True)
        if seen.truth is not Truth.TRUE:
            return Ending(
                Outcome.UNKNOWN,
                f"{failure.reason}; it was put back, which is not proven: {seen.reason}",
                seen.seen,
            )
        return Ending(
            Outcome.FAILED,
            f"{failure.reason}; it was put back, and what stood before is served: {seen.reason}",
            seen.seen,
        )

    def _how_back(self) -> How | None:
        """A tree is exchanged back; other things are done as a person would undo them."""
        if isinstance(self._step.how, SwapTree):
            return replace(self._step.how, displaced=not self._step.how.displaced)
        if isinstance(self._step.how, RestoreSystem):
            return None  # undone on request alone, by the helper that did it
        other = self._action.undo if self._forth() else self._action.do
        return other.how if other is not None else None

    async def _until_claimed(self, name: str, how: How) -> Attempt:
        pause = FIRST_PAUSE_SECONDS
        while True:
            attempt = await self._try(name, how, to_the_end=True, back=True)
            again = attempt.result in {Attempted.NOT_DONE, Attempted.UNKNOWN}
            if not again or pause >= self._left():
                return attempt
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    # -- one step ----------------------------------------------------------------------------------

    async def _try(
        self, name: str, how: How, *, to_the_end: bool = False, back: bool = False
    ) -> Attempt:
        """One attempt, on the record before and after; it leaves the time for the way back."""
        intent, began = self._entry.intent, self._bench.now
        made = filled_how(how, self._facts, back=back is self._forth())
        if isinstance(made, Lacking):
            return Attempt(Attempted.REFUSED, made.reason)
        if not self._bench.note(StepBegan(intent, name)):
            return Attempt(Attempted.NOT_DONE, "the journal cannot be written")
        seconds = max(0.1, self._left() - (0.0 if to_the_end else self._way_back_seconds))
        try:
            attempt = await self._bench.attempt(made, intent, seconds, self._facts)
        except asyncio.CancelledError:
            stopping = Attempt(Attempted.UNKNOWN, "the watchdog is stopping")
            self._note_taken(name, stopping, began)
            raise
        self._note_taken(name, attempt, began)
        return attempt

    def _note_taken(self, name: str, attempt: Attempt, began: Instant) -> None:
        took = self._bench.now.steady - began.steady
        said = attempt.result.value, attempt.reason, took, attempt.output
        self._bench.note(StepTaken(self._entry.intent, name, *said, facts=attempt.facts))
        self._facts = merged(self._facts, attempt.facts)

    async def _prove(self, until: Instant, *, back: bool) -> CheckReading:
        """Read until it shows what it should, or time is up."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            seen = await self._read(until, back=back)
            rest = until.steady - self._bench.now.steady
            if seen.truth is Truth.TRUE or rest - min(pause, rest) < LEAST_READ_SECONDS:
                break
            await asyncio.sleep(min(pause, rest))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        name = (BACK if back else "") + READ_BACK
        self._bench.note(StepTaken(self._entry.intent, name, seen.truth.value, seen.reason))
        return seen

    async def _read(self, until: Instant, *, back: bool = False) -> CheckReading:
        """What is served, against what it should be: forth as meant, back as it stood before."""
        return await self._bench.read(
            self._action, self._step.expect, until, self._facts, back=back is self._forth()
        )

    async def _mark(self) -> CheckReading:
        """Whether anything was changed: by its mark, or where it has none, by what is served."""
        if not self._whole():
            stop = self._until.plus(-self._way_back_seconds)
            return await self._prove(stop, back=False)
        return await self._bench.actuator.stands(
            self._step.how,
            key=self._entry.intent,
            deadline_seconds=max(SETTLE_AT_LEAST_SECONDS, self._way_back_seconds),
            facts=self._facts,
        )

    def _whole(self) -> bool:
        """What is served may be as wanted before: a file can be broken that nobody serves."""
        return isinstance(self._step.how, SwapTree | RestoreSystem)

    def _forth(self) -> bool:
        return self._entry.direction is Direction.DO

    def _begun(self) -> bool:
        return CHANGE in self._intent.began

    def _tried(self) -> set[str]:
        found = self._bench.recorder.book.intents.get(self._entry.intent, self._intent)
        return set(found.began)

    def _left(self) -> float:
        return self._until.steady - self._bench.now.steady


def _ended_it(taken: StepTaken) -> bool:
    """Whether this step's outcome is why the way forward ended."""
    forward = not taken.step.startswith(BACK) and taken.step != READ_BEFORE
    return forward and taken.result not in {Attempted.CLAIMED, Truth.TRUE}
