"""A policy over a stretch of the past, through the core that decides at night.

Rules are rehearsed as if armed, unless told otherwise: what a rule in shadow would do is the
question. An action is taken to work, and the past goes on as it was: no rollback mends history.
So a person is supposed, who undoes it some time after the past's own recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import merge

from watchdog.core.channels import EventSignal
from watchdog.core.judge import queries
from watchdog.core.probes import Probed
from watchdog.core.promql import Refused, check, outline
from watchdog.core.samples import Reading
from watchdog.core.spec import Endpoint, Policy, PrometheusApi, RatioThreshold, RuleSpec, Slo
from watchdog.core.words import Instant, Mode
from watchdog.lab.backtest.firing import Firing, firings
from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.backtest.ledger import Ledger
from watchdog.lab.backtest.trace import Trace
from watchdog.lab.history import Feed, History, Span
from watchdog.lab.history.tracks import Wanted
from watchdog.lab.rehearsal import Rehearsal, Supposed, Supposing

_NOWHERE = Endpoint("http://history.invalid")


@dataclass(frozen=True, slots=True)
class Settings:
    """How the past is rehearsed. Durations are seconds."""

    mode: Mode | None = Mode.ARMED  # every rule's; None: as declared
    undo_after_seconds: float | None = 900.0
    supposed: Supposed = field(default_factory=Supposed)
    every_seconds: float | None = None  # the rhythm; None: each source's own
    warm_seconds: float = 0.0  # replayed before the span, to fill the windows; not reported


@dataclass(frozen=True, slots=True)
class Stage:
    """A policy made ready for a history, and what had to be left out or changed, in words."""

    policy: Policy
    wanted: tuple[Wanted, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)  # rule -> why
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        policy: Policy,
        settings: Settings,
        *,
        only: Collection[str] = (),
        evaluated_here: bool = True,
    ) -> Stage:
        """`evaluated_here`: the history has raw series alone; expressions are ours to evaluate."""
        left_out: dict[str, str] = {}
        notes: list[str] = []
        rules: dict[str, RuleSpec] = {}
        for name, rule in policy.rules.items():
            if only and name not in only:
                continue
            source = policy.sources[rule.source]
            here = evaluated_here or not isinstance(source.how, PrometheusApi)
            refused = _refusal(rule) if here else ""
            if isinstance(rule.signal, Probed):
                refused = f"{rule.where}: it looks by itself, and no history tells what it saw"
            if isinstance(rule.signal, EventSignal):
                refused = f"{rule.where}: it hears events, which have no history"
            if refused:
                left_out[name] = refused
                continue
            rules[name] = _rehearsed(rule, settings, notes)
        used = {rule.source for rule in rules.values()}
        sources = {
            name: replace(spec, how=PrometheusApi(_NOWHERE, spec.every_seconds))
            for name, spec in policy.sources.items()
        }
        staged = replace(policy, rules=rules, sources=sources)
        wanted = tuple(
            Wanted(
                name,
                settings.every_seconds or policy.sources[name].every_seconds,
                _expressions(rules.values(), name),
                policy.sources[name].max_series,
            )
            for name in sorted(used)
        )
        return cls(staged, wanted, left_out, tuple(dict.fromkeys(notes)))

    @property
    def names(self) -> frozenset[str] | None:
        """Metric names that are looked at; None where a selector has no exact one."""
        found: set[str] = set()
        for each in self.wanted:
            for text in each.expressions:
                names = outline(text).names
                if names is None:
                    return None
                found |= set(names)
        return frozenset(found)

    @property
    def longest_window_seconds(self) -> float:
        """How far back the rules look at most."""
        from_ranges = [
            outline(text).range_seconds for each in self.wanted for text in each.expressions
        ]
        windows = [seconds for rule in self.policy.rules.values() for seconds in _windows(rule)]
        return max([*from_ranges, *windows], default=0.0)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it. Firings that opened while the windows were being filled are left out."""

    stage: Stage
    span: Span
    firings: tuple[Firing, ...]
    traces: Mapping[str, Trace]
    failures: Mapping[str, str]  # rule -> what its evaluation raised: a bug of ours
    readings: int


def replay(
    stage: Stage,
    history: History,
    span: Span,
    settings: Settings,
    incidents: Sequence[Incident] = (),
    progress: Callable[[float], None] | None = None,
) -> Run:
    """`incidents` say since when bad events count as spent budget at a firing.

    Raises history.Bad where the past cannot be read.
    """
    return replay_all([stage], history, span, settings, incidents, progress)[0]


def replay_all(
    stages: Sequence[Stage],
    history: History,
    span: Span,
    settings: Settings,
    incidents: Sequence[Incident] = (),
    progress: Callable[[float], None] | None = None,
) -> list[Run]:
    """Several policies, which look at the same, over one reading of the past."""
    whole = Span(span.start - settings.warm_seconds, span.end)
    actors = [_Actor(stage, whole, span, settings, incidents) for stage in stages]
    told = whole.start
    for reading in _readings(stages[0].wanted, history, whole):
        for actor in actors:
            actor.take(reading)
        at = reading.at.wall
        if progress is not None and at - told >= whole.seconds / 200:
            told = at
            progress((at - whole.start) / max(1.0, whole.seconds))
    return [actor.run() for actor in actors]


class _Actor:
    """One policy's rehearsal, and what is noted of it."""

    def __init__(
        self,
        stage: Stage,
        whole: Span,
        span: Span,
        settings: Settings,
        incidents: Sequence[Incident],
    ) -> None:
        self._stage, self._span = stage, span
        supposing = Supposing(
            otherwise=settings.supposed,
            undo_after_seconds=settings.undo_after_seconds,
            unchecked_too=True,  # the past goes on as it was, so no recovery would show it
        )
        began = Instant(whole.start, whole.start)
        self._rehearsal = Rehearsal(stage.policy, began, supposing)
        self._ledger = Ledger(self._rehearsal, incidents)
        self._traces = {name: Trace(span, rule) for name, rule in stage.policy.rules.items()}
        memory = self._rehearsal.memory
        self._watched = {
            each.source: [
                (found, self._traces[name])
                for name, rule in stage.policy.rules.items()
                if rule.source == each.source and (found := memory.of(name)) is not None
            ]
            for each in stage.wanted
        }
        self._readings = 0

    def take(self, reading: Reading) -> None:
        self._rehearsal.feed(reading)
        self._ledger.look()
        self._readings += 1
        at = reading.at.wall
        if at >= self._span.start:
            for memory, trace in self._watched[reading.source]:
                if memory.sight is not None:
                    trace.see(at, memory.sight.verdict)
            self._see_members(reading.source, at)

    def _see_members(self, source: str, at: float) -> None:
        """Each has its own trace, from when it was first seen."""
        for family in self._rehearsal.memory.families_of(source):
            for name, memory in family.members.items():
                if memory.sight is not None:
                    trace = self._traces.get(name)
                    if trace is None:
                        trace = self._traces[name] = Trace(self._span, memory.spec)
                    trace.see(at, memory.sight.verdict)

    def run(self) -> Run:
        start = self._span.start
        found = [f for f in firings(self._rehearsal.log) if f.opened_at >= start]
        self._ledger.settle(found)
        for firing in found:
            trace = self._traces[firing.rule]
            firing.recovered_at = trace.healthy_after(firing.fired_at or firing.opened_at)
        failures = dict(self._rehearsal.failures)
        return Run(self._stage, self._span, tuple(found), self._traces, failures, self._readings)


def _readings(wanted: Collection[Wanted], history: History, span: Span) -> Iterator[Reading]:
    feeds = [Feed(each).readings(history.slices(each, span)) for each in wanted]
    return merge(*feeds, key=lambda reading: reading.at.steady)


def _rehearsed(rule: RuleSpec, settings: Settings, notes: list[str]) -> RuleSpec:
    mode = rule.mode if settings.mode is None else settings.mode
    every = settings.every_seconds or rule.every_seconds
    if every > rule.every_seconds:
        notes.append(
            f"{rule.source} is read every {rule.every_seconds:g} s; "
            f"its history is replayed every {every:g} s"
        )
    stale = max(rule.stale_after_seconds, 2 * every)
    return replace(rule, mode=mode, every_seconds=every, stale_after_seconds=stale)


def _refusal(rule: RuleSpec) -> str:
    """Why its expressions cannot be evaluated over raw series, if they cannot."""
    for text in queries(rule):
        try:
            check(text)
        except Refused as error:
            return f"{rule.where}: {error}. Give it a Prometheus as history"
    return ""


def _expressions(rules: Collection[RuleSpec], source: str) -> tuple[str, ...]:
    texts = [text for rule in rules if rule.source == source for text in queries(rule)]
    return tuple(dict.fromkeys(texts))


def _windows(rule: RuleSpec) -> tuple[float, ...]:
    match rule.signal:
        case Slo(pairs=pairs):
            return tuple(pair.long_seconds for pair in pairs)
        case RatioThreshold(over_seconds=over):
            return (over,)
        case _:
            return ()
