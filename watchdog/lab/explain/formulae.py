"""How long it takes until a rule of ratios sees a fault, and until it is over: closed formulae.

The fault is a step: from one moment on a share `ratio` of the events is bad, where a share `base`
was before, and there is `growth` times the traffic there was before. Both stay so. Time is counted
from that moment to the poll that shows it; what the answer of that poll takes comes on top.

Every formula says where it comes from. tests/lab holds each against the engine itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from watchdog.core.windows import bucket_seconds

_DUST = 1e-9  # of an interval: what dividing decimal numbers in binary may lose


@dataclass(frozen=True, slots=True)
class Window:
    """One window as the engine counts it.

    Counters grow from poll to poll, so a window holds whole polls: `counted` is the time whose
    events it has. `bucket` is the width in which they are summed; the oldest of them counts by
    the share of its polls that lie inside. `slack`: where polls, buckets and
    the window do not divide each other, it holds up to that much more or less (less than an
    interval; what was never observed, and is taken as good, fills up the rest exactly).
    """

    seconds: float
    counted: float
    bucket: float
    every: float
    slack: float = 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A long and a short window that breach together above one ratio; or one window alone.

    `threshold` is the ratio: budget factor x (1 - objective) for an slo, the bound itself for a
    threshold. `inclusive` breaches also when it is met exactly (">=").
    """

    long: Window
    short: Window
    threshold: float
    inclusive: bool = False

    def sees(self, ratio: float) -> bool:
        return ratio >= self.threshold if self.inclusive else ratio > self.threshold


@dataclass(frozen=True, slots=True)
class Fault:
    ratio: float
    base: float = 0.0
    growth: float = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds: no sooner and no later, whatever the phase of polls and buckets."""

    earliest: float
    latest: float

    def plus(self, seconds: float) -> Span:
        return Span(self.earliest + seconds, self.latest + seconds)


def window(every_seconds: float, seconds: float) -> Window:
    """The window as the engine holds it.

    A poll counts when it lies inside by at least half an interval (half a bucket where these are
    narrower): the ring puts polls into the middle of their share. Polls lie at 0, p, 2p, ...
    before the newest one, so their number is that of all j with j x p < W - lead, and each stands
    for the p seconds before it.
    """
    bucket = bucket_seconds(every_seconds, seconds)
    lead = min(every_seconds, bucket) / 2
    polls = max(1, math.ceil((seconds - lead) / every_seconds - _DUST))
    even = divides(every_seconds, bucket) or divides(bucket, every_seconds)
    counted = polls * every_seconds
    slack = abs(counted - seconds) if even else every_seconds
    return Window(seconds, counted, bucket, every_seconds, slack)


def divides(part: float, whole: float) -> bool:
    """Whether whole parts fill the whole, but for rounding."""
    times = whole / part
    return round(times) >= 1 and abs(times - round(times)) < _DUST


def rise_seconds(window: Window, threshold: float, fault: Fault) -> float:
    """How long the fault must last until the window's ratio is `threshold`.

    After t seconds a window of W holds t of the fault and W - t of what was before. With traffic
    1 before and g since:

        bad / total = (g e t + b (W - t)) / (g t + (W - t)) = h
        t = W (h - b) / (g (e - h) + h - b)

    With g = 1 that is W (h - b) / (e - b). It is below W whenever e > h and g > 0: the window
    that is full of the fault shows e itself. Only for a fault that the window sees (`Pair.sees`),
    and with traffic: no events, no ratio.
    """
    if fault.base >= threshold:
        return 0.0
    above = threshold - fault.base
    return window.counted * above / (fault.growth * (fault.ratio - threshold) + above)


def blurred_at(window: Window, apart: float, into_bucket: float) -> float:
    """By how much a bucket shifts the moment at which a step in it is seen, for one place of it.

    Of the oldest bucket (width B) that share of its events counts that its polls inside have:
    exact while all of it is alike. Where a fault began in that very bucket, x after its start,
    and the window begins s after its start, B - x of fault count as (B - x)(1 - s/B), where
    B - max(x, s) were right; never more. With d = W - T > 0, the place s at which the fault is seen
    follows from t - (B - x) s / B = T and s = t + x - W:

        t = (B T - (B - x)(W - x)) / x        which is later than T by  B + d - x - B d / x

    for x > d; before that (x <= d) the window begins before the step, and nothing is blurred.
    """
    if not _blurs(window) or into_bucket <= apart:
        return 0.0
    return window.bucket + apart - into_bucket - window.bucket * apart / into_bucket


def blurred(window: Window, apart: float, growth: float = 1.0) -> float:
    """The most of `blurred_at` over all places of the step in its bucket.

    That is at x = sqrt(B d): (sqrt(B) - sqrt(d))^2, for d < B, else nothing. `apart` is d, the time
    between the two steps that are at both ends of the window when it is seen. The end of a fault
    is the mirror image: later, with d the fault that is left; sooner, with d what the fault lasted
    beyond T. Where traffic changed inside the bucket as well, it is below B in any case: once
    past the bucket, the window is exact. A bucket of one poll is inside or not, and always exact.
    """
    if not _blurs(window) or apart >= window.bucket:
        return 0.0
    if growth != 1:
        return window.bucket
    return (math.sqrt(window.bucket) - math.sqrt(max(0.0, apart))) ** 2


def lasting_seconds(for_seconds: float, every_seconds: float) -> float:
    """What `for` adds: the first breached sample starts the clock, later ones move it by the time
    between them, so it is reached at the first whole number of intervals that is enough.
    """
    return math.ceil(for_seconds / every_seconds - _DUST) * every_seconds


def seen(pair: Pair, fault: Fault) -> Span | None:
    """From the fault's beginning to the first poll that shows the pair breached; None: never.

    Both windows must be above; the long one is the later of the two, since T grows with W. The
    first poll after T shows it, at most one interval later.
    """
    if fault.growth <= 0 or not pair.sees(fault.ratio):
        return None
    spans = [_risen(window, pair.threshold, fault) for window in (pair.long, pair.short)]
    return Span(max(s.earliest for s in spans), max(s.latest for s in spans))


def detected(pairs: Sequence[Pair], fault: Fault) -> Span | None:
    """The same for a rule: the first pair that shows it. None where none ever does."""
    spans = [span for pair in pairs if (span := seen(pair, fault)) is not None]
    if not spans:
        return None
    return Span(min(s.earliest for s in spans), min(s.latest for s in spans))


def reset(pairs: Sequence[Pair], fault: Fault, lasted_seconds: float) -> Span | None:
    """From the end of a fault that lasted so long to the first poll that shows no pair breached.

    u seconds after the end a window holds W - u of the fault, as long as the fault lasted longer
    than that, and u of good times. That is the picture of `rise_seconds` mirrored, so it is back
    at the threshold when exactly T of the fault is left: u = W - T, however long it lasted. A
    pair ends with the first of its windows, the short one; the rule with the last pair that
    fired at all. A fault that ends while a pair may have fired or not makes the span so wide.
    None: none had fired, or the base alone is above.
    """
    spans, perhaps = [], 0.0
    for pair in pairs:
        found = seen(pair, fault)
        if found is None or found.earliest >= lasted_seconds:
            continue
        if pair.sees(fault.base):
            return None
        falls = [
            _fallen(window, pair.threshold, fault, lasted_seconds)
            for window in (pair.long, pair.short)
        ]
        if found.latest > lasted_seconds:
            perhaps = max(perhaps, min(s.latest for s in falls))
        else:
            spans.append(Span(min(s.earliest for s in falls), min(s.latest for s in falls)))
    if not spans:
        return Span(0.0, perhaps) if perhaps else None
    return Span(max(s.earliest for s in spans), max(perhaps, *(s.latest for s in spans)))


def smallest_ratio(pairs: Sequence[Pair]) -> float:
    """What must be exceeded (met, where inclusive) to be seen at all: a window full of it."""
    return min(pair.threshold for pair in pairs)


def needed_rate(pairs: Sequence[Pair], minimum_events: float) -> float:
    """Events a second with which every pair can be judged at any time.

    A pair is judged when its long window holds `minimum_events`, and its short one any at all.
    """
    return max(max(minimum_events / pair.long.counted, 1.0 / pair.short.counted) for pair in pairs)


def starved_after(window: Window, fault: Fault, rate: float, minimum_events: float) -> float:
    """How long into a fault the window still holds `minimum_events`, when traffic was `rate`.

    It holds rate (W - t (1 - g)) events after t; once full of the fault, rate g W for good.
    """
    least = max(minimum_events, 0.0)
    full = rate * window.counted
    if full < least:
        return 0.0
    if fault.growth >= 1 or full * fault.growth >= max(least, math.ulp(1.0)):
        return math.inf
    return (full - least) / (rate * (1 - fault.growth))


def budget_share(objective: float, period_seconds: float, fault: Fault, seconds: float) -> float:
    """The share of the period's error budget that the fault spends in `seconds`.

    The budget is (1 - objective) of the period's events; with traffic as before the fault, the
    fault's bad events are g e of what `seconds` bring: e g t / ((1 - objective) P).
    """
    return fault.ratio * fault.growth * seconds / ((1 - objective) * period_seconds)


def _risen(window: Window, threshold: float, fault: Fault) -> Span:
    rise = rise_seconds(window, threshold, fault)
    if fault.base >= threshold:
        return Span(0.0, window.every)
    late = blurred(window, window.counted - rise, fault.growth)
    slack = window.slack * rise / window.counted
    return Span(max(0.0, rise - slack), rise + late + slack + window.every)


def _fallen(window: Window, threshold: float, fault: Fault, lasted: float) -> Span:
    left = rise_seconds(window, threshold, fault)
    fall = window.counted - left
    late = blurred(window, left, fault.growth) + window.slack
    soon = blurred(window, lasted - left, fault.growth) + window.slack
    return Span(max(0.0, fall - soon), fall + late + window.every)


def _blurs(window: Window) -> bool:
    return window.bucket >= 2 * window.every
