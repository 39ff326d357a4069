"""The same questions asked of the engine: a fault in made-up counters, through the real Judge.

The rule's counters are replaced by two of our own, with the same kind, windows and rhythm; all
that is measured is counted, judged and timed by the code that decides at night.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from watchdog.core.judge import Judge
from watchdog.core.persistence import BreachClock
from watchdog.core.samples import Answer, Point, Reading
from watchdog.core.spec import Counters, RatioThreshold, RuleSpec, Slo
from watchdog.core.words import Instant, Status
from watchdog.lab.explain.formulae import Fault

BAD, TOTAL = "lab_events_bad_total", "lab_events_total"
BEGAN = Instant(1_790_000_000.0, 1000.0)
SOURCE = "lab"


def with_own_counters(rule: RuleSpec) -> RuleSpec:
    """The rule, judged by our two counters."""
    signal = rule.signal
    if not isinstance(signal, RatioThreshold | Slo):
        raise TypeError(f"{rule.name} is judged by no counters")
    counters = Counters(BAD, TOTAL)
    return replace(rule, source=SOURCE, signal=replace(signal, counters=counters))


@dataclass(frozen=True, slots=True)
class Simulated:
    """Seconds. `breached` and `lasted` from the fault's beginning, `healthy` from its end."""

    breached: float | None  # the first poll that shows it
    lasted: float | None  # the poll at which `for` is reached
    healthy: float | None
    fault: float | None = None  # how long it was, where it ended


@dataclass(slots=True)
class Traffic:
    """Two counters over time: a steady past, then a fault, then the past again.

    Exact at every moment, as fractions of events, so that nothing is left to chance.
    """

    rate: float
    fault: Fault
    began: float  # seconds after BEGAN
    ended: float

    def at(self, seconds: float) -> tuple[float, float]:
        """(bad, total) since the beginning."""
        inside = max(0.0, min(seconds, self.ended) - self.began)
        outside = seconds - inside
        total = self.rate * (outside + self.fault.growth * inside)
        bad = self.rate * (
            self.fault.base * outside + self.fault.ratio * self.fault.growth * inside
        )
        return bad, total


@dataclass(slots=True)
class Counted:
    """One rule's judge, polled."""

    rule: RuleSpec
    judge: Judge

    def poll(self, seconds: float, traffic: Traffic) -> Status:
        at = BEGAN.plus(seconds)
        bad, total = traffic.at(seconds)
        answers = {
            BAD: Answer((Point((), bad),), at.wall),
            TOTAL: Answer((Point((), total),), at.wall),
        }
        return self.judge.observe(Reading(SOURCE, at, 0.0), answers, at).status


def simulate(  # a rule, a fault, and how both lie to each other
    rule: RuleSpec,
    fault: Fault,
    *,
    history_seconds: float,
    phase: float = 0.5,
    lasts_seconds: float | None = None,
    give_up_seconds: float,
    rate: float = 100.0,
) -> Simulated:
    """Poll a fault that begins `phase` of an interval after a poll, after so much history.

    It lasts until `for` is reached and `lasts_seconds` have passed; None: it never ends.
    """
    own = with_own_counters(rule)
    counted, every = Counted(own, Judge(own)), own.every_seconds
    before = round(history_seconds / every)
    began = (before + phase) * every
    traffic = Traffic(rate, fault, began, float("inf"))
    clock, breached, lasted, index = BreachClock(), None, None, 0
    while index * every < began + give_up_seconds:
        now = index * every
        status = counted.poll(now, traffic)
        index += 1
        clock = clock.advance(
            status, BEGAN.plus(now), every_seconds=every, for_seconds=own.for_seconds
        )
        if status is Status.BREACHED and breached is None:
            breached = now - began
        if clock.reached(own.for_seconds) and lasted is None:
            lasted = now - began
        if lasted is not None and (lasts_seconds is None or now - began >= lasts_seconds):
            break
    if lasts_seconds is None or lasted is None:
        return Simulated(breached, lasted, None)
    traffic.ended = (index - 1 + phase) * every
    while index * every < traffic.ended + give_up_seconds:
        status = counted.poll(index * every, traffic)
        if status is Status.HEALTHY:
            healthy = index * every - traffic.ended
            return Simulated(breached, lasted, healthy, traffic.ended - began)
        index += 1
    return Simulated(breached, lasted, None, traffic.ended - began)
