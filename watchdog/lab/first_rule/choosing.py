"""Of what a Prometheus holds, what a first rule can watch, and why that and nothing else.

Pure, and deterministic: the same facts give the same choice. The application's counters go before
those of the monitoring itself, a ratio of failures before latency, latency before `up`, and among
equals the one with the most traffic; then the name decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from watchdog.core.text import duration, number, percent
from watchdog.lab.first_rule.promql import Condition, selector

BOUNDS = (0.05, 0.1, 0.2, 0.5)
"""Shares of bad events of which the first that leaves today's alone is taken."""

MARGIN = 3.0
"""A bound is at least so many times what fails on an ordinary hour."""

LEAST_EVENTS = 20.0
BAD_EVENTS = 2.0
"""`minimum_events` is so large that more than so many must fail for a breach."""

SPARE = 4.0
"""A window usually holds so many times `minimum_events`, or it is made longer."""

HOUR = 3600.0
RATE_SECONDS = 300.0
"""Over which rates are asked, where so much is known."""

WINDOWS_SECONDS = (300.0, 600.0, 1800.0, 3600.0, 7200.0, 21_600.0)
LEAST_POLLS = 4
MOST_SERIES = 10_000

_MONITORING = re.compile(
    r"(prometheus|promhttp|alertmanager|pushgateway|blackbox|grafana|loki|tempo|vm|vmagent|thanos|"
    r"cortex|mimir|node|process|go|net_conntrack|slo_watchdog|scrape)_",
    re.ASCII,
)


class Form(IntEnum):
    """What is judged, the best first."""

    RATIO = 0  # bad events beside all, of one counter or of two
    LATENCY = 1  # good events are those below a bound of a histogram
    UP = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that a rule could watch. Rates are per second, over the last minutes.

    `counted` are the conditions that pick the bad events (RATIO) or the good ones (LATENCY) of
    `events`, `scope` those of all. `usual` is the share of bad events over the last hour.
    """

    form: Form
    metric: str  # of all events; `up` for UP
    events: str
    scope: tuple[Condition, ...]
    counted: tuple[Condition, ...]
    rate: float
    usual: float
    series: int
    why: str
    job: str
    told: tuple[str, str, str] = ("", "", "")  # the telling label, a good value of it, a bad one
    known_seconds: float = HOUR  # of the last hour

    @property
    def monitoring(self) -> bool:
        name = f"{self.job}_" if self.form is Form.UP else self.metric
        return _MONITORING.match(name) is not None

    @property
    def all_events(self) -> str:
        return selector(self.metric, self.scope)

    @property
    def some_events(self) -> str:
        return selector(self.events, (*self.scope, *self.counted))

    @property
    def rated_seconds(self) -> float:
        """What the rate rests on: it is less than asked for where less is known."""
        return min(RATE_SECONDS, self.known_seconds)

    @property
    def order(self) -> tuple[object, ...]:
        last = self.form is Form.UP
        return last, self.monitoring, self.form, -self.rate, self.metric, self.job


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a ratio is judged by. `limit` is the share of bad events that breaches."""

    limit: float
    over_seconds: float
    for_seconds: float
    minimum_events: int
    every_seconds: float
    usual_events: float  # in `over`


@dataclass(frozen=True, slots=True)
class Dismissed:
    """What was looked at and not taken, and why."""

    what: str
    why: str
    job: str | None = None  # None: of no job alone


@dataclass(frozen=True, slots=True)
class Choice:
    taken: Candidate
    numbers: Numbers | None  # None for UP
    alternatives: tuple[Candidate, ...]
    dismissed: tuple[Dismissed, ...]


def numbers_of(one: Candidate, every_seconds: float) -> Numbers | str:
    """What to judge it by, or why it cannot be judged well."""
    limit = next((bound for bound in BOUNDS if bound >= MARGIN * one.usual), None)
    if limit is None:
        return f"{percent(one.usual)} of its events are bad already: no bound would tell trouble"
    minimum = max(LEAST_EVENTS, math.ceil(BAD_EVENTS / limit))
    for over in WINDOWS_SECONDS:
        if over >= LEAST_POLLS * every_seconds and one.rate * over >= SPARE * minimum:
            return Numbers(
                limit=limit,
                over_seconds=over,
                for_seconds=3 * every_seconds,
                minimum_events=int(minimum),
                every_seconds=every_seconds,
                usual_events=one.rate * over,
            )
    longest = WINDOWS_SECONDS[-1]
    return (
        f"too little traffic: {number(one.rate * longest)} events in {duration(longest)}, and a "
        f"ratio wants {number(SPARE * minimum)}"
    )


def choose(
    candidates: Iterable[Candidate],
    dismissed: Iterable[Dismissed],
    every: Callable[[str], float],
) -> Choice | tuple[Dismissed, ...]:
    """The one to take, or why every one was dismissed."""
    fit: list[tuple[Candidate, Numbers | None]] = []
    out = list(dismissed)
    for one in sorted(candidates, key=lambda candidate: candidate.order):
        numbers = None if one.form is Form.UP else numbers_of(one, every(one.job))
        if one.series > MOST_SERIES:
            why = f"{one.series} series: sum them up by a recording rule first"
            out.append(Dismissed(one.all_events, why))
        elif isinstance(numbers, str):
            out.append(Dismissed(one.all_events, numbers))
        else:
            fit.append((one, numbers))
    if not fit:
        return tuple(out)
    (taken, numbers), *others = fit
    # The count of a histogram has no failures, and may tell slow events all the same.
    fitting = {one.all_events for one, _ in fit}
    out = [each for each in out if each.what not in fitting]
    return Choice(taken, numbers, tuple(one for one, _ in others), tuple(out))
