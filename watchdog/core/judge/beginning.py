"""When did it begin? The first bad sample behind a breach of a share of events.

A window is breached after the events that breach it. The trouble began where the excess of bad
events over what the rule bears was least: from there on, taken together, they were too many. That
is the turning point of a cumulative sum (Page, 1954); steady errors below the bound do not move it.
"""

from __future__ import annotations

from watchdog.core.judge.ratio import burn_rate
from watchdog.core.spec import RatioThreshold, Slo
from watchdog.core.windows import Tally
from watchdog.core.words import Instant


def first_bad(signal: RatioThreshold | Slo, tally: Tally, now: Instant) -> float | None:
    """On the steady clock, within the window that speaks for the breach; None without counts."""
    if isinstance(signal, RatioThreshold):
        return tally.turned(signal.bound.limit, signal.over_seconds)
    held = tally.read_all(now)
    for pair in signal.pairs:
        ratios = (held[pair.long_seconds].ratio, held[pair.short_seconds].ratio)
        if all(burn_rate(ratio or 0.0, signal.objective) > pair.factor for ratio in ratios):
            return tally.turned(pair.factor * (1 - signal.objective), pair.long_seconds)
    return None
