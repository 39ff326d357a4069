"""Fills the windows of new rules from their source's history, beside everything else.

It delays nothing: rules are judged from the first poll on, with the part of their windows that
nobody saw counted as good. When a rule's history is whole it takes the place of what was watched
since, and the journal says so. What cannot be had costs coverage, and is told in the status.

One question at a time to a source, each with the source's own deadline and size; so long for a
source at most, and no longer than it takes to see that it does not answer. One that did not is
asked again, after longer and longer pauses and so often at most, while rules still lack what it
has. What it did answer is not asked for again, also where that was too little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from watchdog.core.entries import WindowsFilled, WindowsUnfilled
from watchdog.core.judge import Past
from watchdog.core.memory import Memory
from watchdog.core.rule_memory import RuleMemory
from watchdog.core.samples import Failure
from watchdog.core.spec import SourceSpec
from watchdog.core.text import duration
from watchdog.core.words import Instant
from watchdog.engine.recorder import Recorder
from watchdog.ports import JournalError, PastSource

LONGEST_SECONDS = 1800.0
"""How long windows of one source are filled at most; what is left fills by itself."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PAUSES = 30.0, 1800.0, 12
"""Between two tries of a source: doubled each time. Three and a half hours, all together."""

_IN_VAIN = 3  # rules in a row, then the source is left alone
_MOMENTS_AT_ONCE = 20  # counted between two pauses: a millisecond or two


@dataclass(slots=True)
class Progress:
    """How far one source's rules are."""

    rules: int
    filled: int = 0
    failed: int = 0
    rule: str = ""  # being filled now
    share: float = 0.0  # of that rule's history that was read
    problem: str = ""  # the last one
    tries: int = 1
    again_seconds: float | None = None  # the pause until the next try, where there will be one
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why a rule's windows were not filled, and whether another time may do better."""

    reason: str
    passing: bool = False


class Filling:
    """`begin` whenever rules may have come; `end` before the process does.

    `told` hears of the progress about ten times, and at the end.
    """

    def __init__(
        self,
        recorder: Recorder,
        memory: Memory,
        open_past: Callable[[SourceSpec], PastSource | None],
    ) -> None:
        self._recorder = recorder
        self._memory = memory
        self._open_past = open_past
        self._task: asyncio.Task[None] | None = None
        self.progress: dict[str, Progress] = {}
        self.told: Callable[[str, Progress], None] = lambda _source, _progress: None
        self.pauses_seconds = tuple(
            min(FIRST_PAUSE_SECONDS * 2**number, LONGEST_PAUSE_SECONDS) for number in range(PAUSES)
        )

    def begin(self) -> None:
        """Start with the rules in force that lack history; what was under way is begun anew."""
        if self._task is not None:
            self._task.cancel()
        self.progress = {}
        self._task = asyncio.create_task(self._fill(), name="fill")

    async def end(self) -> None:
        """Stop at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _fill(self) -> None:
        now = self._recorder.clock.now()
        lacking: dict[str, list[RuleMemory]] = {}
        for memory in self._memory.rules.values():
            if memory.judge.lacks(now):
                lacking.setdefault(memory.spec.source, []).append(memory)
        await asyncio.gather(*(self._fill_source(name, rules) for name, rules in lacking.items()))

    async def _fill_source(self, name: str, rules: list[RuleMemory]) -> None:
        source = self._open_past(self._memory.sources[name].spec)
        if source is None:
            return
        filled = 0
        for tries, pause in enumerate((*self.pauses_seconds, None), start=1):
            progress = self.progress[name] = Progress(filled + len(rules), filled, tries=tries)
            rules = await self._try_all(name, source, rules, progress)
            filled = progress.filled
            progress.rule, progress.again_seconds = "", pause if rules else None
            if rules:
                self._record_lack(name, rules, progress)
            self.told(name, progress)
            if rules and pause is not None:
                await asyncio.sleep(pause)
                rules = self._lacking(rules)
            if not rules or pause is None:
                progress.again_seconds, progress.over = None, True
                self.told(name, progress)
                return

    def _lacking(self, rules: list[RuleMemory]) -> list[RuleMemory]:
        """Those that still stand and have not seen enough by themselves meanwhile."""
        now, known = self._recorder.clock.now(), self._memory.rules
        return [one for one in rules if known.get(one.spec.name) is one and one.judge.lacks(now)]

    async def _try_all(
        self, name: str, source: PastSource, rules: list[RuleMemory], progress: Progress
    ) -> list[RuleMemory]:
        """Those for which it is worth while to ask again."""
        left, in_vain = list(rules), 0
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                for number, memory in enumerate(rules):
                    if number and number * 10 // len(rules) > (number - 1) * 10 // len(rules):
                        self.told(name, progress)
                    progress.rule, progress.share = memory.spec.name, 0.0
                    problem = await self._try(source, memory, progress)
                    if problem is None or not problem.passing:
                        left.remove(memory)
                    progress.filled += problem is None
                    progress.failed += problem is not None
                    progress.problem = f"{memory.spec.name}: {problem.reason}" if problem else ""
                    in_vain = in_vain + 1 if problem else 0
                    if in_vain == _IN_VAIN:
                        progress.problem += f"; given up after {_IN_VAIN} rules in a row"
                        break
        except TimeoutError:
            progress.problem = f"not done within {duration(LONGEST_SECONDS)}"
        return left

    def _record_lack(self, name: str, rules: list[RuleMemory], progress: Progress) -> None:
        lacking = tuple(memory.spec.name for memory in rules)
        pause, problem = progress.again_seconds, progress.problem
        try:
            draft = self._recorder.draft()
            draft.add(WindowsUnfilled(name, lacking, progress.tries, problem, pause))
            self._recorder.commit(draft)
        except JournalError as error:
            progress.problem += f"; not recorded: {error}"

    async def _try(
        self, source: PastSource, memory: RuleMemory, progress: Progress
    ) -> _Problem | None:
        """Why the rule's windows were not filled; None when they were."""
        try:
            return await self._fill_rule(source, memory, progress)
        except Exception as error:  # noqa: BLE001  # costs coverage, and nothing else
            return _Problem(f"{type(error).__name__}: {error}")

    async def _fill_rule(
        self, source: PastSource, memory: RuleMemory, progress: Progress
    ) -> _Problem | None:
        past = Past.of(memory.spec)
        if past is None:
            return _Problem("it has no windows")
        began = self._recorder.clock.now()
        reach = past.tally.window_seconds[-1]
        for first, last, step in past.stretches(began.wall):
            most = max(step, source.most_seconds(step) // step * step)
            at = first
            while at <= last:
                until = min(last, at + most - step)
                problem = await self._look(source, past, (at, until, step))
                if problem:
                    return _Problem(problem, passing=True)
                progress.share = min(1.0, max(0.0, 1 - (began.wall - until) / reach))
                at += most
        now = self._recorder.clock.now()
        # As fresh as the polls that go on from it.
        problem = await self._look(source, past, (now.wall, now.wall, 1.0))
        if problem:
            return _Problem(problem, passing=True)
        problem = self._take_over(memory, past, self._recorder.clock.now())
        return _Problem(problem) if problem else None

    async def _look(
        self, source: PastSource, past: Past, stretch: tuple[float, float, float]
    ) -> str:
        found = await source.moments(past.queries, *stretch)
        if isinstance(found, Failure):
            return found.reason
        for number, moment in enumerate(found):
            if number % _MOMENTS_AT_ONCE == 0:
                await asyncio.sleep(0)
            past.look(moment.answers, self._recorder.clock.now(), stretch[2])
        return ""

    def _take_over(self, memory: RuleMemory, past: Past, now: Instant) -> str:
        name, judge = memory.spec.name, memory.judge
        if self._memory.rules.get(name) is not memory or judge.tally is None:
            return "the rule is another one by now"
        longest = past.tally.window_seconds[-1]
        before = judge.tally.read(longest, now).coverage
        problem = judge.take_over(past, now)
        if not problem:
            draft = self._recorder.draft()
            coverage = past.tally.read(longest, now).coverage
            draft.add(WindowsFilled(name, longest, before, coverage))
            self._recorder.commit(draft)
        return problem
