"""Does what recorded intents say, proves it by read-back, and tells how it ended.

Laws: nothing is started for an intent that is not durable; the gates are asked once more right
before the effect; exit status 0 and HTTP 200 are claims, the read-back is the proof; every
intent ends within its deadline. After a restart an open intent is settled by what its target
shows: by reading alone where it was one change, by going on where it has marked its way; and not
at all by an action that was changed meanwhile, since it may stand for another target.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from watchdog.core.aftermath import intent_ended
from watchdog.core.book import OpenIntent
from watchdog.core.entries import IntentEnded, IntentOpened, Outcome, Recorded
from watchdog.core.keeping import is_as_decided
from watchdog.core.spec import ActionSpec, Policy, Step
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.verifying import change_ended
from watchdog.core.words import Direction
from watchdog.engine.effects.ending import Ending
from watchdog.engine.effects.replacing import Replacing
from watchdog.engine.effects.setting import Setting
from watchdog.engine.effects.workbench import Work, Workbench
from watchdog.engine.hosts import Hand
from watchdog.engine.recorder import Recorder


class Runner:
    """One task for each open intent."""

    def __init__(
        self,
        recorder: Recorder,
        hands: Callable[[ActionSpec], Hand],
        policy: Callable[[], Policy],
        ask_once_more: Callable[[IntentOpened], str],
        fence: Callable[[], Awaitable[str]],
        on_outcome: Callable[[], None],
    ) -> None:
        self._recorder = recorder
        self._hands = hands
        self._fence = fence
        self._policy = policy
        self._ask_once_more = ask_once_more
        self._on_outcome = on_outcome
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._withdrawn: set[str] = set()
        self.draining = False
        self.failure: BaseException | None = None

    def heard(self, recorded: Recorded) -> None:
        """A recorder's listener: starts what became durable. What does so while we stop is left to
        the next process, which finds that nothing was tried.
        """
        if isinstance(recorded.entry, IntentOpened) and not self.draining:
            self._start(OpenIntent(recorded.entry, recorded.at), anew=True)

    def settle_open(self) -> int:
        """Coming to lead: see what became of every intent without an outcome.

        But for what is under way: where we lead on, it may have been begun by what was recorded
        in that very moment. A second task beside it would hide it from whoever cuts off.
        """
        every = self._recorder.book.intents.values()
        found = [one for one in every if not self._is_under_way(one.entry.intent)]
        for intent in found:
            self._start(intent, anew=False)
        return len(found)

    async def drain(self, within_seconds: float) -> None:
        """Begin nothing new; give what has begun the time to end."""
        self.draining = True
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=within_seconds)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def halt(self) -> None:
        """Cut everything off at once, as it stands: it is not ours to end any more."""
        for task in self._tasks.values():
            task.cancel()

    @property
    def active(self) -> int:
        return len(self._tasks)

    def withdraw(self, intent: str) -> None:
        """Its person was told that it is not done: when it is heard of at last, it is abandoned."""
        self._withdrawn.add(intent)

    def stopped(self, entry: IntentOpened) -> str:
        """Why an automatic or approved start may not take effect by now; or a withdrawn order."""
        if entry.intent in self._withdrawn:
            return "it could not be recorded when it was ordered"
        if entry.actor and not entry.approved_by:
            return ""
        return "the watchdog is stopping" if self.draining else self._ask_once_more(entry)

    def _is_under_way(self, intent: str) -> bool:
        """Whether somebody is at it who was not cut off."""
        task = self._tasks.get(intent)
        return task is not None and not task.done() and not task.cancelling()

    def _start(self, intent: OpenIntent, *, anew: bool) -> None:
        name = intent.entry.intent
        cut_off = self._tasks.get(name)
        task = asyncio.create_task(self._run(intent, cut_off, anew=anew), name=f"intent {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._done(name, done))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and task.exception() is not None:
            self.failure = task.exception()
            self._on_outcome()

    async def _run(
        self, intent: OpenIntent, cut_off: asyncio.Task[None] | None, *, anew: bool
    ) -> None:
        entry = intent.entry
        if cut_off is not None:
            await asyncio.wait([cut_off])
            still = self._recorder.book.intents.get(entry.intent)
            if still is None:
                return  # it ended after all
            intent = still
        action = self._policy().actions.get(entry.action)
        step = _step(action, entry.direction)
        if action is None or step is None:
            ending = Ending(
                Outcome.UNKNOWN, f"{entry.action} is not in the policy any more: cannot be read"
            )
        elif not is_as_decided(entry, action):
            ending = Ending(Outcome.UNKNOWN, _changed(entry, action))
        else:
            hand = self._hands(action)
            bench = Workbench(self._recorder, hand.actuator, hand.probe, self.stopped, self._fence)
            means = _means(Work(bench, intent, action, step))
            ending = await (means.go() if anew else means.resume())
        self._end(intent, ending)

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
        change_ended(ended, self._policy(), draft)
        self._recorder.commit(draft)
        self._on_outcome()


def _step(action: ActionSpec | None, direction: Direction) -> Step | None:
    if action is None:
        return None
    return action.do if direction is Direction.DO else action.undo


def _changed(entry: IntentOpened, action: ActionSpec) -> str:
    moved = f", and changes {action.target} now" if action.target != entry.target else ""
    return (
        f"a policy was applied since that has {action.name} otherwise{moved}: what was decided for "
        f"cannot be read by it. Look at {entry.target} yourself"
    )


def _means(work: Work) -> Setting | Replacing:
    """A whole is replaced step by step; anything else is set."""
    whole = isinstance(work.step.how, SwapTree | RestoreSystem)
    return Replacing(work) if whole else Setting(work)
