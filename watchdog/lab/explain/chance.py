"""How often chance alone breaches a rule of ratios that is in order.

The assumption, said wherever a number of this module is shown: each event fails by itself, with
one steady probability, at a steady rate of traffic. Real failures come in crowds, so this is the
least that must be expected. `for` is left out; it only makes false alarms rarer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from watchdog.lab.explain.formulae import Pair

MONTH_SECONDS = 30 * 86_400.0
_NEGLIGIBLE = 1e-18  # of the sum so far: what further terms cannot add to any more
_DUST = 1e-9
_MOST_TERMS = 2_000_000


@dataclass(frozen=True, slots=True)
class Chance:
    """`per_window`: that one pair's windows, looked at once, are breached by chance; the most of
    all pairs. `per_month`: how many breaches begin by chance in 30 days, on average, at most.
    `fewest_bad`: so many bad events in the windows of the quickest pair breach it.
    """

    per_window: float
    per_month: float
    fewest_bad: int


def bad_to_breach(pair: Pair, events: float) -> int:
    """The smallest whole number of bad events whose share of `events` breaches."""
    level = pair.threshold * events
    if pair.inclusive:
        return max(0, math.ceil(level - _DUST))
    return math.floor(level + _DUST) + 1


def binomial_tail(least: int, events: int, base: float) -> float:
    """P(X >= least), X of `events` failing with probability `base` each.

    The sum of C(n, k) p^k (1-p)^(n-k) over k >= least; each term follows from the one before by
    the factor (n - k)/(k + 1) x p/(1 - p). Below the mean the other tail is summed instead.
    """
    if least <= 0:
        return 1.0
    if least > events or base <= 0:
        return 0.0
    if base >= 1:
        return 1.0
    odds = base / (1 - base)

    def term(k: int) -> float:
        return math.exp(
            math.lgamma(events + 1)
            - math.lgamma(k + 1)
            - math.lgamma(events - k + 1)
            + k * math.log(base)
            + (events - k) * math.log1p(-base)
        )

    if least > events * base:
        ups = ((events - k) / (k + 1) * odds for k in range(least, events))
        return min(1.0, _summed(term(least), ups))
    downs = (k / (events - k + 1) / odds for k in range(least - 1, 0, -1))
    return max(0.0, 1.0 - _summed(term(least - 1), downs))


def poisson_tail(least: int, mean: float) -> float:
    """P(X >= least) of a Poisson count: what remains of a binomial for many, rare failures."""
    if least <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if least > mean:
        ups = (mean / (k + 1) for k in count(least))
        return min(1.0, _summed(poisson(least, mean), ups))
    downs = (k / mean for k in range(least - 1, 0, -1))
    return max(0.0, 1.0 - _summed(poisson(least - 1, mean), downs))


def poisson(events: int, mean: float) -> float:
    if mean <= 0:
        return 1.0 if events == 0 else 0.0
    return math.exp(events * math.log(mean) - mean - math.lgamma(events + 1))


def both(short_least: int, long_least: int, short_mean: float, long_mean: float) -> float:
    """P(S >= short_least and L >= long_least) for a short window that lies inside a long one.

    L = S + R, and R, the part before the short one, is independent of S:
    the sum over s of P(S = s) P(R >= long_least - s).
    """
    rest = max(0.0, long_mean - short_mean)
    start = max(0, short_least)
    if start >= long_least:
        return poisson_tail(start, short_mean)
    total = poisson_tail(long_least, short_mean)  # the long one breached by the short's events
    weight = poisson(start, short_mean)
    tail = poisson_tail(long_least - start, rest)
    for s in range(start, min(long_least, start + _MOST_TERMS)):
        total += weight * tail
        if s > short_mean and weight <= _NEGLIGIBLE * total:
            break  # also when both are too small for a double
        weight *= short_mean / (s + 1)
        tail += poisson(long_least - s - 1, rest)  # P(R >= n - 1) = P(R >= n) + P(R = n - 1)
    return min(1.0, total)


def false_alarms(pairs: Sequence[Pair], base: float, rate: float) -> Chance:
    """At `rate` events a second of which a share `base` fails.

    Once: the long window's binomial tail bounds the pair's, and for one window it is exact.

    In a month: a breach begins with a bad event after which both windows are at their levels, and
    before which they were not. Bad events come at rate x base, each finds the windows as any
    moment does (Poisson arrivals see time averages), and adds one to both:

        beginnings a second = rate b (P(S >= s-1, L >= l-1) - P(S >= s, L >= l))

    Windows are looked at only at polls, and pairs may breach together, so it is the most.
    """
    per_window = per_month = 0.0
    fewest = []
    for pair in pairs:
        events = rate * pair.long.counted
        long_least = bad_to_breach(pair, events)
        short_least = bad_to_breach(pair, rate * pair.short.counted)
        fewest.append(long_least)
        if events < 1:
            continue
        per_window = max(per_window, binomial_tail(long_least, round(events), base))
        short_mean, long_mean = base * rate * pair.short.counted, base * events
        before = both(short_least - 1, long_least - 1, short_mean, long_mean)
        after = both(short_least, long_least, short_mean, long_mean)
        per_month += rate * base * max(0.0, before - after) * MONTH_SECONDS
    return Chance(per_window, per_month, min(fewest, default=0))


def _summed(first: float, factors: Iterator[float]) -> float:
    """A sum whose terms follow from each other and fall."""
    total = term = first
    for done, factor in enumerate(factors):
        term *= factor
        total += term
        if term <= _NEGLIGIBLE * total or done > _MOST_TERMS:
            break
    return total
