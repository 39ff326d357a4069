"""Looks at what was rolled back by the action's named checks, beside everything else.

Laws
* Nothing waits for it. It reads the book to see which checks have not ended, and writes what came
  of each; a look that hangs costs a place in its own queue and nothing more.
* It goes by the record alone. What has not ended there is looked at, by whoever leads: after a
  restart too, at least once, and within the time that was set at the beginning.
* A change of the target that is begun meanwhile is waited for: what it changes makes the rest moot;
  one that changes nothing does not.
* By itself a check is looked at until it holds or its time is over. Where somebody asked, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchdog.core.entries import IntentOpened, Recorded
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.verification import NamedCheck, VerificationBegan, VerificationChecked
from watchdog.core.verified import Run
from watchdog.core.verifying import checked
from watchdog.core.words import CheckReading, Truth
from watchdog.engine.hosts import Hand
from watchdog.engine.recorder import Recorder

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0
MOST_AT_ONCE = 4
"""Looks that are under way together: they are to burden nobody."""

_LOOK_ROUND_SECONDS = 5.0
_IN_CHANGE_SECONDS = 0.5


class Verifying:
    """One loop; run it until cancelled."""

    def __init__(
        self,
        recorder: Recorder,
        hands: Callable[[ActionSpec], Hand],
        policy: Callable[[], Policy],
    ) -> None:
        self._recorder = recorder
        self._hands = hands
        self._policy = policy
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._begun: set[tuple[str, str]] = set()  # (verification, check) that is looked after
        self._woken = asyncio.Event()
        self.latest: dict[tuple[str, str], CheckReading] = {}  # of what has not ended

    def heard(self, recorded: Recorded) -> None:
        """A recorder's listener."""
        if isinstance(recorded.entry, VerificationBegan | IntentOpened):
            self._woken.set()

    async def forever(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                if self._recorder.leads():
                    for run in self._recorder.book.verifications.under_way():
                        for name in run.missing:
                            self._begin(tasks, run.began.verification, name)
                self._woken.clear()
                try:
                    async with asyncio.timeout(_LOOK_ROUND_SECONDS):
                        await self._woken.wait()
                except TimeoutError:
                    pass

    def _begin(self, tasks: asyncio.TaskGroup, verification: str, name: str) -> None:
        key = (verification, name)
        if key not in self._begun:
            self._begun.add(key)
            task = tasks.create_task(self._look_after(*key), name=f"{verification} {name}")
            task.add_done_callback(lambda _: self._let_go(key))

    def _let_go(self, key: tuple[str, str]) -> None:
        self._begun.discard(key)
        self.latest.pop(key, None)

    async def _look_after(self, verification: str, name: str) -> None:
        """Until it holds, its time is over, or it is not ours or of no use any more."""
        looks, pause = 0, FIRST_PAUSE_SECONDS
        while (run := self._open(verification, name)) is not None:
            if self._in_change(run):
                await asyncio.sleep(_IN_CHANGE_SECONDS)
                continue
            found = self._moot(run, name)
            check, took = self._check(run, name), 0.0
            if found is None and check is not None:
                found, took = await self._look(run, check)
                looks += 1
                if (run := self._open(verification, name)) is None:
                    return
                if self._in_change(run):
                    continue
                found = self._moot(run, name) or found
                left = run.at.steady + self._within(run, check) - self._now
                if not run.overtaken and found.truth is not Truth.TRUE and left > 0:
                    self.latest[verification, name] = found
                    await self._wait(run, min(pause, left))
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                    continue
            if found is not None:
                self._end(run, name, found, looks, took)

    @property
    def _now(self) -> float:
        return self._recorder.clock.now().steady

    def _within(self, run: Run, check: NamedCheck) -> float:
        return 0.0 if run.began.actor else check.within_seconds

    def _open(self, verification: str, name: str) -> Run | None:
        """The run, while this check of it is ours to look at."""
        run = self._recorder.book.verifications.runs.get(verification)
        return run if run is not None and self._recorder.leads() and name in run.missing else None

    def _check(self, run: Run, name: str) -> NamedCheck | None:
        checks = self._policy().verification.get(run.began.action, ())
        return next((check for check in checks if check.name == name), None)

    def _in_change(self, run: Run) -> bool:
        """Another change of the target is under way, which may come to nothing."""
        return run.overtaken in self._recorder.book.intents

    def _moot(self, run: Run, name: str) -> CheckReading | None:
        """Why it cannot be told any more."""
        why = ""
        if run.overtaken:
            target = run.began.target
            why = f"another change of {target}, {run.overtaken}, came before this was known"
        elif self._check(run, name) is None:
            why = f"the policy has no check {name} of {run.began.action} any more"
        return CheckReading(Truth.UNKNOWN, why, self._recorder.clock.now()) if why else None

    async def _look(self, run: Run, check: NamedCheck) -> tuple[CheckReading, float]:
        async with self._room:
            began = self._now
            action = self._policy().actions.get(run.began.action)
            if action is None:
                why = f"the policy has no {run.began.action} any more"
                return CheckReading(Truth.UNKNOWN, why, self._recorder.clock.now()), 0.0
            found = await self._hands(action).checks.look(action, check)
            return found, self._now - began

    async def _wait(self, run: Run, seconds: float) -> None:
        """Before the next look; a change of the target ends it at once."""
        ends = self._now + seconds
        while not run.overtaken and (left := ends - self._now) > 0:  # noqa: ASYNC110  # no event
            await asyncio.sleep(min(left, 0.5))

    def _end(self, run: Run, name: str, found: CheckReading, looks: int, took: float) -> None:
        draft = self._recorder.draft()
        if not draft.decides:
            return
        began = run.began
        entry = VerificationChecked(
            verification=began.verification,
            episode=began.episode,
            action=began.action,
            check=name,
            truth=found.truth,
            reason=found.reason,
            looks=looks,
            seconds=max(0.0, draft.now.steady - run.at.steady),
            look_seconds=took,
            output=found.seen,
        )
        checked(entry, self._policy(), draft)
        self._recorder.commit(draft)
