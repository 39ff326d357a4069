"""A rule with `each`: one question, its answer told apart by labels, and a judge for each part.

Laws
* A label set that is seen becomes a member: a rule of its own, with its own windows and clocks.
  Who is a member stands in the journal, and is the same after a restart.
* There are at most `limit`. Where more are seen nobody new is taken, and the family is blind.
* A member is kept while it has an open episode. Without one it is retired when it has been gone for
  longer than anything it measured counts.
* Of one blindness people are told once: by the family where all are blind, else by the member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from watchdog.core.book import Book
from watchdog.core.draft import Draft
from watchdog.core.entries import MemberTaken, RuleCleared
from watchdog.core.impact import impact_queries
from watchdog.core.inputs import Sight
from watchdog.core.judge.each import FamilyJudge
from watchdog.core.judge.finding import Finding, blinded
from watchdog.core.judge.judge import Judge, queries
from watchdog.core.judge.parts import Parts, Share, told_apart
from watchdog.core.naming import Values, labelled, values_in
from watchdog.core.rule_memory import RuleMemory, memory_of, renewed
from watchdog.core.samples import Answer, Reading
from watchdog.core.spec import PRESENT, Policy, RuleSpec, ValueThreshold
from watchdog.core.states import BLINDS
from watchdog.core.telling.blindness import let_go
from watchdog.core.text import duration, shortened
from watchdog.core.words import Blind, Instant, Status

_NOTHING_READ = Parts({}, {})


class Family:
    """Its members by their names, and `whole`, which is how all of them together stand."""

    def __init__(
        self, rule: RuleSpec, policy: Policy, old: Family | None, *, from_elsewhere: bool
    ) -> None:
        self.spec = rule
        before = old.whole if old is not None else None
        self.whole: RuleMemory = renewed(before, rule, from_elsewhere=from_elsewhere)
        self.members: dict[str, RuleMemory] = {}
        self._policy = policy
        self._parts = _NOTHING_READ
        self._fault: Finding | None = None
        self._gone: dict[str, Instant] = {}  # members that the last good answer did not hold
        self._alone = Judge(rule)  # of an answer that holds nobody
        if old is not None and old.spec.each == rule.each:
            for name, memory in old.members.items():
                spec = policy.member(rule, values_in(name))
                self.members[name] = renewed(memory, spec, from_elsewhere=from_elsewhere)
            self._gone = dict(old._gone)  # noqa: SLF001  # its own kind

    def of(self, name: str) -> RuleMemory | None:
        return self.whole if name == self.spec.name else self.members.get(name)

    def know(self, name: str) -> None:
        """A checkpoint holds something of this member."""
        spec = self._policy.rule(name)
        if spec is not None and spec.member and name not in self.members:
            self.members[name] = memory_of(spec)

    # -- a pass ------------------------------------------------------------------------------------

    def align(self, draft: Draft) -> None:
        """Have the members that the book has, and no others."""
        known = draft.book.members.of(self.spec.name)
        if known.keys() == self.members.keys():
            return
        for name in list(known):
            self.know(name)
            if name not in self.members:
                let_go(name, self.spec, "the rule has other labels now", draft)
        for name in set(self.members) - known.keys():
            self._forget(name)

    def read(self, reading: Reading, answers: Mapping[str, Answer], draft: Draft) -> None:
        """Tell a reading's answers apart, and take new members in."""
        expressions = queries(self.spec)
        parts = self._parts = told_apart(self.spec.each, expressions, reading, answers)
        self._fault = parts.whole or parts.odd
        if parts.whole is not None:
            return
        names = {labelled(self.spec.name, values): values for values in parts.shares}
        for name in self.members:
            if name in names:
                self._gone.pop(name, None)
            else:
                self._gone.setdefault(name, reading.at)
        new = [name for name in names if name not in self.members]
        if new and not self._has_room(len(new), draft):
            many = f"{shortened(expressions[-1])} gives {len(names)} sets of {self._labels}"
            if kept := sum(name not in names for name in self.members):
                many += f", {kept} more are kept, which are gone"
            reason = (
                f"{many}, and `limit` is {self.spec.limit}: {len(new)} are not watched. Aggregate "
                "them in a recording rule, select fewer, or raise `limit`"
            )
            self._fault = blinded(Blind.TOO_MANY_SERIES, reason)
            return
        for name in sorted(new):
            self._take(name, draft)
        if not names and self._fault is None:
            self._judge_nobody(reading, answers)

    def share(self, member: RuleSpec) -> Share:
        """What the last reading said of a member."""
        return self._parts.shares.get(member.member, self._parts.nobody)

    def hear_aside(self, reading: Reading, answers: Mapping[str, Answer]) -> None:
        """Tell the answer to its `impact` apart; never raises."""
        try:
            parts = told_apart(self.spec.each, impact_queries(self.spec), reading, answers)
        except Exception as error:  # noqa: BLE001  # nobody is judged by it
            reason = f"its answer could not be told apart: {type(error).__name__}: {error}"
            for memory in self.members.values():
                if memory.meter is not None:
                    memory.meter.fail(reason)
            return
        for memory in self.members.values():
            share = parts.shares.get(memory.spec.member, parts.nobody)
            memory.hear_aside(reading, share)

    def is_gone(self, name: str) -> bool:
        """Whether it is a member that the last good answer did not hold."""
        return name in self._gone

    @property
    def label_sets(self) -> tuple[Values, ...]:
        """Those that the last reading showed, watched or not."""
        return tuple(self._parts.shares)

    def judge(self) -> None:
        """Tell the whole how its members stand. Called once they have looked."""
        judge = self.whole.judge
        assert isinstance(judge, FamilyJudge)  # noqa: S101  # of a family there is no other
        seen = [(m.spec, m.sight.verdict) for m in self._counting() if m.sight is not None]
        judge.of(self._fault, seen, self._alone)

    def settle(self, book: Book) -> tuple[tuple[RuleSpec, Sight], ...]:
        """Everybody's sight, with who tells people of a blindness."""
        together = self._all_blind(book)
        for name, memory in self.members.items():
            forgotten = self.spec.forget_gone and name in self._gone
            _tells(memory, elsewhere=forgotten or together)
        _tells(self.whole, elsewhere=self._fault is None and not together)
        every = (*self.members.values(), self.whole)
        return tuple((m.spec, m.sight) for m in every if m.sight is not None)

    def retire(self, draft: Draft) -> None:
        """Let go of members that have been gone for long. Called after all turns."""
        for name, since in list(self._gone.items()):
            gone, memory = draft.now.steady - since.steady, self.members[name]
            if gone > _keep_seconds(memory) and draft.book.open_episode(name) is None:
                self._let_go(name, f"gone for {duration(gone)}", draft)

    # -- members -----------------------------------------------------------------------------------

    @property
    def _labels(self) -> str:
        return ", ".join(self.spec.each)

    def _take(self, name: str, draft: Draft) -> None:
        draft.add(MemberTaken(self.spec.name, name))
        self.know(name)
        signal = self.spec.signal
        asks_presence = isinstance(signal, ValueThreshold) and signal.bound.op == PRESENT
        if asks_presence and self.spec.name in draft.book.cleared:
            draft.add(RuleCleared(name))  # the look before did not show it

    def _has_room(self, more: int, draft: Draft) -> bool:
        """Whether so many new members fit; who is gone and told of makes room for them."""
        spare = [
            name
            for name, _ in sorted(self._gone.items(), key=lambda item: item[1])
            if draft.book.open_episode(name) is None and self._told(name, draft)
        ]
        lacking = len(self.members) + more - self.spec.limit
        if lacking > len(spare):
            return False
        for name in spare[: max(0, lacking)]:
            self._let_go(name, "gone, and others came in its place", draft)
        return True

    def _told(self, name: str, draft: Draft) -> bool:
        blindness = draft.book.blind.get(name)
        return self.spec.forget_gone or blindness is None or blindness.paged

    def _let_go(self, name: str, reason: str, draft: Draft) -> None:
        let_go(name, self.spec, reason, draft)
        self._forget(name)

    def _forget(self, name: str) -> None:
        del self.members[name]
        self._gone.pop(name, None)

    # -- the whole ---------------------------------------------------------------------------------

    def _judge_nobody(self, reading: Reading, answers: Mapping[str, Answer]) -> None:
        """An answer in which nobody is: health for `present`, else a reason to be blind."""
        verdict = self._alone.observe(reading, answers, reading.at)
        if verdict.status is Status.BLIND:
            self._fault = blinded(verdict.blind or Blind.NO_DATA, verdict.reason)

    def _counting(self) -> list[RuleMemory]:
        """The members that the whole is judged by: not those whose going was to be expected."""
        if not self.spec.forget_gone:
            return list(self.members.values())
        return [m for name, m in self.members.items() if name not in self._gone]

    def _all_blind(self, book: Book) -> bool:
        """Leaving aside those that a pause of what they measure makes blind, which is expected."""
        stand = [
            memory.sight.verdict.status
            for memory in self._counting()
            if memory.sight is not None and not _paused(memory.spec.name, book)
        ]
        known = bool(stand) or self._fault is not None or not self.members
        blind = self.whole.sight is not None and self.whole.sight.verdict.status is Status.BLIND
        return known and blind and all(status is Status.BLIND for status in stand)


def _paused(name: str, book: Book) -> bool:
    ep = book.open_episode(name)
    return ep is not None and ep.state in BLINDS


def _tells(memory: RuleMemory, *, elsewhere: bool) -> None:
    if memory.sight is not None and memory.sight.told_elsewhere is not elsewhere:
        memory.sight = replace(memory.sight, told_elsewhere=elsewhere)


def _keep_seconds(memory: RuleMemory) -> float:
    """How long what it measured counts in any way, and people may still have to be told."""
    tally, rule = memory.judge.tally, memory.spec
    longest = tally.window_seconds[-1] if tally is not None else 0.0
    told = rule.page_after_seconds
    return max(longest, rule.for_seconds, rule.stale_after_seconds, told)
