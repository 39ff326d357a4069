"""What is left of an error budget, and how long it will last. Told to people; decides nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from watchdog.core.judge.ratio import burn_rate
from watchdog.core.spec import Slo
from watchdog.core.text import duration, number, percent
from watchdog.core.windows import Tally
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True)
class Budget:
    """Of one objective, over its period up to now.

    `remaining` is the share of the budget that is left, below 0 once it is overspent. The part of
    the period that nobody saw counts as good traffic; `coverage` says how much was seen. At the
    present `burn`, of the window `burn_seconds`, the budget is gone in `exhausted_in_seconds`:
    infinity while nothing burns, 0 once it is gone. That takes no account of what will grow too
    old to count, so it errs on the early side.
    """

    objective: float
    period_seconds: float
    remaining: float
    coverage: float
    burn: float
    burn_seconds: float
    exhausted_in_seconds: float

    @property
    def left(self) -> str:
        """How much there is, for people."""
        whole = f"{percent(1 - self.objective)} of events in {duration(self.period_seconds)}"
        if self.remaining < 0:
            told = f"overspent by {percent(-self.remaining)} of {whole}"
        else:
            told = f"{percent(self.remaining)} of {whole}"
        unseen = f"; {percent(self.coverage)} of that time was seen, the rest counts as good"
        return told + (unseen if self.coverage < 1 else "")

    @property
    def outlook(self) -> str:
        """How long it will last, for people."""
        if self.remaining <= 0:
            return "it is spent"
        over = f"over {duration(self.burn_seconds)}"
        if math.isinf(self.exhausted_in_seconds):
            return f"nothing burns {over}"
        burn = f"at a burn of {number(self.burn)} {over}"
        return f"gone in about {_about(self.exhausted_in_seconds)} {burn}"


def _about(seconds: float) -> str:
    """An estimate is not told to the second."""
    unit = next((u for u in _ROUND_SECONDS if seconds >= _ENOUGH * u), 1)
    return duration(round(seconds / unit) * unit)


_ROUND_SECONDS = (86400, 3600, 60)
_ENOUGH = 10  # so many of a unit, and its parts are left out


def budget_of(signal: Slo, tally: Tally, now: Instant) -> Budget | None:
    """None while there is no traffic to speak of."""
    period = tally.read(signal.period_seconds, now)
    seconds = min(pair.long_seconds for pair in signal.pairs)
    present = tally.read(seconds, now)
    if period.ratio is None:
        return None
    remaining = 1 - burn_rate(max(0.0, period.ratio), signal.objective)
    burn = burn_rate(max(0.0, present.ratio or 0.0), signal.objective)
    if remaining <= 0:
        lasts = 0.0
    else:
        lasts = remaining * signal.period_seconds / burn if burn > 0 else math.inf
    return Budget(
        signal.objective, signal.period_seconds, remaining, period.coverage, burn, seconds, lasts
    )


class KnownBudget:
    """As it was found last: those who look ask again and again between two samples.

    What a tally reads depends on its newest sample and on where its windows end, on nothing else;
    while samples are late, these move on, and the budget is told by the second.
    """

    def __init__(self) -> None:
        self._known: tuple[Tally, object, Budget | None] | None = None

    def of(self, signal: Slo, tally: Tally, now: Instant) -> Budget | None:
        """What `budget_of` says now."""
        newest, end = tally.ends(now)
        known, at = self._known, (newest, math.floor(end))
        if known is None or known[0] is not tally or known[1] != at:
            known = self._known = tally, at, budget_of(signal, tally, now)
        return known[2]
