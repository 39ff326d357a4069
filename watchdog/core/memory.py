"""What can be measured again: the samples kept, each rule's windows, and its clocks.

Losing it costs warm-up time and never a decision; the journal holds what must not be lost. It is
checkpointed, so that a restart goes on with the same windows and the same `for` clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from watchdog.core.channels import Channel
from watchdog.core.inputs import Sight
from watchdog.core.judge import SKEW_SECONDS, Budget, Judge, queries
from watchdog.core.judge.looked import judge_of
from watchdog.core.persistence import BreachClock, QuietClock
from watchdog.core.probes import PROBES
from watchdog.core.promql import Expression, check, evaluate
from watchdog.core.samples import Answer, Reading
from watchdog.core.series import SeriesStore
from watchdog.core.spec import Policy, PrometheusApi, RuleSpec, SourceSpec
from watchdog.core.words import Blind, CheckReading, Instant, Status, Truth, Verdict


@dataclass(slots=True)
class SourceMemory:
    """One source: what is wanted of it, and, when it is embedded, what it has said."""

    spec: SourceSpec
    wanted: tuple[str, ...]
    expressions: dict[str, Expression]
    store: SeriesStore | None
    last: Reading | None = None
    polls: int = 0
    missed: int = 0

    def answers(self, reading: Reading) -> Mapping[str, Answer]:
        """Each wanted expression's answer at the reading's time."""
        self.last, self.polls = reading, self.polls + 1
        if self.store is None:
            return reading.answers
        self.store.ingest(reading)
        when = _moment_of(reading)
        return {
            text: evaluate(expression, self.store, when)
            for text, expression in self.expressions.items()
        }


@dataclass(slots=True)
class RuleMemory:
    """One rule: its judge with its windows, its clocks, and what was last seen."""

    spec: RuleSpec
    judge: Judge
    breach: BreachClock = field(default_factory=BreachClock)
    quiet: QuietClock = field(default_factory=QuietClock)
    sight: Sight | None = None
    failed: bool = False  # its last evaluation raised: blind until one does not
    sampled_at: float | None = None  # wall time of the newest sample that a clock has counted

    def observe(
        self, reading: Reading, answers: Mapping[str, Answer], undone: Instant | None
    ) -> Sight:
        """Judge new samples. `undone`: when the rollback was undone, if its episode is watched."""
        verdict = self.judge.observe(reading, answers, reading.at)
        self.failed = False
        return self._seen(verdict, verdict.at, undone)

    def fail(self, reason: str, now: Instant) -> Sight:
        """Its evaluation raised. What it last saw proves nothing any more."""
        self.failed = True
        return self._seen(Verdict(Status.BLIND, reason, now, blind=Blind.BUG), now, None)

    def tick(self, now: Instant, undone: Instant | None) -> Sight:
        """Judge without new samples: only time has passed."""
        if self.failed and self.sight is not None:
            return self.sight
        verdict = self.judge.tick(now)
        if undone is None and self.sight is not None and verdict is self.sight.verdict:
            if self.sight.recovered_since_undo is not Truth.UNKNOWN:  # of an undo that is over
                self.sight = replace(self.sight, recovered_since_undo=Truth.UNKNOWN)
            return self.sight
        if self.sight is not None and verdict.status is self.sight.verdict.status:
            since_undo = self._since(undone, now)
            self.sight = replace(self.sight, verdict=verdict, recovered_since_undo=since_undo)
            return self.sight
        return self._seen(verdict, now, undone)

    def _seen(self, verdict: Verdict, now: Instant, undone: Instant | None) -> Sight:
        since_undo = self._since(undone, now)
        status = verdict.status
        if undone is not None and status is Status.BREACHED and since_undo is not Truth.FALSE:
            status = Status.HEALTHY  # breached by what lies before the undo: no time adds up
        every = self.spec.every_seconds
        # One sample that is served again and again is one sample: no time adds up between looks
        # at it, however long it counts as fresh. What sets a clock back is taken at any time.
        again = verdict.sampled_at is not None and verdict.sampled_at == self.sampled_at
        if not (again and status is Status.BREACHED):
            self.breach = self.breach.advance(
                status, now, every_seconds=every, for_seconds=self.spec.for_seconds
            )
        if not (again and verdict.status is Status.HEALTHY):
            self.quiet = self.quiet.advance(verdict.status, now, every_seconds=every)
        if verdict.status is not Status.BLIND:
            self.sampled_at = verdict.sampled_at
        held, quiet = self.breach.held_seconds, self.quiet.quiet_seconds
        self.sight = Sight(verdict, held, quiet, since_undo, self.judge.points)
        return self.sight

    def _since(self, undone: Instant | None, now: Instant) -> Truth:
        if undone is None:
            return Truth.UNKNOWN
        return self.judge.recovered_since(undone, now).truth


class Memory:
    """All sources and rules of the policy in force."""

    def __init__(self) -> None:
        self.sources: dict[str, SourceMemory] = {}
        self.rules: dict[str, RuleMemory] = {}

    def adopt(self, policy: Policy) -> None:
        """Take a policy on: what did not change in meaning keeps its windows and clocks.

        Where its source is another one now, nothing is kept: the counters of another endpoint
        would look like a jump of the old ones.
        """
        moved = {
            name for name, memory in self.sources.items() if policy.sources.get(name) != memory.spec
        }
        self.rules = {
            name: _renewed(self.rules.get(name), rule, from_elsewhere=rule.source in moved)
            for name, rule in policy.rules.items()
        }
        self.sources = {
            name: _source(spec, policy, self.sources.get(name))
            for name, spec in policy.sources.items()
        }

    def rules_of(self, source: str) -> list[RuleMemory]:
        return [memory for memory in self.rules.values() if memory.spec.source == source]

    def verdict(self, rule: str) -> Verdict | None:
        memory = self.rules.get(rule)
        return memory.sight.verdict if memory and memory.sight else None

    def budget(self, rule: str, now: Instant) -> Budget | None:
        memory = self.rules.get(rule)
        return memory.judge.budget(now) if memory else None

    def recovered_since(self, rule: str, effect: Instant, now: Instant) -> CheckReading:
        memory = self.rules.get(rule)
        if memory is None:
            return CheckReading(Truth.UNKNOWN, "the rule is not in the policy any more", now)
        return memory.judge.recovered_since(effect, now)

    # -- checkpoints -------------------------------------------------------------------------------

    def checkpoint(self, only: Collection[str] | None = None) -> dict[str, bytes]:
        """One value a rule for windows (slow to change) and one for all clocks (small).

        `only` limits the windows to these rules.
        """
        clocks = {
            name: {
                "sha256": m.spec.sha256,
                "source": self._source_sha256(m.spec.source),
                "breach": m.breach.numbers(),
                "quiet": m.quiet.numbers(),
            }
            for name, m in self.rules.items()
        }
        items = {
            f"windows:{name}": m.judge.checkpoint()
            for name, m in self.rules.items()
            if only is None or name in only
        }
        items["clocks"] = json.dumps(clocks, sort_keys=True).encode()
        return items

    def counting(self) -> frozenset[str]:
        """Rules whose `for` clock runs: what a crash must not set back."""
        return frozenset(name for name, m in self.rules.items() if m.breach.breached_at is not None)

    def restore(self, items: Mapping[str, bytes]) -> tuple[str, ...]:
        """Go on from a checkpoint. Returns what could not be used, in words."""
        problems = []
        clocks = json.loads(items.get("clocks", b"{}"))
        for name, memory in self.rules.items():
            kept = clocks.get(name)
            if kept is None or kept["source"] != self._source_sha256(memory.spec.source):
                continue
            windows = items.get(f"windows:{name}")
            if windows is not None and not memory.judge.restore(windows):
                problems.append(f"the kept windows of {name} are of other counters, or damaged")
            if kept["sha256"] == memory.spec.sha256:
                memory.breach = BreachClock(*kept["breach"])
                memory.quiet = QuietClock(*kept["quiet"])
        return tuple(problems)

    def _source_sha256(self, name: str) -> str:
        """Tells whether a checkpoint was measured where the rule measures now."""
        return hashlib.sha256(repr(self.sources[name].spec).encode()).hexdigest()


def _renewed(old: RuleMemory | None, rule: RuleSpec, *, from_elsewhere: bool) -> RuleMemory:
    """A rule that means the same goes on; a changed one starts its clocks again, and its windows
    go on where they measure the same.
    """
    if old is None or from_elsewhere or old.spec.source != rule.source:
        return RuleMemory(rule, judge_of(rule))
    if old.spec.sha256 == rule.sha256:
        old.spec = old.judge.rule = rule  # where it stands, and its prose
        return old
    fresh = RuleMemory(rule, judge_of(rule))
    fresh.judge.restore(old.judge.checkpoint())
    return fresh


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
    wanted = tuple(dict.fromkeys(text for rule in rules for text in queries(rule)))
    if old is not None and (old.spec, old.wanted) == (spec, wanted):
        return old
    if isinstance(spec.how, (PrometheusApi, Channel, *PROBES)):
        return SourceMemory(spec, wanted, {}, None)
    expressions = {text: check(text) for text in wanted}
    keep = max((x.range_seconds for x in expressions.values()), default=0.0)
    store = old.store if old is not None and old.spec == spec else None
    if store is None:
        store = SeriesStore(max_series=spec.max_series, keep_seconds=keep)
    store.keep_seconds = keep
    names = [expression.names for expression in expressions.values()]
    known = [each for each in names if each is not None]
    store.looks.want(set().union(*known) if len(known) == len(names) else None)
    return SourceMemory(spec, wanted, expressions, store)
