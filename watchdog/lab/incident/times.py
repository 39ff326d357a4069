"""How long what took, on the steady clock: the procedure's own times of one episode."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.entries import Outcome
from watchdog.core.measures import Act, Measure
from watchdog.core.words import Instant


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds; None where it did not come to that, or is not known."""

    first_bad_to_breach: float | None
    breach_to_effect: float | None
    first_bad_to_effect: float | None
    breach_to_contained: float | None
    breach_to_recovered: float | None
    first_bad_to_recovered: float | None


def times_of(one: Measure) -> Times:
    effect = first_effect(one)
    return Times(
        first_bad_to_breach=_since(one.first_bad, one.breached),
        breach_to_effect=_since(one.breached, effect),
        first_bad_to_effect=_since(one.first_bad, effect),
        breach_to_contained=_since(one.breached, one.contained),
        breach_to_recovered=_since(one.breached, one.recovered),
        first_bad_to_recovered=_since(one.first_bad, one.recovered),
    )


def first_effect(one: Measure) -> Instant | None:
    """The read-back that first showed that something of it was rolled back by us."""
    done = [act.effect_at for act in one.acts if act.outcome is Outcome.DONE and act.effect_at]
    return min(done, key=lambda at: at.steady, default=None)


def in_time(act: Act) -> str:
    return act.ended.value if act.ended is not None else ""


def _since(begin: Instant | None, end: Instant | None) -> float | None:
    return None if begin is None or end is None else max(0.0, end.steady - begin.steady)
