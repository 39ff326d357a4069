"""What an effect is done with: the ports, the record and the clock, and the last question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from watchdog.core.book import OpenIntent
from watchdog.core.entries import IntentOpened, StepBegan, StepTaken
from watchdog.core.filling_in import Lacking, filled
from watchdog.core.spec import ActionSpec, How, Step
from watchdog.core.trees import Facts
from watchdog.core.words import CheckReading, Direction, Instant, Truth
from watchdog.engine.effects.ending import READ_BACK_SECONDS
from watchdog.engine.recorder import Recorder
from watchdog.ports import Actuator, Attempt, Attempted, Probe


@dataclass(frozen=True, slots=True)
class Workbench:
    recorder: Recorder
    actuator: Actuator
    probe: Probe
    stopped: Callable[[IntentOpened], str]  # why a start may not take effect by now
    fence: Callable[[], Awaitable[str]]  # why nothing may take effect by us any more

    @property
    def now(self) -> Instant:
        return self.recorder.clock.now()

    async def read(
        self,
        action: ActionSpec,
        expect: str,
        until: Instant,
        facts: Facts = (),
        *,
        back: bool = False,
    ) -> CheckReading:
        """One read-back, never beyond `until`; what it must show may depend on the facts."""
        now = self.now
        wanted = filled(expect, facts, back=back)
        if isinstance(wanted, Lacking):
            return CheckReading(Truth.UNKNOWN, wanted.reason, now)
        left = max(0.05, min(READ_BACK_SECONDS, until.steady - now.steady))
        return await self.probe.read(action.read_back, wanted, at=now, deadline_seconds=left)

    def note(self, *steps: StepBegan | StepTaken) -> bool:
        """Record what is begun or was taken. True when it is durable."""
        draft = self.recorder.draft()
        for step in steps:
            draft.add(step)
        return self.recorder.commit(draft)

    def begun(self, intent: str, step: str) -> StepBegan:
        """About to take a step, in the epoch in which we lead."""
        return StepBegan(intent, step, self.recorder.epoch)

    async def attempt(
        self,
        how: How,
        key: str,
        seconds: float,
        facts: Facts = (),
        *,
        start: IntentOpened | None = None,
    ) -> Attempt:
        """Try once, if it is still ours to do; `start` is what the gates may still stop.

        Whose it is may take a while to tell, in which somebody says hold: so gates come last.
        """
        fenced = await self.fence()
        if not fenced and start is not None and (stop := self.stopped(start)):
            fenced = f"stopped right before the effect: {stop}"
        if fenced:
            return Attempt(Attempted.NOT_DONE, f"not tried: {fenced}")
        return await self.actuator.attempt(how, key=key, deadline_seconds=seconds, facts=facts)

    async def settle(self, how: How, key: str, seconds: float, facts: Facts) -> Attempt:
        """Clear away what only the way there needed: whoever leads by now may still need it."""
        fenced = await self.fence()
        if fenced:
            return Attempt(Attempted.NOT_DONE, f"not tried: {fenced}")
        return await self.actuator.settle(how, key=key, deadline_seconds=seconds, facts=facts)


@dataclass(frozen=True, slots=True)
class Work:
    """One intent, with what the policy says is to be done for it, and what it is done with."""

    bench: Workbench
    intent: OpenIntent
    action: ActionSpec
    step: Step

    @property
    def entry(self) -> IntentOpened:
        return self.intent.entry

    @property
    def forth(self) -> bool:
        """Not an undo: what is wanted is what the anchor holds, and not what stood before."""
        return self.entry.direction is Direction.DO
