"""One evaluation pass: every rule that is due takes its turn; what follows is in the draft.

Run when samples arrive, for their source's rules, and at every tick, for all. A rule whose
evaluation raises is blind for our own fault and pages; the others live on. With an onlooker's draft
all is judged and nothing follows. The daemon at night and the lab that tries rules over history run
this very code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from watchdog.core.aftermath import tend_manual
from watchdog.core.approving import tend_requests
from watchdog.core.deploying import tend_deploys
from watchdog.core.draft import Draft
from watchdog.core.entries import HoldEnded, SilenceEnded
from watchdog.core.family import Family
from watchdog.core.inputs import Facts, Scene, Sight
from watchdog.core.judge.told import EventJudge
from watchdog.core.measuring import take_measured_turn
from watchdog.core.memory import Memory
from watchdog.core.rule_memory import RuleMemory
from watchdog.core.samples import Answer, Reading
from watchdog.core.spec import Policy, RuleSpec
from watchdog.core.states import State
from watchdog.core.telling.escalation import tend_people
from watchdog.core.words import Instant

Look = Callable[[RuleMemory, Instant | None], Sight]
_Seen = tuple[RuleSpec, Sight]


class Evaluation:
    """Judges by a memory; `facts` are asked for after all rules of a pass have looked."""

    def __init__(self, memory: Memory, facts: Callable[[], Facts]) -> None:
        self.memory = memory
        self.failures: dict[str, str] = {}  # rule -> what its evaluation raised
        self._facts = facts

    def reads(self, source: str) -> bool:
        """Whether a reading of it is judged here: the policy may change while a poll is on."""
        return source in self.memory.sources

    def on_reading(self, reading: Reading, policy: Policy, draft: Draft) -> None:
        """Samples arrived: judge the rules that read them, of a source that is read here."""
        bug: Exception | None = None
        answers: Mapping[str, Answer]
        try:
            answers = self.memory.sources[reading.source].answers(reading)
        except Exception as error:  # noqa: BLE001  # a page that breaks us blinds its own rules
            bug, answers = error, {}

        def look(memory: RuleMemory, undone: Instant | None) -> Sight:
            if bug is not None:
                raise bug
            return memory.observe(reading, answers, undone)

        seen = self._seen(self.memory.rules_of(reading.source), look, draft)
        families = self.memory.families_of(reading.source)
        for family in families:
            broken = _read(family, reading, answers, draft, bug)
            seen += self._look_at_family(family, _apart(family, reading, broken), draft)
        self._take_turns(seen, families, policy, draft)

    def on_tick(self, policy: Policy, draft: Draft) -> None:
        """Time passed: stale samples, expiries, quiet times."""

        def look(memory: RuleMemory, undone: Instant | None) -> Sight:
            return memory.tick(draft.now, undone)

        seen = self._seen(self.memory.rules.values(), look, draft)
        families = self.memory.families.values()
        for family in families:
            seen += self._look_at_family(family, look, draft)
        self._take_turns(seen, families, policy, draft)

    def _seen(self, rules: Iterable[RuleMemory], look: Look, draft: Draft) -> list[_Seen]:
        _expire_holds(draft)
        return [(memory.spec, self._look(memory, look, draft)) for memory in rules]

    def _take_turns(
        self, seen: list[_Seen], families: Iterable[Family], policy: Policy, draft: Draft
    ) -> None:
        if not draft.decides:
            return
        tend_deploys(policy, draft)
        tend_requests(policy, draft)
        scene = Scene(policy, self._facts(), draft)  # after all have looked: rules corroborate
        for rule, sight in seen:
            take_measured_turn(rule, sight, scene, self.memory)
        for family in families:
            family.retire(draft)
        tend_manual(draft)
        tend_people(policy, draft)

    def _look_at_family(self, family: Family, look: Look, draft: Draft) -> Iterable[_Seen]:
        """Its members, and then the whole by what was seen of them."""
        family.align(draft)
        for member in family.members.values():
            self._look(member, look, draft)
        family.judge()
        self._look(family.whole, look, draft)
        return family.settle(draft.book)

    def _look(self, memory: RuleMemory, look: Look, draft: Draft) -> Sight:
        rule = memory.spec
        ep = draft.book.open_episode(rule.name)
        undone = ep.moved if ep is not None and ep.state is State.WATCHED else None
        if isinstance(memory.judge, EventJudge):
            memory.judge.hear(draft.book.heard)
        try:
            sight = look(memory, undone)
        except Exception as error:  # noqa: BLE001  # one rule's bug must not end the watch of the others
            self.failures[rule.name] = f"{type(error).__name__}: {error}"
            return memory.fail(f"its evaluation failed: {self.failures[rule.name]}", draft.now)
        if not memory.failed:
            self.failures.pop(rule.name, None)
        return sight


def _read(
    family: Family,
    reading: Reading,
    answers: Mapping[str, Answer],
    draft: Draft,
    bug: Exception | None,
) -> Exception | None:
    """Tell its answer apart; what that raised blinds this family alone."""
    try:
        if bug is None:
            family.align(draft)
            family.read(reading, answers, draft)
    except Exception as error:  # noqa: BLE001  # one rule's bug must not end the watch of the others
        return error
    return bug


def _apart(family: Family, reading: Reading, bug: Exception | None) -> Look:
    """Each member looks at its own part."""

    def look(memory: RuleMemory, undone: Instant | None) -> Sight:
        if bug is not None:
            raise bug
        return memory.observe(reading, family.share(memory.spec), undone)

    return look


def _expire_holds(draft: Draft) -> None:
    for hold in list(draft.book.holds.values()):
        if not hold.stands(draft.now):
            draft.add(HoldEnded(hold.id, "expiry", "its time is over"))
    for known in list(draft.book.outside.silences.values()):
        if known.silence.is_over(draft.now):
            draft.add(SilenceEnded(known.silence.id, "its time is over"))
