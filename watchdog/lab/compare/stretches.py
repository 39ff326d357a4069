"""Arithmetic of stretches of time: what of one is left beside others."""

from __future__ import annotations

from collections.abc import Iterable

from watchdog.lab.history.tracks import Span


def common(one: Span, other: Span) -> Span | None:
    """What both have; None where they do not meet."""
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Span(start, end) if start < end else None


def united(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order."""
    found: list[Span] = []
    for one in sorted(spans, key=lambda span: (span.start, span.end)):
        if found and one.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


def without(whole: Span, holes: Iterable[Span]) -> list[Span]:
    """What of `whole` is left."""
    found, at = [], whole.start
    for hole in united(holes):
        if hole.end <= at or hole.start >= whole.end:
            continue
        if hole.start > at:
            found.append(Span(at, hole.start))
        at = max(at, hole.end)
    if at < whole.end:
        found.append(Span(at, whole.end))
    return found


def seconds_in(whole: Span, parts: Iterable[Span]) -> float:
    """How much of `whole` the parts take up together."""
    inside = (common(whole, one) for one in parts)
    return sum(one.seconds for one in united(one for one in inside if one is not None))
