"""Does what recorded intents say, proves it by read-back, and tells how it ended.

Laws: nothing is started for an intent that is not durable; the gates are asked once more right
before the effect; exit status 0 and HTTP 200 are claims, the read-back is the proof; every
intent ends within its deadline. After a restart an open intent is settled by reading alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from watchdog.core.aftermath import intent_ended
from watchdog.core.book import OpenIntent
from watchdog.core.entries import IntentEnded, IntentOpened, Outcome, Recorded, StepTaken
from watchdog.core.spec import ActionSpec, Policy, Step
from watchdog.core.words import CheckReading, Direction, Instant, Truth
from watchdog.engine.recorder import Recorder
from watchdog.ports import Actuator, Attempt, Attempted, Probe

READ_BACK_SECONDS = 3.0
"""The most that one read-back may take."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
READ_BEFORE = "read_before"
PROOF_SHARE = 0.2
"""The part of the deadline that an attempt leaves to the read-back: a tool that hangs after its
effect would else use up the time in which the effect could be seen."""

SETTLE_AT_LEAST_SECONDS = 3.0
"""How long an intent found open at the start is read for, also when its deadline is over."""


@dataclass(frozen=True, slots=True)
class Ending:
    outcome: Outcome
    reason: str
    read_back: str = ""
    effect_at: Instant | None = None


class Runner:
    """One task for each open intent."""

    def __init__(
        self,
        recorder: Recorder,
        actuator: Actuator,
        probe: Probe,
        policy: Callable[[], Policy],
        ask_once_more: Callable[[IntentOpened], str],
        on_outcome: Callable[[], None],
    ) -> None:
        self._recorder = recorder
        self._actuator = actuator
        self._probe = probe
        self._policy = policy
        self._ask_once_more = ask_once_more
        self._on_outcome = on_outcome
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._withdrawn: set[str] = set()
        self._draining = False
        self.failure: BaseException | None = None

    def heard(self, recorded: Recorded) -> None:
        """A recorder's listener: starts what became durable."""
        if isinstance(recorded.entry, IntentOpened):
            self._start(OpenIntent(recorded.entry, recorded.at), settle_only=False)

    def settle_open(self) -> int:
        """At start-up: read what became of every intent without an outcome."""
        found = list(self._recorder.book.intents.values())
        for intent in found:
            self._start(intent, settle_only=True)
        return len(found)

    async def drain(self, within_seconds: float) -> None:
        """Begin nothing new; give what has begun the time to end."""
        self._draining = True
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=within_seconds)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    @property
    def active(self) -> int:
        return len(self._tasks)

    def _start(self, intent: OpenIntent, *, settle_only: bool) -> None:
        name = intent.entry.intent
        task = asyncio.create_task(
            self._run(intent, settle_only=settle_only), name=f"intent {name}"
        )
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._done(name, done))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(name, None)
        if not task.cancelled() and task.exception() is not None:
            self.failure = task.exception()
            self._on_outcome()

    async def _run(self, intent: OpenIntent, *, settle_only: bool) -> None:
        entry = intent.entry
        action = self._policy().actions.get(entry.action)
        step = _step(action, entry.direction)
        if action is None or step is None:
            ending = Ending(
                Outcome.UNKNOWN, f"{entry.action} is not in the policy any more: cannot be read"
            )
        elif settle_only:
            ending = await self._settle(intent, action, step)
        else:
            ending = await _Attempting(self, intent, action, step).go()
        self._end(intent, ending)

    async def _settle(self, intent: OpenIntent, action: ActionSpec, step: Step) -> Ending:
        """An intent without an outcome: what the target shows decides, nothing is repeated.

        A change is tried only once its first look is recorded. Without that record nothing was
        sent: what stands was found. With it, a tool that outlived us, a request that hangs, or a
        read that lags may show its effect until the deadline; given up before, a pause that comes
        late would be nobody's, and nobody would be told of it.
        """
        tried = any(taken.step == READ_BEFORE for taken in intent.steps)
        left = intent.entry.deadline.steady - self.now.steady
        until = self.now.plus(max(left, SETTLE_AT_LEAST_SECONDS))
        pause = FIRST_PAUSE_SECONDS
        while True:
            seen = await self.read(action, step, until)
            if seen.truth is Truth.TRUE:
                return Ending(
                    Outcome.DONE if tried else Outcome.FOUND,
                    f"settled after a restart: {seen.reason}",
                    seen.seen,
                    seen.at,
                )
            over = self.now.steady + pause >= until.steady
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

    def _end(self, intent: OpenIntent, ending: Ending) -> None:
        entry = intent.entry
        draft = self._recorder.draft()
        ended = IntentEnded(
            intent=entry.intent,
            episode=entry.episode,
            action=entry.action,
            target=entry.target,
            direction=entry.direction,
            outcome=ending.outcome,
            reason=ending.reason,
            read_back=ending.read_back,
            seconds=max(0.0, draft.now.steady - intent.at.steady),
            effect_at=ending.effect_at,
        )
        intent_ended(ended, self._policy(), draft)
        self._recorder.commit(draft)
        self._on_outcome()

    # -- for one attempt ---------------------------------------------------------------------------

    @property
    def now(self) -> Instant:
        return self._recorder.clock.now()

    async def read(self, action: ActionSpec, step: Step, until: Instant) -> CheckReading:
        """One read-back, never beyond `until`."""
        now = self.now
        left = max(0.05, min(READ_BACK_SECONDS, until.steady - now.steady))
        return await self._probe.read(action.read_back, step.expect, at=now, deadline_seconds=left)

    def withdraw(self, intent: str) -> None:
        """Its person was told that it is not done: when it is heard of at last, it is abandoned."""
        self._withdrawn.add(intent)

    def stopped(self, entry: IntentOpened) -> str:
        """Why an automatic or approved start may not take effect by now; or a withdrawn order."""
        if entry.intent in self._withdrawn:
            return "it could not be recorded when it was ordered"
        if entry.actor and not entry.approved_by:
            return ""
        return "the watchdog is stopping" if self._draining else self._ask_once_more(entry)

    def note(self, step: StepTaken) -> bool:
        """Record one step. True when it is durable."""
        draft = self._recorder.draft()
        draft.add(step)
        return self._recorder.commit(draft)

    async def attempt(self, step: Step, key: str, seconds: float) -> Attempt:
        return await self._actuator.attempt(step.how, key=key, deadline_seconds=seconds)


def _step(action: ActionSpec | None, direction: Direction) -> Step | None:
    if action is None:
        return None
    return action.do if direction is Direction.DO else action.undo


class _Attempting:
    """One intent's way from the first look to the proof."""

    def __init__(self, runner: Runner, intent: OpenIntent, action: ActionSpec, step: Step) -> None:
        self.runner = runner
        self.entry = intent.entry
        self.action = action
        self.step = step
        self.until = intent.entry.deadline
        self.kept = min(READ_BACK_SECONDS, PROOF_SHARE * action.deadline_seconds)
        self.said: list[str] = []  # what each try came to, without repeats

    def left(self) -> float:
        return self.until.steady - self.runner.now.steady

    async def go(self) -> Ending:
        """Look, ask the gates once more, change, and read until it shows or time is up."""
        if self.left() <= 0:
            return Ending(Outcome.ABANDONED, "its deadline was over before it could begin")
        before = await self.runner.read(self.action, self.step, self.until)
        if before.truth is Truth.TRUE:
            return Ending(
                Outcome.FOUND, f"it stood already: {before.reason}", before.seen, before.at
            )
        looked = StepTaken(self.entry.intent, READ_BEFORE, before.truth.value, before.reason)
        if not self.runner.note(looked):
            return Ending(Outcome.ABANDONED, "the journal cannot be written", before.seen)
        return await self._change(before)

    async def _change(self, seen: CheckReading) -> Ending:
        pause = FIRST_PAUSE_SECONDS
        untouched = True  # nothing that was tried can have had an effect
        while True:
            stop = self.runner.stopped(self.entry) if untouched else ""
            if untouched and self.left() <= 0:
                stop = "its deadline is over"
            if stop:
                reason = f"stopped right before the effect: {stop}"
                return Ending(Outcome.ABANDONED, reason, seen.seen)
            attempt = await self._attempt()
            untouched = untouched and attempt.result is Attempted.NOT_DONE
            wait = max(pause, attempt.retry_after_seconds or 0.0)
            again = attempt.result in {Attempted.NOT_DONE, Attempted.UNKNOWN}
            # A try that could not end in time would only hide what the ones before it said.
            again = again and wait + self.kept < self.left()
            seen = await self._prove(attempt, wait if again else self.left())
            if seen.truth is Truth.TRUE:
                return Ending(Outcome.DONE, f"read back: {seen.reason}", seen.seen, seen.at)
            if not again or self.left() <= 0:
                return self._failed(attempt, seen)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _attempt(self) -> Attempt:
        """Try once, and record what the tool or service said of it."""
        began = self.runner.now
        seconds = max(self.left() - self.kept, self.left() / 2)
        attempt = await self.runner.attempt(self.step, self.entry.intent, seconds)
        took = self.runner.now.steady - began.steady
        said = attempt.result.value, attempt.reason, took, attempt.output
        self.runner.note(StepTaken(self.entry.intent, "change", *said))
        came_to = f"{attempt.result.value}: {attempt.reason}"
        if came_to not in self.said:
            self.said.append(came_to)
        return attempt

    async def _prove(self, attempt: Attempt, for_seconds: float) -> CheckReading:
        """Read back until it shows, or for as long as another try, or the deadline, is away."""
        if attempt.result in {Attempted.REFUSED, Attempted.CONFLICT}:
            return await self.runner.read(self.action, self.step, self.until)
        stop = min(self.runner.now.steady + for_seconds, self.until.steady)
        pause = FIRST_PAUSE_SECONDS / 2
        while True:
            seen = await self.runner.read(self.action, self.step, self.until)
            rest = stop - self.runner.now.steady
            if seen.truth is Truth.TRUE or rest <= 0:
                return seen
            await asyncio.sleep(min(pause, rest))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS / 2)

    def _failed(self, attempt: Attempt, seen: CheckReading) -> Ending:
        """Time is up, or no other try makes sense: what was last seen decides."""
        said = ", then ".join(self.said[-2:])
        if attempt.result is Attempted.CONFLICT:
            return Ending(
                Outcome.UNKNOWN, f"somebody else changed it meanwhile ({attempt.reason})", seen.seen
            )
        if seen.truth is Truth.FALSE:
            return Ending(Outcome.FAILED, f"read-back: {seen.reason} ({said})", seen.seen)
        return Ending(Outcome.UNKNOWN, f"cannot be read back: {seen.reason} ({said})", seen.seen)
