"""A rule of ratios explained: a table over error ratios, traffic that changes, chance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from watchdog.core.spec import ActionSpec, RuleSpec, Slo
from watchdog.core.text import duration
from watchdog.lab.explain.chance import Chance, bad_to_breach, false_alarms
from watchdog.lab.explain.formulae import (
    Fault,
    Pair,
    Span,
    budget_share,
    detected,
    lasting_seconds,
    needed_rate,
    reset,
    seen,
    smallest_ratio,
    starved_after,
)
from watchdog.lab.explain.subject import Rhythm

RATIOS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
GROWTHS = (0.1, 0.5, 1.0, 2.0, 10.0)
_PLOTTED = 160


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader supposes. `traffic` is in events a second; None: not said."""

    traffic: float | None = None
    base: float = 0.0
    ratios: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One error ratio. Spans are None where it is never seen; shares where there is no budget.

    `spent_acted` counts until the first action is read back at its deadline.
    """

    ratio: float
    burn: float | None
    by: str = ""  # the windows that show it first
    seen: Span | None = None
    acts: Span | None = None  # with `for`
    reset: Span | None = None  # with `keep_firing_for`
    spent_seen: float | None = None  # when it acts, at the latest
    spent_acted: float | None = None
    bad_events: float | None = None  # by then


@dataclass(frozen=True, slots=True)
class Shifted:
    """When an outage of that ratio is acted on, while traffic is `growth` times what it was."""

    growth: float
    ratio: float
    acts: Span | None
    blind_after: float | None  # the events become too few; None: never


@dataclass(frozen=True, slots=True)
class PairTold:
    long_seconds: float
    short_seconds: float | None
    factor: float | None
    threshold: float
    fewest_bad: int | None  # of the long window's events, at the traffic supposed
    events: float | None


@dataclass(frozen=True, slots=True)
class Ratios:
    """What only a rule of ratios has."""

    smallest: float
    inclusive: bool
    pairs: tuple[PairTold, ...]
    rows: tuple[Row, ...]
    curve: tuple[tuple[float, float], ...]  # (ratio, seconds until it acts at the latest)
    shifted: tuple[Shifted, ...]
    minimum_events: float
    needed_rate: float
    chance: Chance | None


@dataclass(frozen=True, slots=True)
class Told:
    """A rule of ratios with all that its explanation rests on."""

    rule: RuleSpec
    pairs: tuple[Pair, ...]
    rhythm: Rhythm
    asked: Asked
    action: ActionSpec | None  # of the first rung

    @property
    def judged(self) -> tuple[Pair, ...]:
        """The pairs that have events enough, as far as traffic was said."""
        rate = self.asked.traffic
        if rate is None:
            return self.pairs
        return tuple(p for p in self.pairs if rate * p.long.counted >= self.rule.minimum_events)

    @property
    def slo(self) -> Slo | None:
        return self.rule.signal if isinstance(self.rule.signal, Slo) else None

    def table(self) -> Ratios:
        asked, rule, smallest = self.asked, self.rule, smallest_ratio(self.pairs)
        ratios = tuple(r for r in asked.ratios or RATIOS if r > asked.base)
        outages = sorted({min(1.0, 2 * smallest), 1.0})
        rate, always = asked.traffic, asked.base >= smallest
        if always:  # breached all the time: there is nothing to detect, and no alarm by chance
            ratios, outages = (), []
        return Ratios(
            smallest=smallest,
            inclusive=any(pair.inclusive for pair in self.pairs),
            pairs=tuple(self._pair(pair) for pair in self.pairs),
            rows=tuple(self._row(ratio) for ratio in ratios),
            curve=tuple(self._curve(smallest)),
            shifted=tuple(
                self._shifted(Fault(ratio, asked.base, growth))
                for ratio in outages
                for growth in GROWTHS
            ),
            minimum_events=rule.minimum_events,
            needed_rate=needed_rate(self.pairs, rule.minimum_events),
            chance=None if rate is None or always else false_alarms(self.judged, asked.base, rate),
        )

    def _pair(self, pair: Pair) -> PairTold:
        slo, rate = self.slo, self.asked.traffic
        events = None if rate is None else rate * pair.long.counted
        return PairTold(
            long_seconds=pair.long.seconds,
            short_seconds=pair.short.seconds if slo else None,
            factor=pair.threshold / (1 - slo.objective) if slo else None,
            threshold=pair.threshold,
            fewest_bad=None if events is None else bad_to_breach(pair, events),
            events=events,
        )

    def _curve(self, smallest: float) -> Iterator[tuple[float, float]]:
        """From just above what is seen at all to everything, evenly on a logarithmic scale."""
        if self.asked.base >= smallest:
            return
        first = min(1.0, max(smallest, 1e-5) * 1.001)
        for step in range(_PLOTTED + 1):
            ratio = first ** (1 - step / _PLOTTED)
            span = detected(self.judged, Fault(ratio, self.asked.base))
            if span is not None:
                yield ratio, acts(span, self.rhythm).latest

    def _row(self, ratio: float) -> Row:
        fault, slo, rate = Fault(ratio, self.asked.base), self.slo, self.asked.traffic
        span = detected(self.judged, fault)
        burn = ratio / (1 - slo.objective) if slo else None
        if span is None:
            return Row(ratio, burn)
        acted = acts(span, self.rhythm)
        until = acted.latest + (self.action.deadline_seconds if self.action else 0.0)
        spent = spent_acted = None
        if slo is not None:
            spent = budget_share(slo.objective, slo.period_seconds, fault, acted.latest)
            spent_acted = budget_share(slo.objective, slo.period_seconds, fault, until)
        return Row(
            ratio=ratio,
            burn=burn,
            by=self._first(fault),
            seen=shown_through(span, self.rhythm),
            acts=acted,
            reset=self._reset(fault),
            spent_seen=spent,
            spent_acted=spent_acted if self.action else None,
            bad_events=None if rate is None else rate * ratio * until,
        )

    def _reset(self, fault: Fault) -> Span | None:
        """Healthy again, and so for `keep_firing_for`, after a fault that filled all windows."""
        if len(self.judged) < len(self.pairs):
            return None  # a pair that cannot be judged leaves the rule blind, not healthy
        back = reset(self.pairs, fault, math.inf)
        if back is None:
            return None
        rule = self.rule
        shown = shown_through(back, self.rhythm)
        return shown.plus(lasting_seconds(rule.keep_firing_seconds, rule.every_seconds))

    def _first(self, fault: Fault) -> str:
        found = [(s.latest, p) for p in self.judged if (s := seen(p, fault)) is not None]
        return duration(min(found, key=lambda one: one[0])[1].long.seconds)

    def _shifted(self, fault: Fault) -> Shifted:
        """A pair whose events become too few before it acts is blind instead."""
        found, left = [], 0.0
        for pair in self.judged:
            span, enough = seen(pair, fault), math.inf
            if self.asked.traffic is not None:
                least = self.rule.minimum_events
                enough = starved_after(pair.long, fault, self.asked.traffic, least)
            left = max(left, enough)
            if span is not None and acts(span, self.rhythm).latest <= enough:
                found.append(acts(span, self.rhythm))
        acted = min(found, key=lambda one: one.latest, default=None)
        blind = None if acted is not None or math.isinf(left) else left
        return Shifted(fault.growth, fault.ratio, acted, blind)


def shown_through(span: Span, rhythm: Rhythm) -> Span:
    """With what a provider's own rhythm adds: its newest sample may be older than our interval."""
    return Span(span.earliest, span.latest + rhythm.wait - rhythm.every)


def acts(span: Span, rhythm: Rhythm) -> Span:
    """With `for`, and with what a provider's own rhythm adds."""
    shown = shown_through(span, rhythm).plus(rhythm.lasting)
    return Span(shown.earliest, shown.latest + rhythm.uneven)
