"""What is counted as it happens: the journal's entries, and the polls of sources.

Counters begin at 0 with the process. Those whose label values are known beforehand are there from
the start, since an increase from nothing is one that a query does not see.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector

from watchdog.core import entries as e
from watchdog.core.channels import Channel
from watchdog.core.deploys import DeployOutcome
from watchdog.core.measures import Measure
from watchdog.core.samples import Reading
from watchdog.core.spec import Policy, SourceSpec
from watchdog.core.telling.notes import Fate
from watchdog.core.words import Blind, Direction, Instant, Severity, World
from watchdog.ports import MetricSource
from watchdog.web.metrics.catalog import EVENT_RESULTS
from watchdog.web.metrics.procedure import Procedure, counter, histogram

GATES = (
    "evidence",
    "environment",
    "hold",
    "deploy",
    "burning",
    "target",
    "ready",
    "anchor",
    "change",
    "cooldown",
    "blast_radius",
    "mode",
    "budget",
)
"""Names of the gates, in the order in which they rule."""

_KEPT_PASSES_SECONDS = 60.0


class Meters:
    """The counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._decisions = self._counter("decisions_total")
        self._refusals = self._counter("refusals_total")
        self._episodes = self._counter("episodes_total")
        self._actions = self._counter("actions_total")
        self._drifts = self._counter("drifts_total")
        self._deploys = self._counter("deploys_total")
        self._blindness = self._counter("blindness_total")
        self._pages = self._counter("pages_total")
        self._notes = self._counter("notes_total")
        self._entries = self._counter("journal_entries_total")
        self._events = self._counter("events_total")
        self._errors = self._counter("source_errors_total")
        self._polls = self._histogram("source_poll_duration_seconds")
        self._took = self._histogram("action_duration_seconds")
        self._effect = self._histogram("breach_to_effect_seconds")
        self._procedure = Procedure(self.registry)
        self._longest: deque[tuple[float, float]] = deque()
        self._episodes_rule: Callable[[str], float | None] = lambda _: None
        self._begin_at_zero()

    def effects_from(self, seconds_to_effect: Callable[[str], float | None]) -> None:
        """Where to ask how long an episode took from its breach to its effect."""
        self._episodes_rule = seconds_to_effect

    def measures_from(self, measure: Callable[[str], Measure | None]) -> None:
        """Where to ask what was measured of an episode."""
        self._procedure.measures = measure

    # -- entries -----------------------------------------------------------------------------------

    def heard(self, recorded: e.Recorded) -> None:
        """A recorder's listener: counts one durable entry."""
        entry = recorded.entry
        self._entries.labels(entry.kind).inc()
        self._procedure.heard(recorded)
        match entry:
            case e.EpisodeOpened():
                self._episodes.labels(entry.world.value).inc()
            case e.Decided():
                self._decided(entry)
            case e.IntentEnded():
                self._ended(entry)
            case e.BlindBegan():
                self._blindness.labels(entry.blind.value).inc()
            case e.Paged():
                self._pages.labels(entry.severity.value, _yes(entry.silenced)).inc()
            case e.NoteTold():
                channel = entry.line.partition(" ")[0]
                if channel or entry.fate is not Fate.SENT:  # else it was counted on its line
                    self._notes.labels(channel, entry.fate.value).inc(len(entry.notes))
            case e.DeployEnded():
                self._deploys.labels(entry.outcome.value).inc()
            case e.Drifted():
                self._drifts.labels(entry.action).inc()
            case _:
                pass

    def _decided(self, entry: e.Decided) -> None:
        self._decisions.labels(entry.world.value, entry.ruling.value).inc()
        if entry.ruling is e.Ruling.REFUSED:
            self._refusals.labels(entry.world.value, ruling_gate(entry)).inc()

    def _ended(self, entry: e.IntentEnded) -> None:
        direction = entry.direction.value
        self._actions.labels(entry.action, direction, entry.outcome.value).inc()
        self._took.labels(entry.action, direction).observe(entry.seconds)
        if entry.direction is Direction.DO and entry.outcome is e.Outcome.DONE:
            took = self._episodes_rule(entry.episode)
            if took is not None:
                self._effect.labels(entry.action).observe(took)

    def told(self, channel: str, result: str, number: int = 1) -> None:
        """What came of a sender's request: so many events, or one refusal."""
        self._events.labels(channel, result).inc(number)

    # -- sources -----------------------------------------------------------------------------------

    def counting(self, spec: SourceSpec, source: MetricSource) -> MetricSource:
        """The same source, with its polls counted."""
        return _Counted(self, spec, source)

    def polled(self, source: str, seconds: float, blind: Blind | None) -> None:
        """A poll has ended."""
        self._polls.labels(source).observe(seconds)
        if blind is not None:
            self._errors.labels(source, blind.value).inc()

    # -- passes ------------------------------------------------------------------------------------

    def longest_pass(self, taken_seconds: float, now: Instant) -> float:
        """The longest of the last minute, so that two who scrape see the same one."""
        self._longest.append((now.steady, taken_seconds))
        while self._longest[0][0] < now.steady - _KEPT_PASSES_SECONDS:
            self._longest.popleft()
        return max(seconds for _, seconds in self._longest)

    # -- beginnings --------------------------------------------------------------------------------

    def adopt(self, policy: Policy) -> None:
        """Let the counters of a policy's sources, actions and channels begin at 0."""
        for name, source in policy.sources.items():
            self._polls.labels(name)
            if isinstance(source.how, Channel):
                for result in EVENT_RESULTS:
                    self._events.labels(name.partition(":")[2], result)
        for action in policy.actions.values():
            directions = [Direction.DO, *([Direction.UNDO] if action.undo else [])]
            for direction in directions:
                self._took.labels(action.name, direction.value)
                for outcome in e.Outcome:
                    self._actions.labels(action.name, direction.value, outcome.value)
            self._effect.labels(action.name)
            self._procedure.adopt(action.name)
            self._drifts.labels(action.name)
        for channel in policy.contacts.channels if policy.contacts is not None else ():
            for fate in Fate:
                self._notes.labels(channel, fate.value)

    def _begin_at_zero(self) -> None:
        for world in World:
            self._episodes.labels(world.value)
            for ruling in e.Ruling:
                self._decisions.labels(world.value, ruling.value)
            for gate in GATES:
                self._refusals.labels(world.value, gate)
        self._events.labels("unknown", "unauthenticated")
        for outcome in DeployOutcome:
            self._deploys.labels(outcome.value)
        for reason in Blind:
            self._blindness.labels(reason.value)
        for severity in Severity:
            for silenced in ("yes", "no"):
                self._pages.labels(severity.value, silenced)

    def _counter(self, short: str) -> Counter:
        return counter(short, self.registry)

    def _histogram(self, short: str) -> Histogram:
        return histogram(short, self.registry)


class _Counted:
    """A source whose polls are counted; its answers are its own."""

    def __init__(self, meters: Meters, spec: SourceSpec, source: MetricSource) -> None:
        self.name = source.name
        self._meters = meters
        self._spec = spec
        self._source = source

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            reading = await self._source.poll(at, wanted)
        except asyncio.CancelledError:
            took = loop.time() - began
            if took >= self._spec.deadline_seconds:  # cut off; else the daemon only stops
                self._meters.polled(self.name, took, Blind.OURS)
            raise
        except Exception:
            self._meters.polled(self.name, loop.time() - began, Blind.OURS)
            raise
        blind = reading.failure.blind if reading.failure else None
        self._meters.polled(self.name, reading.took_seconds, blind)
        return reading

    async def aclose(self) -> None:
        await self._source.aclose()


def ruling_gate(entry: e.Decided) -> str:
    """The gate that refused: the first that did not pass, else the one that the reason names."""
    refused = [answer.gate for answer in entry.gates if not answer.passed]
    return refused[0] if refused else entry.reason.partition(":")[0]


def _yes(value: bool) -> str:  # noqa: FBT001  # a conversion's only parameter
    return "yes" if value else "no"
