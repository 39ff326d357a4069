"""Redemption traffic as a pure function of time.

The workload is a list of segments, each with a rate, an error ratio and a latency from one instant
of the monotonic clock on; the counters at any instant are computed from it. So they advance with
no timer, are the same in every process that reads the file, have no delay of visibility at all, and
the instant at which errors began is known exactly. Counters never decrease while the app lives, and
start again from zero when it is started anew.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from watchdog.sandbox.places import read_json, replace_json

if TYPE_CHECKING:
    from pathlib import Path

BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

_SPREAD = ((0.0, 0.0), (1.0, 0.5), (2.0, 0.95), (5.0, 1.0))
"""How quotes spread around the latency: (multiple of it, share at or below), linear between."""

_MEAN_MULTIPLE = sum(
    (share_b - share_a) * (multiple_a + multiple_b) / 2
    for (multiple_a, share_a), (multiple_b, share_b) in pairwise(_SPREAD)
)


@dataclass(frozen=True, slots=True)
class Segment:
    """What the traffic was like from `since_monotonic` on, until the next segment."""

    since_monotonic: float
    rate_per_second: float
    error_ratio: float
    latency_seconds: float
    flowing: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters at one instant."""

    ok: int
    error_500: int
    error_503: int
    within: tuple[int, ...]
    """Quotes at or below each of BUCKETS_SECONDS."""
    quote_seconds_sum: float

    @property
    def total(self) -> int:
        return self.ok + self.error_500 + self.error_503

    @property
    def bad(self) -> int:
        return self.error_500 + self.error_503


@dataclass(frozen=True, slots=True)
class Workload:
    """One life of the app: its birth, its traffic so far, and how the traffic is exposed."""

    born_epoch: float
    born_monotonic: float
    segments: tuple[Segment, ...]
    share_of_503: float = 0.2
    error_series_from_start: bool = False
    """False: a code's series appears with its first failure, as most client libraries do it."""
    unrelated_series: int = 0

    @property
    def now(self) -> Segment:
        return self.segments[-1]

    @property
    def errors_began_at(self) -> float | None:
        """Epoch second at which the present run of errors began; None while there are none."""
        began: float | None = None
        for segment in self.segments:
            failing = segment.flowing and segment.error_ratio > 0
            if failing and began is None:
                began = segment.since_monotonic
            elif segment.error_ratio == 0:
                began = None
        return None if began is None else self.epoch(began)

    def epoch(self, monotonic: float) -> float:
        return self.born_epoch + (monotonic - self.born_monotonic)

    def monotonic(self, epoch: float) -> float:
        return self.born_monotonic + (epoch - self.born_epoch)

    def counts_at_epoch(self, epoch: float) -> Counts:
        """The counters as they stood, or will stand, at an epoch second."""
        return self.counts(self.monotonic(epoch))

    def counts(self, at_monotonic: float) -> Counts:
        """The counters at an instant of the monotonic clock."""
        total = bad = seconds = 0.0
        within = [0.0] * len(BUCKETS_SECONDS)
        ends = (*(segment.since_monotonic for segment in self.segments[1:]), math.inf)
        for segment, end in zip(self.segments, ends, strict=True):
            length = min(end, at_monotonic) - segment.since_monotonic
            if length <= 0 or not segment.flowing:
                continue
            served = length * segment.rate_per_second
            total += served
            bad += served * segment.error_ratio
            seconds += served * segment.latency_seconds * _MEAN_MULTIPLE
            for index, bound in enumerate(BUCKETS_SECONDS):
                within[index] += served * _share_within(bound, segment.latency_seconds)
        error_503 = math.floor(bad * self.share_of_503)
        error_500 = math.floor(bad * (1 - self.share_of_503))
        ok = math.floor(total - bad)
        count = ok + error_500 + error_503
        return Counts(
            ok=ok,
            error_500=error_500,
            error_503=error_503,
            within=tuple(min(math.floor(quotes), count) for quotes in within),
            quote_seconds_sum=seconds,
        )

    def changed(self, at_monotonic: float, **present: Any) -> Workload:
        """The workload with a new segment from `at_monotonic` on."""
        segment = replace(self.now, since_monotonic=at_monotonic, **present)
        return replace(self, segments=(*self.segments, segment))


def _share_within(bound_seconds: float, latency_seconds: float) -> float:
    multiple = bound_seconds / latency_seconds
    for (low, share_low), (high, share_high) in pairwise(_SPREAD):
        if multiple < high:
            return share_low + (share_high - share_low) * (multiple - low) / (high - low)
    return 1.0


def born_now(segment: Segment, **exposure: Any) -> Workload:
    """A new life, whose counters start at zero with this traffic."""
    monotonic = time.monotonic()
    return Workload(
        born_epoch=time.time(),
        born_monotonic=monotonic,
        segments=(replace(segment, since_monotonic=monotonic),),
        **exposure,
    )


def save(path: Path, workload: Workload) -> None:
    replace_json(path, asdict(workload))


def load(path: Path) -> Workload | None:
    """The workload last saved at `path`, or None when there is none."""
    document = read_json(path, None)
    if document is None:
        return None
    segments = tuple(Segment(**segment) for segment in document.pop("segments"))
    return Workload(segments=segments, **document)
