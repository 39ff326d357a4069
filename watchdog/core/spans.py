"""Stretches of time that never count twice: sorted, apart from each other, on the steady clock.

Laws: what is added twice, or overlaps, counts once; a sum is never negative and never above the
stretch that it is asked for. What ended longer ago than KEPT_SECONDS is let go of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Span = tuple[float, float]
"""From and to, in seconds of the steady clock."""

KEPT_SECONDS = 90 * 86_400.0
MOST = 1000
"""Of one name; what flaps more often than this in 90 days has the oldest forgotten."""


@dataclass(slots=True)
class Spans:
    """Of one name. Read freely; changed by `add` alone."""

    kept: list[Span] = field(default_factory=list)

    def add(self, begin: float, end: float) -> None:
        """Take one in, in any order. One that does not last is none."""
        if end <= begin:
            return
        self.kept = merged([*self.kept, (begin, end)])
        newest = self.kept[-1][1]
        self.kept = [span for span in self.kept if newest - span[1] <= KEPT_SECONDS][-MOST:]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time, sorted and without overlaps."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif end > begin:
            found.append((begin, end))
    return found


def seconds_in(spans: Iterable[Span], since: float, until: float) -> float:
    """How much of the time from `since` to `until` they cover, whatever overlaps."""
    cut = ((max(begin, since), min(end, until)) for begin, end in spans)
    return sum(end - begin for begin, end in merged(cut))
