"""Made-up services' metrics, with everything that goes wrong with series.

Times lie beside whole seconds, so that no sample ever falls on the edge of a range: there
Prometheus 2 and 3 differ. Where a counter's first sample after a gap stands, it is zero or far
above its steps: in between, 2.42 extrapolates otherwise than 3 does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from tests.core.promql.asking import Series
from watchdog.core.samples import Failure, Fault, Labels, Reading, Sample, labels_of
from watchdog.core.series import SeriesStore
from watchdog.core.words import Blind, Instant

BEGIN = 1_700_000_000
EVERY_SECONDS = 15
POLLS = 160
TARGET = "app:9000"
FAILED_POLLS = frozenset({50, 51, 52, 95})

Shape = Callable[[int], float | None]
"""The value at a poll, None where the series is not exposed."""


@dataclass(frozen=True)
class Metric:
    name: str
    labels: Labels
    shape: Shape


def _steady(step: float, start: float = 0.0) -> Shape:
    return lambda poll: start + step * poll


def _resetting(step: float, every: int) -> Shape:
    return lambda poll: step * (poll % every)


def _between(shape: Shape, since: int, until: int) -> Shape:
    return lambda poll: shape(poll) if since <= poll < until else None


def _wave(size: float, period: int) -> Shape:
    return lambda poll: float((poll * 7) % period) * size - size * (period // 2)


def _except(shape: Shape, odd: float, every: int) -> Shape:
    return lambda poll: odd if poll % every == 3 else shape(poll)


def _flapping(shape: Shape) -> Shape:
    return lambda poll: shape(poll) if poll % 30 < 22 else None


def _metric(name: str, shape: Shape, **labels: str) -> Metric:
    return Metric(name, labels_of(labels), shape)


def _histogram(name: str, steps: dict[str, float], **labels: str) -> list[Metric]:
    """Classic buckets that grow by these steps; not all of these histograms are sound."""
    return [
        _metric(f"{name}_bucket", _steady(step), le=bound, **labels)
        for bound, step in steps.items()
    ]


METRICS = (
    _metric("requests_total", _steady(12, 4096), code="200", method="GET"),
    _metric("requests_total", _steady(2.5, 4096), code="200", method="POST"),
    _metric("requests_total", _resetting(3, 37), code="404", method="GET"),
    _metric("requests_total", _between(_steady(1, -60), 60, 160), code="500", method="GET"),
    _metric("requests_total", _between(_steady(1, 8192), 70, 130), code="503", method="POST"),
    _metric("requests_total", _flapping(_steady(0.5, 2048)), code="502", method="PUT"),
    _metric("errors_total", _steady(0.25, 512), code="200", method="GET"),
    _metric("errors_total", _steady(0.0, 512), code="200", method="POST"),
    _metric("errors_total", _resetting(1.5, 23), code="404", method="GET"),
    _metric("errors_total", _except(_steady(1, 4096), math.nan, 31), code="500", method="GET"),
    _metric("errors_total", _except(_steady(1, 4096), math.inf, 41), code="503", method="POST"),
    _metric("temperature", _wave(0.5, 11), zone="a", rack="1"),
    _metric("temperature", _wave(0.25, 13), zone="a", rack="2"),
    _metric("temperature", _except(_wave(2, 5), math.nan, 4), zone="b", rack="1"),
    _metric("temperature", _except(_wave(1, 9), math.inf, 5), zone="b", rack="2"),
    _metric("temperature", _except(_wave(1, 3), -math.inf, 6), zone="c"),
    _metric("temperature", _steady(0.0), zone="d", rack="1"),
    _metric("temperature", _steady(0.0, math.nan), zone="e"),
    _metric("ceiling", _steady(0.0, 8.0), zone="a", rack="1"),
    _metric("ceiling", _steady(0.125, -4.0), zone="a", rack="2"),
    _metric("ceiling", _wave(1, 3), zone="b", rack="1"),
    _metric("ceiling", _except(_steady(0.0, 2.0), math.nan, 7), zone="b", rack="2"),
    _metric("ceiling", _except(_steady(0.0, 2.0), math.inf, 8), zone="c"),
    _metric("ceiling", _between(_steady(0.0, 3.0), 0, 80), zone="d", rack="1"),
    _metric("version_info", _steady(0.0, 1.0), zone="a", version="1.4"),
    _metric("version_info", _between(_steady(0.0, 1.0), 0, 90), zone="b", version="1.3"),
    _metric("version_info", _between(_steady(0.0, 1.0), 80, 160), zone="b", version="1.4"),
    _metric("version_info", _between(_steady(0.0, 1.0), 20, 70), zone="c", version=""),
    *_histogram("wait_seconds", {"0.1": 2, "0.5": 6, "1": 7, "+Inf": 8}, method="GET"),
    *_histogram("wait_seconds", {"0.1": 0, "0.5": 0, "1": 0, "+Inf": 4}, method="PUT"),
    *_histogram("wait_seconds", {"-2": 1, "0": 1, "3": 9, "+Inf": 9}, method="POST"),
    *_histogram("size_bytes", {"1e3": 5, "1000": 5, "1e6": 3, "+Inf": 12}, method="GET"),
    *_histogram("size_bytes", {"1e3": 5, "1e6": 6}, method="PUT"),
    *_histogram("size_bytes", {"+Inf": 6}, method="POST"),
    *_histogram("idle_seconds", {"1": 0, "2.5": 0, "+Inf": 0}, method="GET"),
)


@dataclass(frozen=True)
class Traffic:
    """A service that is polled for a while, at times that lie `beside` whole seconds."""

    metrics: tuple[Metric, ...]
    begin: int = BEGIN
    every_seconds: int = EVERY_SECONDS
    polls: int = POLLS
    failed: frozenset[int] = FAILED_POLLS
    beside: Callable[[int], float] = lambda _poll: 0.007

    @property
    def end(self) -> int:
        """A little beyond the look-back."""
        return self.begin + self.every_seconds * self.polls + 330

    def poll_time(self, poll: int) -> float:
        return self.begin + self.every_seconds * poll + self.beside(poll)

    def exposed(self, poll: int) -> dict[Metric, float]:
        if poll in self.failed:
            return {}
        values = {metric: metric.shape(poll) for metric in self.metrics}
        return {metric: value for metric, value in values.items() if value is not None}

    def readings(self) -> Iterator[Reading]:
        """What the scrape source would hand to the store."""
        for poll in range(self.polls):
            at = self.poll_time(poll)
            instant = Instant(at, at)
            if poll in self.failed:
                refused = Failure(Fault.SERVICE, Blind.SOURCE_DOWN, "connection refused")
                yield Reading("app", instant, 0.01, up={TARGET: False}, failure=refused)
                continue
            exposed = self.exposed(poll).items()
            samples = tuple(Sample(m.name, m.labels, value, at) for m, value in exposed)
            yield Reading("app", instant, 0.01, samples=samples, up={TARGET: True})

    def store(self) -> SeriesStore:
        keep = 2 * self.polls * self.every_seconds
        store = SeriesStore(max_series=len(self.metrics), keep_seconds=keep)
        for reading in self.readings():
            store.ingest(reading)
        return store

    def written(self) -> list[Series]:
        """The same with the staleness markers that Prometheus' own scraping would place."""
        found: dict[Metric, list[tuple[float, float | None]]] = {m: [] for m in self.metrics}
        before: dict[Metric, float] = {}
        for poll in range(self.polls):
            at, exposed = self.poll_time(poll), self.exposed(poll)
            for metric, value in exposed.items():
                found[metric].append((at, value))
            for metric in before.keys() - exposed.keys():
                found[metric].append((at, None))
            before = exposed
        series: list[Series] = [
            ({"__name__": m.name, **dict(m.labels)}, samples) for m, samples in found.items()
        ]
        ups = [(self.poll_time(p), float(p not in self.failed)) for p in range(self.polls)]
        return [*series, ({"__name__": "up", "instance": TARGET}, ups)]


USUAL = Traffic(METRICS)
"""Always the same, and made so that everything happens in it."""


def poll_time(poll: int) -> float:
    return USUAL.poll_time(poll)


def made_up(seed: int) -> Traffic:
    """Another service, with other counters, gauges, gaps and times; a day after the one before."""
    luck = Random(seed)  # noqa: S311  # reproducible, and no secret
    polls = luck.randint(60, 160)
    kept = [metric for metric in METRICS if luck.random() < 0.8]
    bases = [luck.choice((2.0, 5.0, 0.25, 12.0)) for _ in range(3)]
    metrics = tuple(Metric(m.name, m.labels, _made_shape(m, luck, polls, bases)) for m in kept)
    lags = [luck.randint(1, 999) / 1000 for _ in range(polls)]
    return Traffic(
        metrics,
        begin=BEGIN + 86400 * (1 + seed),
        every_seconds=luck.choice((5, 10, 15, 30, 60)),
        polls=polls,
        failed=frozenset(luck.sample(range(polls), luck.randint(0, polls // 12))),
        beside=lags.__getitem__,
    )


def _made_shape(metric: Metric, luck: Random, polls: int, bases: list[float]) -> Shape:
    if metric.name == "version_info":
        shape = _steady(0.0, 1.0)
    elif metric.name.endswith("_bucket"):
        shape = _leaping(luck.choice((0.0, 1.0, 3.0)) * bases[0], polls)
    elif metric.name.endswith("_total"):
        every = luck.choice((polls, polls, luck.randint(5, 40)))
        shape = _leaping(luck.choice(bases), every)
    else:
        shape = _round([luck.randint(-64, 64) / 8 for _ in range(luck.randint(1, 23))])
    if not metric.name.endswith("_bucket"):
        if luck.random() < 0.15:
            odd = luck.choice((math.nan, math.inf, -math.inf))
            shape = _except(shape, odd, luck.randint(4, 50))
        if luck.random() < 0.2:
            since = luck.randint(0, polls // 2)
            shape = _between(shape, since, luck.randint(since, polls))
        if luck.random() < 0.1:
            shape = _flapping(shape)
    return shape


def _round(values: list[float]) -> Shape:
    return lambda poll: values[poll % len(values)]


def _leaping(step: float, every: int) -> Shape:
    """A counter that is set back to zero and then leaps far above its steps, see above."""
    return lambda poll: step * (64 + poll % every) if poll % every else 0.0
