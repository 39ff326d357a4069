"""What can be measured again: the samples kept, each rule's windows, and its clocks.

Losing it costs warm-up time and never a decision; the journal holds what must not be lost. It is
checkpointed, so that a restart goes on with the same windows and the same `for` clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from watchdog.core.channels import Channel
from watchdog.core.family import Family
from watchdog.core.impact import Cost, impact_queries
from watchdog.core.judge import SKEW_SECONDS, Budget, queries
from watchdog.core.naming import family_of
from watchdog.core.persistence import BreachClock, QuietClock
from watchdog.core.probes import PROBES
from watchdog.core.promql import Expression, check, evaluate
from watchdog.core.rule_memory import RuleMemory, renewed
from watchdog.core.samples import Answer, Failure, Fault, Reading
from watchdog.core.series import SeriesStore
from watchdog.core.spec import Policy, PrometheusApi, SourceSpec
from watchdog.core.words import Blind, CheckReading, Instant, Status, Truth, Verdict


@dataclass(slots=True)
class Evaluated:
    """Expressions of an embedded source, and the samples that they are evaluated from."""

    expressions: dict[str, Expression]
    store: SeriesStore

    @property
    def names(self) -> frozenset[str] | None:
        """What it reads; None: whatever there is."""
        names = [expression.names for expression in self.expressions.values()]
        known = [each for each in names if each is not None]
        return frozenset().union(*known) if len(known) == len(names) else None

    def answers(self, reading: Reading) -> dict[str, Answer]:
        self.store.ingest(reading)
        when = _moment_of(reading)
        return {text: evaluate(each, self.store, when) for text, each in self.expressions.items()}


@dataclass(slots=True)
class SourceMemory:
    """One source: what is wanted of it, and, when it is embedded, what it has said.

    What nobody judges, `aside`, is kept apart from what is judged: it takes no room from it, and
    a bug in evaluating it blinds nobody.
    """

    spec: SourceSpec
    judged: tuple[str, ...]
    aside: tuple[str, ...] = ()
    by_judges: Evaluated | None = None
    beside: Evaluated | None = None
    last: Reading | None = None
    polls: int = 0
    missed: int = 0

    @property
    def wanted(self) -> tuple[str, ...]:
        """All that rules ask, what is judged first."""
        return tuple(dict.fromkeys((*self.judged, *self.aside)))

    @property
    def questions(self) -> tuple[tuple[str, ...], ...]:
        """What to ask at a time of what nobody judges: an API each by itself, so that one that
        hangs costs the others little; of a page all at once.
        """
        if self.beside is not None:
            return (self.aside,)
        return tuple((text,) for text in self.aside)

    def answers(self, reading: Reading) -> Mapping[str, Answer]:
        """Each judged expression's answer at the reading's time."""
        self.last, self.polls = reading, self.polls + 1
        if self.by_judges is None:
            return reading.answers
        return self.by_judges.answers(self._of(reading, self.by_judges))

    def answers_aside(self, reading: Reading) -> Mapping[str, Answer]:
        """Of what nobody judges; never raises."""
        if self.beside is None:
            return reading.answers
        try:
            return self.beside.answers(self._of(reading, self.beside))
        except Exception as error:  # noqa: BLE001  # its failure is what is told of it
            reason = f"its evaluation failed: {type(error).__name__}: {error}"
            failed = Answer(failure=Failure(Fault.OURS, Blind.BUG, reason))
            return dict.fromkeys(self.aside, failed)

    def _of(self, reading: Reading, part: Evaluated) -> Reading:
        """A reading that holds what is wanted by both may be taken in by each."""
        names = part.names if self.aside else None
        if names is None:
            return reading
        own = tuple(sample for sample in reading.samples if sample.name in names)
        return reading if len(own) == len(reading.samples) else replace(reading, samples=own)


class Memory:
    """All sources and rules of the policy in force; rules with `each` are kept apart."""

    def __init__(self) -> None:
        self.sources: dict[str, SourceMemory] = {}
        self.rules: dict[str, RuleMemory] = {}
        self.families: dict[str, Family] = {}

    def adopt(self, policy: Policy) -> None:
        """Take a policy on: what did not change in meaning keeps its windows and clocks.

        Where its source is another one now, nothing is kept: the counters of another endpoint
        would look like a jump of the old ones.
        """
        moved = {
            name for name, memory in self.sources.items() if policy.sources.get(name) != memory.spec
        }
        self.rules = {
            name: renewed(self.rules.get(name), rule, from_elsewhere=rule.source in moved)
            for name, rule in policy.rules.items()
            if not rule.each
        }
        self.families = {
            name: Family(rule, policy, self.families.get(name), from_elsewhere=rule.source in moved)
            for name, rule in policy.rules.items()
            if rule.each
        }
        self.sources = {
            name: _source(spec, policy, self.sources.get(name))
            for name, spec in policy.sources.items()
        }

    def hear_aside(self, reading: Reading, asked: Sequence[str]) -> None:
        """What nobody judges was answered. Whatever it is, no rule is the worse for it."""
        source = self.sources.get(reading.source)
        if source is None or not asked:
            return
        answers = source.answers_aside(reading)
        who: list[RuleMemory | Family] = [*self.rules_of(source.spec.name)]
        for each in (*who, *self.families_of(source.spec.name)):
            if any(text in asked for text in impact_queries(each.spec)):
                each.hear_aside(reading, answers)

    def rules_of(self, source: str) -> list[RuleMemory]:
        return [memory for memory in self.rules.values() if memory.spec.source == source]

    def families_of(self, source: str) -> list[Family]:
        return [family for family in self.families.values() if family.spec.source == source]

    def of(self, rule: str) -> RuleMemory | None:
        """Of a rule by its name, be it a family or a member."""
        found = self.rules.get(rule)
        if found is not None or not self.families:
            return found
        family = self.families.get(family_of(rule))
        return family.of(rule) if family is not None else None

    def every(self) -> Iterator[RuleMemory]:
        """Rules, families and members."""
        yield from self.rules.values()
        for family in self.families.values():
            yield family.whole
            yield from family.members.values()

    def statuses(self) -> dict[str, Status]:
        """Of all that were judged once, by their names."""
        return {m.spec.name: m.sight.verdict.status for m in self.every() if m.sight is not None}

    def verdict(self, rule: str) -> Verdict | None:
        memory = self.of(rule)
        return memory.sight.verdict if memory and memory.sight else None

    def budget(self, rule: str, now: Instant) -> Budget | None:
        memory = self.of(rule)
        return memory.judge.budget(now) if memory else None

    def recovered_since(self, rule: str, effect: Instant, now: Instant) -> CheckReading:
        memory = self.of(rule)
        if memory is None:
            return CheckReading(Truth.UNKNOWN, "the rule is not in the policy any more", now)
        return memory.judge.recovered_since(effect, now)

    def cost(self, rule: str, since: float) -> Cost:
        memory = self.of(rule)
        return Cost() if memory is None else memory.cost(since)

    # -- checkpoints -------------------------------------------------------------------------------

    def checkpoint(self, only: Collection[str] | None = None) -> dict[str, bytes]:
        """One value a rule for windows (slow to change) and one for all clocks (small).

        `only` limits the windows to these rules.
        """
        clocks = {
            m.spec.name: {
                "sha256": m.spec.sha256,
                "source": self._source_sha256(m.spec.source),
                "breach": m.breach.numbers(),
                "quiet": m.quiet.numbers(),
            }
            for m in self.every()
        }
        items = {
            f"windows:{m.spec.name}": m.judge.checkpoint()
            for m in self.every()
            if only is None or m.spec.name in only
        }
        items |= {
            f"impact:{m.spec.name}": m.meter.checkpoint()
            for m in self.every()
            if m.meter is not None and (only is None or m.spec.name in only)
        }
        items["clocks"] = json.dumps(clocks, sort_keys=True).encode()
        return items

    def counting(self) -> frozenset[str]:
        """Rules whose `for` clock runs: what a crash must not set back."""
        return frozenset(m.spec.name for m in self.every() if m.breach.breached_at is not None)

    def restore(self, items: Mapping[str, bytes]) -> tuple[str, ...]:
        """Go on from a checkpoint. Returns what could not be used, in words.

        Members that it knows are there again; who belongs to a family is said by the book.
        """
        problems = []
        clocks = json.loads(items.get("clocks", b"{}"))
        for name in clocks:
            if family_of(name) in self.families:
                self.families[family_of(name)].know(name)
        for memory in self.every():
            name = memory.spec.name
            kept = clocks.get(name)
            if kept is None or kept["source"] != self._source_sha256(memory.spec.source):
                continue
            windows = items.get(f"windows:{name}")
            if windows is not None and not memory.judge.restore(windows):
                problems.append(f"the kept windows of {name} are of other counters, or damaged")
            if memory.meter is not None:
                memory.meter.restore(items.get(f"impact:{name}", b""))
            if kept["sha256"] == memory.spec.sha256:
                memory.breach = BreachClock(*kept["breach"])
                memory.quiet = QuietClock(*kept["quiet"])
        return tuple(problems)

    def _source_sha256(self, name: str) -> str:
        """Tells whether a checkpoint was measured where the rule measures now."""
        return hashlib.sha256(repr(self.sources[name].spec).encode()).hexdigest()


def _moment_of(reading: Reading) -> float:
    """The wall time to evaluate at: the request's, or that of samples that name a later one.

    A document made for our request is a little younger than it. Evaluated at the request's own
    time it would not be there yet, and every verdict would rest on the poll before.
    """
    asked = reading.at.wall
    newest = max((sample.at for sample in reading.samples), default=asked)
    latest = asked + reading.took_seconds + SKEW_SECONDS
    return newest if asked < newest <= latest else asked


def _source(spec: SourceSpec, policy: Policy, old: SourceMemory | None) -> SourceMemory:
    rules = [rule for rule in policy.rules.values() if rule.source == spec.name]
    judged = tuple(dict.fromkeys(text for rule in rules for text in queries(rule)))
    aside = tuple(dict.fromkeys(text for rule in rules for text in impact_queries(rule)))
    same = old is not None and old.spec == spec
    if old is not None and same and (old.judged, old.aside) == (judged, aside):
        return old
    if isinstance(spec.how, (PrometheusApi, Channel, *PROBES)):
        return SourceMemory(spec, judged, aside)
    by_judges, beside = (old.by_judges, old.beside) if old is not None and same else (None, None)
    return SourceMemory(
        spec,
        judged,
        aside,
        _evaluated(spec, judged, by_judges),
        _evaluated(spec, aside, beside) if aside else None,
    )


def _evaluated(spec: SourceSpec, wanted: tuple[str, ...], old: Evaluated | None) -> Evaluated:
    expressions = {text: check(text) for text in wanted}
    keep = max((x.range_seconds for x in expressions.values()), default=0.0)
    store = old.store if old is not None else None
    if store is None:
        store = SeriesStore(max_series=spec.max_series, keep_seconds=keep)
    store.keep_seconds = keep
    evaluated = Evaluated(expressions, store)
    store.looks.want(evaluated.names)
    return evaluated
