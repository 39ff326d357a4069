"""Several steps on the way to one desired state: change, verify, publish, read back, settle.

Laws: a step looks at its mark at the target and repeats nothing, so that after a crash the way
goes on from the step that was cut off; one that was cut off three times is left to people. A
failure before any effect changes nothing, and where nobody knows what a try came to, no other
follows unless the gates let it. After an effect the target is brought back to a whole state, once,
and that is proven as well; what cannot be proven either way is handed to a person, and nothing is
tried again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from watchdog.core.entries import Outcome, StepTaken
from watchdog.core.spec import How
from watchdog.core.trees import SwapTree
from watchdog.core.words import CheckReading, Truth
from watchdog.engine.effects.ending import (
    CHANGE,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    READ_BEFORE,
    SETTLE_AT_LEAST_SECONDS,
    Ending,
    overtaken,
)
from watchdog.engine.effects.steps import BACK, Steps
from watchdog.engine.effects.workbench import Work
from watchdog.ports import Attempt, Attempted

PUBLISH = "publish"

MOST_CRASHES = 3
PROVEN = "proven"
"""The fact by which a swap says whether the content that stands now is the one that was meant."""

_NOTHING_DONE = {Attempted.NOT_DONE, Attempted.REFUSED, Attempted.CONFLICT}


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why the way forward ends here, and whether anything at the target was changed by then."""

    reason: str
    changed: bool = True
    unknown: bool = False  # nothing can be told, so nothing more may be tried
    stopped: bool = False  # by a gate, right before the effect
    overtaken: bool = False  # what is there is not what was decided for


class Replacing:
    """One intent's way through its steps, or back."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._bench = work.bench
        self._steps = Steps(work)

    # -- the two ways in ---------------------------------------------------------------------------

    async def go(self) -> Ending:
        """From the beginning."""
        if self._steps.left <= 0:
            return Ending(Outcome.ABANDONED, "its deadline was over before it could begin")
        before = await self._steps.read(self._steps.until)
        if before.truth is Truth.TRUE and (await self._mark()).truth is Truth.TRUE:
            reason = f"it stood already: {before.reason}"
            return Ending(Outcome.FOUND, reason, before.seen, before.at)
        name = self._work.entry.intent
        looked = StepTaken(name, READ_BEFORE, before.truth.value, before.reason)
        if not self._bench.note(looked):
            return Ending(Outcome.ABANDONED, "the journal cannot be written", before.seen)
        return await self._forward()

    async def resume(self) -> Ending:
        """After a restart: go on from the step that was cut off, or give up what had not begun."""
        cut, in_vain = self._work.intent.cut_off()
        if in_vain >= MOST_CRASHES:
            return Ending(
                Outcome.UNKNOWN,
                f"{cut!r} was begun {in_vain} times and never ended: it is left to people",
            )
        self._steps.at_least(SETTLE_AT_LEAST_SECONDS)
        if not self._steps.is_done(CHANGE):
            stands = await self._mark_in_time()
            if stands.truth is Truth.FALSE:
                return Ending(
                    Outcome.ABANDONED, f"after a restart nothing is changed: {stands.reason}"
                )
            if stands.truth is Truth.UNKNOWN:
                return Ending(
                    Outcome.UNKNOWN, f"after a restart it cannot be told: {stands.reason}"
                )
        forward = self._work.action.deadline_seconds - self._steps.way_back_seconds
        self._steps.at_least(max(SETTLE_AT_LEAST_SECONDS, forward))
        if any(name.startswith(BACK) for name in self._work.intent.began):
            failed = next((t for t in reversed(self._work.intent.steps) if _ended_it(t)), None)
            reason = f"{failed.step}: {failed.reason}" if failed else "it failed before a restart"
            return await self._way_back(_Failure(reason))
        return await self._forward()

    # -- forward -----------------------------------------------------------------------------------

    async def _forward(self) -> Ending:
        failure = await self._change() if not self._steps.is_done(CHANGE) else None
        failure = failure or await self._verify()
        failure = failure or await self._publish("")
        if failure is not None:
            return await self._give_up(failure)
        seen = await self._steps.prove(self._steps.until.plus(-self._steps.way_back_seconds))
        if seen.truth is Truth.FALSE:
            return await self._way_back(_Failure(f"read-back: {seen.reason}"))
        if seen.truth is Truth.UNKNOWN:
            return Ending(Outcome.UNKNOWN, f"cannot be read back: {seen.reason}", seen.seen)
        settled = await self._steps.settle()
        left = "" if settled.result is Attempted.CLAIMED else f"; not settled: {settled.reason}"
        return Ending(Outcome.DONE, f"read back: {seen.reason}{left}", seen.seen, seen.at)

    async def _change(self) -> _Failure | None:
        pause = FIRST_PAUSE_SECONDS
        untouched, resumed = True, self._steps.was_begun(CHANGE)
        gated = not resumed
        while True:
            stop = self._bench.stopped(self._work.entry) if untouched and not resumed else ""
            if stop:
                return _Failure(stop, changed=False, stopped=True)
            attempt = await self._steps.try_once(CHANGE, self._work.step.how, gated=gated)
            untouched = untouched and attempt.result in _NOTHING_DONE
            failure = _ends_here(attempt, untouched=untouched, resumed=resumed)
            if failure is not None or attempt.result is Attempted.CLAIMED:
                return failure
            said = f"{attempt.result.value}: {attempt.reason}"
            wait = max(pause, attempt.retry_after_seconds or 0.0)
            if wait >= self._steps.left_forward:
                return _Failure(said, changed=not untouched, unknown=not untouched)
            await asyncio.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            if not untouched:
                let = await self._let_again(said)
                if isinstance(let, _Failure):
                    return let
                gated = let

    async def _let_again(self, said: str) -> bool | _Failure:
        """Wait until the gates let another try follow one that nobody knows the end of, or why
        none may. True where it is theirs to stop still, False where the one before came.

        What was sent may still be under way meanwhile, so its mark is looked at.
        """
        pause = FIRST_PAUSE_SECONDS
        while stop := self._bench.stopped(self._work.entry):
            stands = await self._mark()
            if stands.truth is Truth.TRUE:
                return False  # it came: what follows brings it to an end
            if self._steps.left_forward <= 0:  # nothing that was sent can come any more
                unknown = stands.truth is Truth.UNKNOWN
                return _Failure(f"{said}; no other try: {stop}", changed=False, unknown=unknown)
            await asyncio.sleep(min(pause, self._steps.left_forward))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return True

    async def _verify(self) -> _Failure | None:
        """Each command once: it only looks, and one that does not pass has not verified."""
        for number, command in enumerate(self._work.action.verify, start=1):
            name = f"verify {number}"
            if self._steps.is_done(name):
                continue
            attempt = await self._steps.try_once(name, command)
            if attempt.result is not Attempted.CLAIMED:
                return _Failure(f"{' '.join(command.argv)}: {attempt.reason}")
        return None

    async def _publish(self, back: str) -> _Failure | None:
        publish, name = self._work.action.publish, back + PUBLISH
        if publish is None or self._steps.is_done(name):
            return None
        if self._work.intent.cut_off()[0] == name and not publish.idempotent:
            return _Failure(
                f"{name} was cut off, and may not be repeated: it is not declared idempotent",
                unknown=True,
            )
        pause = FIRST_PAUSE_SECONDS
        while True:
            attempt = await self._steps.try_once(name, publish.command, back=bool(back))
            if attempt.result is Attempted.CLAIMED:
                return None
            said = f"{' '.join(publish.command.argv)}: {attempt.reason}"
            if attempt.result is Attempted.UNKNOWN and not publish.idempotent:
                return _Failure(f"{said}, and it is not declared idempotent", unknown=True)
            left = self._steps.left if back else self._steps.left_forward
            again = attempt.result in {Attempted.NOT_DONE, Attempted.UNKNOWN}
            if not again or pause >= left:
                return _Failure(said)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    # -- and back ----------------------------------------------------------------------------------

    async def _give_up(self, failure: _Failure) -> Ending:
        if failure.stopped:
            return Ending(Outcome.ABANDONED, f"stopped right before the effect: {failure.reason}")
        if failure.overtaken:
            return overtaken(failure.reason)
        if failure.unknown:
            return Ending(Outcome.UNKNOWN, failure.reason)
        if not failure.changed:
            return Ending(Outcome.FAILED, f"nothing was changed: {failure.reason}")
        return await self._way_back(failure)

    async def _way_back(self, failure: _Failure) -> Ending:
        """Once: put back what stood before, serve it, and prove that as well."""
        how, why = self._how_back(), failure.reason
        if how is None:
            return Ending(Outcome.UNKNOWN, f"{why}; it has no way back, and stays as it is")
        self._steps.at_least(self._steps.way_back_seconds)
        attempt = await self._steps.try_until_done(BACK + CHANGE, how)
        if attempt.result is not Attempted.CLAIMED:
            reason = f"{why}; and it could not be put back: {attempt.reason}"
            return Ending(Outcome.UNKNOWN, reason)
        unserved = await self._publish(BACK) if self._steps.was_begun(PUBLISH) else None
        if unserved is not None:
            reason = f"{why}; it was put back, and not served: {unserved.reason}"
            return Ending(Outcome.UNKNOWN, reason)
        seen = await self._steps.prove(self._steps.until, back=True)
        if seen.truth is not Truth.TRUE:
            reason = f"{why}; it was put back, which is not proven: {seen.reason}"
            return Ending(Outcome.UNKNOWN, reason, seen.seen)
        reason = f"{why}; it was put back, and what stood before is served: {seen.reason}"
        return Ending(Outcome.FAILED, reason, seen.seen)

    def _how_back(self) -> How | None:
        """A tree is exchanged back; a system is undone on request alone, by who restored it."""
        how = self._work.step.how
        return replace(how, displaced=not how.displaced) if isinstance(how, SwapTree) else None

    async def _mark(self) -> CheckReading:
        """Whether it was changed, by its mark: a file can be broken that nobody serves."""
        seconds = max(SETTLE_AT_LEAST_SECONDS, self._steps.way_back_seconds)
        return await self._steps.mark(seconds)

    async def _mark_in_time(self) -> CheckReading:
        """The same after a restart: whose host starts as well tells it when it is there again."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            stands = await self._mark()
            if stands.truth is not Truth.UNKNOWN or self._steps.left <= 0:
                return stands
            await asyncio.sleep(min(pause, self._steps.left))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _ends_here(attempt: Attempt, *, untouched: bool, resumed: bool) -> _Failure | None:
    """Why no other try follows by what this one says itself; None where one may, or it is done."""
    proven = dict(attempt.facts).get(PROVEN, "")
    if proven.startswith("no"):
        return _Failure(f"what stands now is not what was meant: {proven}")
    said = f"{attempt.result.value}: {attempt.reason}"
    match attempt.result:
        case Attempted.REFUSED:
            return _Failure(said, changed=not untouched, unknown=not untouched)
        case Attempted.CONFLICT:
            fresh = untouched and not resumed
            reason = attempt.reason if fresh else f"somebody else changed it: {said}"
            return _Failure(reason, changed=not fresh, unknown=not fresh, overtaken=fresh)
    return None


def _ended_it(taken: StepTaken) -> bool:
    """Whether this step's outcome is why the way forward ended."""
    forward = not taken.step.startswith(BACK) and taken.step != READ_BEFORE
    return forward and taken.result not in {Attempted.CLAIMED, Truth.TRUE}
