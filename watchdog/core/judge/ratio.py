"""Rules that judge shares of events: a ratio over one window, or burn rates over pairs of them.

ratio = bad(W) / total(W) from raw counters; burn = ratio / (1 - objective); a pair fires when its
long and its short window both burn above the factor. Nothing is rounded before it is compared.
Source of the pairs: Google SRE Workbook, chapter 5. Truth is Kleene's: a pair that cannot be judged
does not hide one that fires, and without one that fires it leaves the rule BLIND.

`judge_ratio` and `judge_slo` say what is meant, and find the words. At every poll a glance decides
the same of plain numbers, where these are in order, and leaves the words until they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from watchdog.core.judge.finding import Finding, Glance, blinded
from watchdog.core.judge.value import breaches, compared
from watchdog.core.spec import BurnPair, RatioThreshold, Slo
from watchdog.core.text import apart, duration, number, percent
from watchdog.core.windows import WHOLE, Counted
from watchdog.core.words import Blind, Status, Telling, Truth, WindowReading, any_true

Read = Callable[[float], WindowReading]
"""Gives the reading of a window of so many seconds."""

_EXCESS = 0.01  # of the total: two counters read a moment apart differ by what is in flight


Windows = Mapping[float, Counted]
"""What all windows of a rule held at one time, by their length."""


def burn_rate(ratio: float, objective: float) -> float:
    """Speed at which the error budget is spent; 1.0 spends it exactly over the period."""
    return ratio / (1 - objective)


def windows_of(signal: RatioThreshold | Slo) -> tuple[float, ...]:
    """The lengths of all windows that the rule reads, in seconds."""
    if isinstance(signal, RatioThreshold):
        return (signal.over_seconds,)
    return tuple(
        sorted({s for pair in signal.pairs for s in (pair.long_seconds, pair.short_seconds)})
    )


def period_of(signal: RatioThreshold | Slo) -> float | None:
    """Seconds over which an error budget is counted, where there is one."""
    return signal.period_seconds if isinstance(signal, Slo) else None


def glance_at_ratio(
    signal: RatioThreshold, windows: Windows, minimum_events: float
) -> Finding | Glance:
    """What `judge_ratio` finds."""

    def judged() -> Finding:
        return judge_ratio(signal, _reader(windows), minimum_events)

    held = windows[signal.over_seconds]
    if not _in_order(held, minimum_events):
        return judged()
    breached = breaches(held.ratio or 0.0, signal.bound)
    status = Status.BREACHED if breached else Status.HEALTHY
    return Glance(status, not breached and held.coverage >= WHOLE, lambda: _told(judged()))


def glance_at_slo(signal: Slo, windows: Windows, minimum_events: float) -> Finding | Glance:
    """What `judge_slo` finds."""

    def judged() -> Finding:
        return judge_slo(signal, _reader(windows), minimum_events)

    fires, shortest = False, signal.pairs[0].short_seconds
    for pair in signal.pairs:
        long, short = windows[pair.long_seconds], windows[pair.short_seconds]
        if not (_in_order(long, minimum_events) and _in_order(short, 0.0)):
            return judged()
        fires = fires or (
            burn_rate(short.ratio or 0.0, signal.objective) > pair.factor
            and burn_rate(long.ratio or 0.0, signal.objective) > pair.factor
        )
        shortest = min(shortest, pair.short_seconds)
    status = Status.BREACHED if fires else Status.HEALTHY
    clear = not fires and windows[shortest].coverage >= WHOLE
    return Glance(status, clear, lambda: _told(judged()))


def _in_order(held: Counted, minimum_events: float) -> bool:
    """No reason to be BLIND, and nothing to put right."""
    return 0 <= held.bad <= held.total and held.total > 0 and held.total >= minimum_events


def _reader(windows: Windows) -> Read:
    return lambda seconds: windows[seconds].reading(seconds)


def _told(finding: Finding) -> Telling:
    return Telling(finding.reason, finding.value, finding.bound, finding.evidence)


def judge_ratio(signal: RatioThreshold, read: Read, minimum_events: float) -> Finding:
    """One window against its bound."""
    reading = read(signal.over_seconds)
    reading, blind = _judged(reading, minimum_events, good=signal.counters.good)
    if blind is not None:
        return blind
    ratio = reading.ratio if reading.ratio is not None else 0.0
    breached = breaches(ratio, signal.bound)
    shown, against = compared(ratio, signal.bound, breached=breached)
    comma = "" if breached else ","
    return Finding(
        Status.BREACHED if breached else Status.HEALTHY,
        f"{shown} of {events_text(reading)} bad over {duration(reading.seconds)}{comma} {against}",
        value=ratio,
        bound=signal.bound.text,
        evidence=(reading,),
        clear=not breached and reading.coverage >= WHOLE,
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    fires: Truth
    long: WindowReading
    short: WindowReading
    factor: float
    blind: Finding | None = None

    @property
    def burn(self) -> float:
        """The lower of the two burns: the pair fires when this is above the factor."""
        return min(self.long.burn or 0.0, self.short.burn or 0.0)

    @property
    def text(self) -> str:
        return f"{duration(self.long.seconds)} and {duration(self.short.seconds)}"


def judge_slo(signal: Slo, read: Read, minimum_events: float) -> Finding:
    """All pairs; any that fires breaches the rule."""
    pairs = [_judge_pair(pair, signal, read, minimum_events) for pair in signal.pairs]
    evidence = tuple(reading for pair in pairs for reading in (pair.long, pair.short))
    fires = any_true(*(pair.fires for pair in pairs))
    if fires is Truth.UNKNOWN:
        first = next(pair.blind for pair in pairs if pair.blind is not None)
        return replace(first, evidence=evidence)
    # The pair to speak of: the one that fires, else the one that is nearest to firing.
    most = max(
        (pair for pair in pairs if pair.fires is fires), key=lambda pair: pair.burn / pair.factor
    )
    shown, factor = apart(most.burn, most.factor)
    shortest = min((pair.short for pair in pairs), key=lambda reading: reading.seconds)
    breached = fires is Truth.TRUE
    return Finding(
        Status.BREACHED if breached else Status.HEALTHY,
        f"burn {shown}{' >' if breached else ', not >'} {factor} over {most.text}",
        value=most.burn,
        bound=f"> {number(most.factor)}",
        evidence=evidence,
        clear=not breached and shortest.coverage >= WHOLE,
    )


def _judge_pair(pair: BurnPair, signal: Slo, read: Read, minimum_events: float) -> _Pair:
    good = signal.counters.good
    long, blind = _judged(read(pair.long_seconds), minimum_events, good=good)
    short, blind_short = _judged(read(pair.short_seconds), 0.0, good=good)
    long = _burning(long, signal.objective, pair.factor)
    short = _burning(short, signal.objective, pair.factor)
    blind = blind or blind_short
    if blind is not None or long.burn is None or short.burn is None:
        return _Pair(Truth.UNKNOWN, long, short, pair.factor, blind)
    fires = Truth.of(long.burn > pair.factor and short.burn > pair.factor)
    return _Pair(fires, long, short, pair.factor)


def _burning(reading: WindowReading, objective: float, factor: float) -> WindowReading:
    burn = None if reading.ratio is None else burn_rate(reading.ratio, objective)
    return replace(reading, burn=burn, factor=factor)


def _judged(
    reading: WindowReading, minimum_events: float, *, good: bool
) -> tuple[WindowReading, Finding | None]:
    """The reading with its bad events between none and all, or why it cannot be judged."""
    over, what = duration(reading.seconds), "good" if good else "bad"
    counted = reading.total - reading.bad if good else reading.bad
    if counted > reading.total * (1 + _EXCESS):
        reason = (
            f"{number(counted)} {what} events of only {number(reading.total)} over {over}: "
            f"the selectors contradict each other"
        )
        return reading, blinded(Blind.CONTRADICTION, reason, (reading,))
    if reading.total <= 0 or reading.ratio is None:
        return reading, blinded(Blind.NO_TRAFFIC, f"no events over {over}", (reading,))
    if reading.total < minimum_events:
        shown, least = apart(reading.total, minimum_events)
        events = "event" if shown == "1" else "events"
        reason = f"{shown} {events} over {over}, fewer than {least}"
        return reading, blinded(Blind.TOO_FEW_EVENTS, reason, (reading,))
    bad = min(max(reading.bad, 0.0), reading.total)
    if bad != reading.bad:
        reading = replace(reading, bad=bad, ratio=bad / (reading.total + reading.filled))
    return reading, None


def events_text(reading: WindowReading) -> str:
    """How many events a ratio is of, and which of them were only assumed."""
    seen = number(reading.total)
    if reading.filled <= 0:
        return "1 event" if seen == "1" else f"{seen} events"
    every = number(reading.total + reading.filled)
    return f"{every} events ({seen} seen, the others taken as good)"


def recovered(
    signal: RatioThreshold | Slo, bad: float, total: float, seconds: float
) -> tuple[Truth, str]:
    """Do these events, all after the effect, say that the trouble is over?

    An slo has recovered when it burns at none of its pairs' factors any more.
    """
    ratio = min(max(bad / total, 0.0), 1.0)
    seen = f"of {number(total)} events bad in {duration(seconds)} after the effect"
    if isinstance(signal, RatioThreshold):
        still = breaches(ratio, signal.bound)
        shown, against = compared(ratio, signal.bound, breached=still)
        return Truth.of(not still), f"{shown} {seen}, {against}"
    burn = burn_rate(ratio, signal.objective)
    lowest = min(pair.factor for pair in signal.pairs)
    shown, factor = apart(burn, lowest)
    still = burn > lowest
    against = f"burn {shown}{' >' if still else ', not >'} {factor}"
    return Truth.of(not still), f"{percent(ratio)} {seen}: {against}"
