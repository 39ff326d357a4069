"""Episodes of one rule beside the stretches of one alert: what belongs together, and what is alone.

Two belong together when they overlap, each stretched by the tolerance. What hangs together this
way is one meeting: an alert that flaps while one episode stands is one, and not a disagreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchdog.lab.compare.alerts import Interval
from watchdog.lab.compare.record import OurEpisode
from watchdog.lab.history.tracks import Span


@dataclass(frozen=True, slots=True)
class Meeting:
    """What hangs together. One of the two may be empty: then only the other side saw it."""

    ours: tuple[OurEpisode, ...]
    theirs: tuple[Interval, ...]


def our_span(ep: OurEpisode, now: float) -> Span:
    """From where it fires until it is over."""
    start = ep.opened if ep.fired is None else ep.fired
    return Span(start, max(start, now if ep.over is None else ep.over))


def their_span(one: Interval, now: float) -> Span:
    return Span(one.start, one.until(now))


def meetings(
    ours: Sequence[OurEpisode], theirs: Sequence[Interval], tolerance_seconds: float, now: float
) -> tuple[Meeting, ...]:
    """In the order of time."""
    marked: list[tuple[Span, OurEpisode | Interval]] = [(our_span(ep, now), ep) for ep in ours]
    marked += [(their_span(one, now), one) for one in theirs]
    marked.sort(key=lambda pair: (pair[0].start, pair[0].end, isinstance(pair[1], Interval)))
    found: list[Meeting] = []
    left = list(range(len(marked)))
    while left:
        group = [left.pop(0)]
        for number in group:  # which grows while it is gone through
            span, what = marked[number]
            for other in list(left):
                near, whom = marked[other]
                if type(whom) is type(what):
                    continue
                apart = max(near.start - span.end, span.start - near.end)
                if apart <= tolerance_seconds:
                    group.append(other)
                    left.remove(other)
        group.sort()
        found.append(
            Meeting(
                tuple(one for n in group if isinstance(one := marked[n][1], OurEpisode)),
                tuple(one for n in group if isinstance(one := marked[n][1], Interval)),
            )
        )
    return tuple(found)
