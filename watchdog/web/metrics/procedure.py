"""The numbers of the procedure that are counted as they happen: histograms and one counter.

The measures of an episode are the record's; here it is only noticed when one of them is complete.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from watchdog.core import entries as e
from watchdog.core.measured import Service
from watchdog.core.measures import PROVES_HEALTH, Act, Ended, Measure
from watchdog.core.states import Event
from watchdog.core.words import Direction, Instant, Severity, World
from watchdog.web.metrics.catalog import CATALOG


class Procedure:
    """Told of every entry once it is durable and in the book."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.measures: Callable[[str], Measure | None] = lambda _: None
        self._rollbacks = counter("rollbacks_total", registry)
        self._took = histogram("rollback_duration_seconds", registry)
        self._bad_to_effect = histogram("first_bad_to_effect_seconds", registry)
        self._contained = histogram("breach_to_contained_seconds", registry)
        self._recovered = histogram("breach_to_recovered_seconds", registry)
        for severity in Severity:
            self._contained.labels(severity.value)
            self._recovered.labels(severity.value)

    def adopt(self, action: str) -> None:
        """Let the counters of an action begin at 0."""
        self._took.labels(action)
        self._bad_to_effect.labels(action)
        for ended in Ended:
            self._rollbacks.labels(action, ended.value)

    def heard(self, recorded: e.Recorded) -> None:
        entry = recorded.entry
        match entry:
            case e.IntentEnded(direction=Direction.DO):
                one = self.measures(entry.episode)
                for act in one.acts if one is not None else ():
                    if one is not None and act.intent == entry.intent:
                        self._rolled_back(one, act)
            case e.EpisodeMoved() | e.ServiceTurned():
                one = self.measures(entry.episode)
                if one is not None and one.world is World.LIVE and one.lasted:
                    self._moved(one, entry, recorded.at)
            case _:
                pass

    def _rolled_back(self, one: Measure, act: Act) -> None:
        if act.ended is None:
            return
        self._rollbacks.labels(act.action, act.ended.value).inc()
        if act.seconds is None or act.effect_at is None:
            return
        self._took.labels(act.action).observe(act.seconds)
        if one.first_bad is not None:
            since = max(0.0, act.effect_at.steady - one.first_bad.steady)
            self._bad_to_effect.labels(act.action).observe(since)

    def _moved(self, one: Measure, entry: e.EpisodeMoved | e.ServiceTurned, at: Instant) -> None:
        """Once an episode: the entry is the one that the measure took its time from."""
        since = max(0.0, at.steady - one.breached.steady)
        contained = isinstance(entry, e.EpisodeMoved) and entry.event is Event.CONTAINED
        if contained and one.contained == at:
            self._contained.labels(one.severity.value).observe(since)
        elif not contained and one.recovered == at and _tells(entry):
            self._recovered.labels(one.severity.value).observe(since)


def _tells(entry: e.EpisodeMoved | e.ServiceTurned) -> bool:
    """Whether the entry is one by which a service is known to work."""
    if isinstance(entry, e.ServiceTurned):
        return entry.service is Service.RECOVERED
    return entry.event in PROVES_HEALTH


def counter(short: str, registry: CollectorRegistry) -> Counter:
    """As the catalog has it."""
    metric = CATALOG[short]
    return Counter(metric.name, metric.help, metric.labels, registry=registry)


def histogram(short: str, registry: CollectorRegistry) -> Histogram:
    """As the catalog has it."""
    m = CATALOG[short]
    return Histogram(m.name, m.help, m.labels, registry=registry, buckets=m.buckets)
