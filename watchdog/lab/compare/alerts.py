"""Their side: the stretches in which an alert was pending or firing, from `timestamp(ALERTS{...})`.

A range query answers with a series' newest sample for up to five minutes after it, also from a
Prometheus that was dead meanwhile; a sample's own time tells the two apart. An alert that was
there at one evaluation and not at the next ended somewhere between them: each edge is uncertain by
one evaluation, and `end` is the first one without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from watchdog.core.samples import Labels
from watchdog.lab.history.tracks import Span, Track

_MISSED = 2.1  # intervals between two samples that are still one stretch
_SAME_SECONDS = 0.001
_SILENT = 3.1  # intervals without any sample of `up`


@dataclass(frozen=True, slots=True)
class Interval:
    """One stretch of one alert, all its series together. `end` is None while it goes on."""

    start: float
    end: float | None
    series: int
    labels: Labels  # of one of them

    def until(self, now: float) -> float:
        return now if self.end is None else self.end


@dataclass(frozen=True, slots=True)
class Alerts:
    """One alert over a time."""

    firing: tuple[Interval, ...]
    pending: tuple[Interval, ...]
    step_seconds: float  # how far each edge may be off


def alerts_of(tracks: Iterable[Track], step_seconds: float, until: float) -> Alerts:
    """From the samples' own times, asked for at every step up to `until`."""
    by_state: dict[str, list[tuple[Labels, list[float]]]] = {"firing": [], "pending": []}
    for track in tracks:
        labels = dict(track.labels)
        state = labels.pop("alertstate", "")
        if state in by_state:
            named = tuple(pair for pair in track.labels if pair[0] != "alertstate")
            by_state[state].append((named, seen_at(track)))
    return Alerts(
        _intervals(by_state["firing"], step_seconds, until),
        _intervals(by_state["pending"], step_seconds, until),
        step_seconds,
    )


def seen_at(track: Track) -> list[float]:
    """The distinct times of a series' samples, which are the values of `timestamp()`.

    A time that no sample can have, or that lies after the question's, is none.
    """
    pairs = zip(track.times, track.values, strict=True)
    return sorted({value for at, value in pairs if 0 < value <= at + _SAME_SECONDS})


def _intervals(
    series: Sequence[tuple[Labels, list[float]]], step: float, until: float
) -> tuple[Interval, ...]:
    runs: list[tuple[float, float, Labels]] = []
    for labels, times in series:
        start = before = None
        for at in times:
            if before is not None and start is not None and at - before > _MISSED * step:
                runs.append((start, before, labels))
                start = at
            start = at if start is None else start
            before = at
        if start is not None and before is not None:
            runs.append((start, before, labels))
    return _united(sorted(runs), step, until)


def _united(
    runs: Sequence[tuple[float, float, Labels]], step: float, until: float
) -> tuple[Interval, ...]:
    found: list[Interval] = []
    group: list[tuple[float, float, Labels]] = []
    last = 0.0
    for run in runs:
        if group and run[0] > last + _MISSED * step:
            found.append(_interval(group, last, step, until))
            group = []
        last = max(last, run[1]) if group else run[1]
        group.append(run)
    if group:
        found.append(_interval(group, last, step, until))
    return tuple(found)


def _interval(
    group: Sequence[tuple[float, float, Labels]], last: float, step: float, until: float
) -> Interval:
    end = None if last + _MISSED * step > until else last + step
    return Interval(group[0][0], end, len({labels for _, _, labels in group}), group[0][2])


@dataclass(frozen=True, slots=True)
class Pulse:
    """When the metrics system itself was at work, by the newest sample of any `up` at each step.

    `known` is False where it has no `up` at all: then nothing tells.
    """

    known: bool
    gaps: tuple[Span, ...] = ()


def pulse_of(tracks: Iterable[Track], step_seconds: float, span: Span) -> Pulse:
    """From `max(timestamp(up))` at every step of the span."""
    seen = sorted({at for track in tracks for at in seen_at(track)})
    if not seen:
        return Pulse(known=False)
    usual = median([b - a for a, b in pairwise(seen)]) if len(seen) > 1 else 0.0
    longest = _SILENT * max(step_seconds, usual)
    edges = [span.start, *(at for at in seen if at > span.start), span.end]
    gaps = [Span(a, b) for a, b in pairwise(edges) if b - a > longest]
    return Pulse(known=True, gaps=tuple(gaps))
