"""How the work on an intent ended, and the times that bound it."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.entries import Outcome
from watchdog.core.words import Instant

READ_BEFORE, CHANGE = "read_before", "change"
"""The steps that every intent has, as the record names them."""

PROVE, SETTLE = "prove", "settle"
"""Of a release: whether what was decided for is still so; of what is restored: clearing up."""

READ_BACK_SECONDS = 3.0
"""The most that one read-back may take."""

LEAST_READ_SECONDS = 0.25
"""Less is no time to read in: what was seen before says more than a read that we cut off."""

FOUND_AGAIN_SECONDS = 0.5
"""After this what stands already is read once more: of several replicas one may be stale, and by
its word alone nothing would be done."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

SETTLE_AT_LEAST_SECONDS = 3.0
"""How long an intent found open at the start is read for, also when its deadline is over."""


@dataclass(frozen=True, slots=True)
class Ending:
    outcome: Outcome
    reason: str
    read_back: str = ""
    effect_at: Instant | None = None


def overtaken(reason: str, seen: str = "") -> Ending:
    """What is there is not what was decided for: it is looked at, and decided, anew."""
    reason = f"not what was decided for, and nothing was tried: {reason}"
    return Ending(Outcome.ABANDONED, reason, seen)
