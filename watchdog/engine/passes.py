"""One evaluation pass: every rule that is due takes its turn, then all is appended at once.

Run when samples arrive, for their source's rules, and at every tick, for all. A rule whose
evaluation raises is blind for our own fault and pages; the others and the loop live on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watchdog.core.aftermath import tend_manual
from watchdog.core.book import CONTINUES_WITHIN_SECONDS
from watchdog.core.draft import Draft
from watchdog.core.entries import HoldEnded, Slept
from watchdog.core.inputs import Facts, Scene, Sight
from watchdog.core.samples import Reading
from watchdog.core.spec import Policy
from watchdog.core.states import State
from watchdog.core.turn import take_turn
from watchdog.core.words import Instant, Verdict
from watchdog.engine.memory import Memory, RuleMemory
from watchdog.engine.recorder import Recorder

Judged = Callable[[str, Verdict], None]
"""Told of every verdict: metrics and pages read them."""


class Passes:
    """Runs passes, one at a time by construction: nothing in one awaits."""

    def __init__(self, recorder: Recorder, memory: Memory, facts: Callable[[], Facts]) -> None:
        self._recorder = recorder
        self._memory = memory
        self._facts = facts
        self.completed: Instant | None = None
        self.count = 0
        self.seconds = 0.0  # the longest since it was last read
        self.failures: dict[str, str] = {}  # rule -> what its evaluation raised

    def on_reading(self, reading: Reading, policy: Policy) -> None:
        """Samples arrived: judge the rules that read them, now."""
        source = self._memory.sources.get(reading.source)
        if source is None:
            return  # the policy changed while the poll was under way
        bug: Exception | None = None
        try:
            answers = source.answers(reading)
        except Exception as error:  # noqa: BLE001  # a page that breaks us blinds its own rules
            bug, answers = error, {}

        def look(memory: RuleMemory, undone: Instant | None) -> Sight:
            if bug is not None:
                raise bug
            return memory.observe(reading, answers, undone)

        self._run(self._memory.rules_of(reading.source), look, policy)

    def on_tick(self, policy: Policy) -> None:
        """Time passed: stale samples, expiries, quiet times."""
        now = self._recorder.clock.now()

        def look(memory: RuleMemory, undone: Instant | None) -> Sight:
            return memory.tick(now, undone)

        self._run(self._memory.rules.values(), look, policy)

    def _run(
        self,
        rules: Iterable[RuleMemory],
        look: Callable[[RuleMemory, Instant | None], Sight],
        policy: Policy,
    ) -> None:
        draft = self._recorder.draft()
        self._note_sleep(draft)
        _expire_holds(draft)
        seen = [(memory.spec, self._look(memory, look, draft)) for memory in rules]
        scene = Scene(policy, self._facts(), draft)  # after all have looked: rules corroborate
        for rule, sight in seen:
            take_turn(rule, sight, scene)
        tend_manual(draft)
        self._recorder.commit(draft)
        self.completed = self._recorder.clock.now()
        self.seconds = max(self.seconds, self.completed.steady - draft.now.steady)
        self.count += 1

    def _look(
        self,
        memory: RuleMemory,
        look: Callable[[RuleMemory, Instant | None], Sight],
        draft: Draft,
    ) -> Sight:
        rule = memory.spec
        ep = draft.book.open_episode(rule.name)
        undone = ep.moved if ep is not None and ep.state is State.WATCHED else None
        try:
            sight = look(memory, undone)
        except Exception as error:  # noqa: BLE001  # one rule's bug must not end the watch of the others
            self.failures[rule.name] = f"{type(error).__name__}: {error}"
            return memory.fail(f"its evaluation failed: {self.failures[rule.name]}", draft.now)
        if not memory.failed:
            self.failures.pop(rule.name, None)
        return sight

    def _note_sleep(self, draft: Draft) -> None:
        """A breach that is found after a long gap began unseen: it is already burning."""
        gap = draft.now.steady - self.completed.steady if self.completed is not None else 0.0
        if gap > CONTINUES_WITHIN_SECONDS:
            draft.add(Slept(gap))


def _expire_holds(draft: Draft) -> None:
    for hold in list(draft.book.holds.values()):
        if not hold.stands(draft.now):
            draft.add(HoldEnded(hold.id, "expiry", "its time is over"))
