"""One rule's judge: takes readings in, keeps what must be remembered, gives verdicts.

Laws (DESIGN section 4)
* BLIND is never a breach and never recovery; every way of not seeing has its own reason.
* Only the service's own fault breaches: a failed look at a source blinds, except that liveness
  judges the `up` that the failed look left behind.
* A verdict rests on the samples of one reading; without new samples it stays, until it is stale.
* Recovery is judged only on events after the effect; too few of them prove nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from watchdog.core.channels import EventSignal
from watchdog.core.judge.answers import Freshness, odd_counters, pick, stale
from watchdog.core.judge.beginning import first_bad
from watchdog.core.judge.budget import Budget, KnownBudget
from watchdog.core.judge.finding import Finding, Glance, blinded
from watchdog.core.judge.past import Past
from watchdog.core.judge.presence import judge_presence
from watchdog.core.judge.ratio import (
    glance_at_ratio,
    glance_at_slo,
    period_of,
    recovered,
    windows_of,
)
from watchdog.core.judge.sound import Sound
from watchdog.core.judge.value import judge_liveness, judge_value, lag_seconds, reach_seconds
from watchdog.core.probes import Probed
from watchdog.core.samples import Answer, Fault, Point, Reading
from watchdog.core.spec import PRESENT, Liveness, RatioThreshold, RuleSpec, Slo, ValueThreshold
from watchdog.core.text import duration, number, shortened
from watchdog.core.windows import WHOLE, Tally, position
from watchdog.core.words import Blind, CheckReading, Instant, Status, Truth, Verdict

_VERSION = 1
_COUNTED_ANYWAY = frozenset(
    {
        Blind.NO_TRAFFIC,
        Blind.TOO_FEW_EVENTS,
        Blind.NEWBORN,
        Blind.RESTARTED,
    }
)
"""Blindness of the windows, in which the events after an effect may still be enough."""


def queries(rule: RuleSpec) -> tuple[str, ...]:
    """The expressions whose answers the rule's judge needs."""
    signal = rule.signal
    if isinstance(signal, RatioThreshold | Slo):
        return signal.counters.events, signal.counters.total
    return (signal.expr,)


@dataclass(frozen=True, slots=True)
class _Counted:
    """A rule of ratios and its counts."""

    signal: RatioThreshold | Slo
    tally: Tally


class Judge:
    """Not to be shared: one rule, one source, readings in the order of their time."""

    def __init__(self, rule: RuleSpec) -> None:
        self.rule = rule
        self._queries = queries(rule)
        self._counted = _counted(rule)
        self._budget = KnownBudget()
        self._sound = tuple(Sound() for _ in self._queries)
        self._freshness = Freshness()
        self._resumed = False
        self._read_at: Instant | None = None
        self._sample: float | None = None  # the newest judged sample's time, steady clock
        self._last: Verdict | None = None
        self.points: tuple[Point, ...] = ()  # that the last look at a number gave

    @property
    def tally(self) -> Tally | None:
        """The rule's counts, where it is one of ratios."""
        return None if self._counted is None else self._counted.tally

    def observe(self, reading: Reading, answers: Mapping[str, Answer], now: Instant) -> Verdict:
        """Judge a reading of the rule's source. One older than the last is left aside."""
        late = self._read_at is not None and reading.at.steady < self._read_at.steady
        if late and self._last is not None:
            return self._last
        self._read_at = reading.at
        finding, newest = self._find(reading, answers, now)
        seen = None if finding.status is Status.BLIND else newest
        self._sample = None if seen is None else position(reading.at, seen)
        self._last = finding.verdict(reading.at, newest)
        return self._last

    def tick(self, now: Instant) -> Verdict:
        """The verdict that stands at `now` without new samples."""
        if self._last is None:
            return blinded(Blind.NOT_YET, "nothing has been read yet").verdict(now, None)
        if self._sample is not None and self._last.status is not Status.BLIND:
            old = stale(now.steady - self._sample, self.rule.stale_after_seconds)
            if old is not None:
                self._last = old.verdict(now, self._last.sampled_at)
        return self._last

    def recovered_since(self, effect: Instant, now: Instant) -> CheckReading:
        """Is the trouble over, by events after `effect` alone? Unknown while these are too few."""
        verdict = self.tick(now)
        blind = verdict.status is Status.BLIND
        if blind and (self._counted is None or verdict.blind not in _COUNTED_ANYWAY):
            return CheckReading(Truth.UNKNOWN, f"blind: {verdict.reason}", now)
        if self._counted is not None:
            return self._recovered_by_events(self._counted, effect, now)
        after = -1.0 if self._sample is None else self._sample - effect.steady
        if after <= lag_seconds(self._queries[0]):
            return CheckReading(Truth.UNKNOWN, "no sample after the effect yet", now)
        reach = reach_seconds(self._queries[0])
        if verdict.status is Status.BREACHED and after < reach:
            reason = f"still looks back {duration(reach)}, to before the effect: {verdict.reason}"
            return CheckReading(Truth.UNKNOWN, reason, now)
        return CheckReading(Truth.of(verdict.status is Status.HEALTHY), verdict.reason, now)

    def bad_since(self, now: Instant) -> float | None:
        """When the first bad sample of a breach was taken, on the steady clock, where known."""
        if self._counted is None:
            return self._sample
        return first_bad(self._counted.signal, self._counted.tally, now)

    def lacks(self, now: Instant) -> float:
        """Seconds of its longest window that is not wholly known; 0 where there is none."""
        if self.tally is None:
            return 0.0
        known = _coverage(self.tally, now)
        return max((seconds for seconds, share in known.items() if share < WHOLE), default=0.0)

    def budget(self, now: Instant) -> Budget | None:
        """What is left of its error budget, where it is an objective that has traffic."""
        signal = self.rule.signal
        if self.tally is None or not isinstance(signal, Slo):
            return None
        return self._budget.of(signal, self.tally, now)

    def take_over(self, past: Past, now: Instant) -> str:
        """Go on from windows that were filled from history, unless these know less.

        Why not, where they do.
        """
        if self._counted is None or past.queries != self._queries:
            return "it does not measure the same"
        old, new = _coverage(self._counted.tally, now), _coverage(past.tally, now)
        decide = self._counted.tally.window_seconds
        worse = [seconds for seconds in decide if new[seconds] < min(old[seconds], WHOLE)]
        if worse:
            return f"history knows less of the last {duration(worse[0])} than was watched here"
        if all(new[seconds] <= old[seconds] for seconds in old):
            return "history knows no more than was watched here"
        self._counted = _Counted(self._counted.signal, past.tally)
        return ""

    def checkpoint(self) -> bytes:
        """What is remembered, to go on from after a restart. The verdict is not: it is judged
        anew from the first reading.
        """
        head = {
            "version": _VERSION,
            "queries": self._queries,
            "good": self._good(),
            "newest": self._freshness.newest,
        }
        text = json.dumps(head, separators=(",", ":")).encode()
        tally = b"" if self.tally is None else self.tally.checkpoint()
        return len(text).to_bytes(4, "big") + text + tally

    def restore(self, data: bytes) -> bool:
        """Go on from a checkpoint; False where it is damaged or of another rule's counters."""
        size = int.from_bytes(data[:4], "big")
        try:
            head = json.loads(data[4 : 4 + size])
            version, good, newest = head["version"], head["good"], head["newest"]
            same = (version, good, head["queries"]) == (_VERSION, self._good(), [*self._queries])
            newest = None if newest is None else float(newest)
        except (ValueError, KeyError, TypeError):
            return False
        if not same:
            return False
        if self.tally is not None and not self.tally.restore(data[4 + size :]):
            return False
        self._freshness, self._resumed = Freshness(newest), True
        return True

    def _good(self) -> bool:
        return self._counted is not None and self._counted.signal.counters.good

    def _find(
        self, reading: Reading, answers: Mapping[str, Answer], now: Instant
    ) -> tuple[Finding | Glance, float | None]:
        """The finding, and the wall time of the newest sample where there is one."""
        failure = reading.failure
        judged_by_up = isinstance(self.rule.signal, Liveness) and all(
            query in answers for query in self._queries
        )
        if failure is not None and not (failure.fault is Fault.SERVICE and judged_by_up):
            return blinded(failure.blind, f"{reading.source}: {failure.reason}"), None
        picked, fault = pick(self._queries, answers)
        if fault is not None:
            return fault, None
        if self._counted is not None:
            return self._find_ratio(self._counted, picked, reading, now)
        (answer,) = picked
        self.points = answer.points
        finding = _judge_value(self.rule.signal, answer)
        newest = answer.newest
        if finding.status is Status.BREACHED and newest is None and finding.bound == PRESENT:
            newest = reading.at.wall  # that nothing is there was seen when we looked
        if finding.status is Status.BLIND:
            return finding, newest
        return self._aged(newest, reading, now) or finding, newest

    def _aged(self, newest: float | None, reading: Reading, now: Instant) -> Finding | None:
        """Why the newest sample is not fit to be judged, if it is not."""
        if newest is None:
            return blinded(Blind.NO_DATA, "no sample stands behind the answer")
        if self._resumed:  # time in which nobody looked is no sign of frost
            self._freshness, self._resumed = self._freshness.shifted(reading.at), False
        self._freshness = self._freshness.after(newest, reading.at)
        stale_after = self.rule.stale_after_seconds
        return self._freshness.fault(reading, now, stale_after_seconds=stale_after)

    def _find_ratio(
        self,
        counted: _Counted,
        picked: tuple[Answer, ...],
        reading: Reading,
        now: Instant,
    ) -> tuple[Finding | Glance, float | None]:
        events, total = picked
        tally, good = counted.tally, counted.signal.counters.good
        unfit = self._unfit(picked, reading, now)
        if unfit is not None:
            return unfit, total.newest
        restarted = bool(reading.restarted)
        # Without a total nothing has happened yet; that was seen when we looked.
        sampled_at = reading.at.wall if total.newest is None else total.newest
        seen = tally.observe(
            reading.at, sampled_at, events.points, total.points, restarted=restarted, good=good
        )
        if not total.points:
            query = shortened(self._queries[1])
            reason = f"no traffic: the target is up and shows no {query}"
            return blinded(Blind.NO_TRAFFIC, reason), None
        if restarted and seen.fresh:
            reason = f"{', '.join(sorted(reading.restarted))} restarted"
            return blinded(Blind.RESTARTED, reason), sampled_at
        if not tally.ready:
            reason = "the counters were seen for the first time; an increase shows from the next on"
            return blinded(Blind.NEWBORN, reason), sampled_at
        return self._judge_windows(counted, now), sampled_at

    def _unfit(self, picked: tuple[Answer, ...], reading: Reading, now: Instant) -> Finding | None:
        """Why these counters may not even be counted."""
        events, total = picked
        for query, answer, sound in zip(self._queries, picked, self._sound, strict=True):
            if not sound.holds(answer.points):
                odd = odd_counters(query, answer.points)
                if odd is not None:
                    return odd
        if not total.points:
            return self._total_absent(events, reading)
        if self._good() and not events.points:
            reason = f"nothing matches {shortened(self._queries[0])} beside a live total"
            return blinded(Blind.CONTRADICTION, reason)
        aged = self._aged(total.newest, reading, now)
        if aged is None and events.points and events.newest is not None:
            age = now.steady - position(reading.at, events.newest)
            aged = stale(age, self.rule.stale_after_seconds)
        return aged

    def _total_absent(self, events: Answer, reading: Reading) -> Finding | None:
        """No total is no traffic where the target is up; otherwise it is not ours to judge."""
        down = sorted(target for target, up in reading.up.items() if not up)
        if down:
            return blinded(Blind.SOURCE_DOWN, f"{', '.join(down)} does not answer")
        query = shortened(self._queries[1])
        if any(point.value for point in events.points):
            counted = shortened(self._queries[0])
            return blinded(Blind.CONTRADICTION, f"{counted} counts, and nothing matches {query}")
        return None if reading.up else blinded(Blind.NO_DATA, f"nothing matches {query}")

    def _judge_windows(self, counted: _Counted, now: Instant) -> Finding | Glance:
        signal, windows = counted.signal, counted.tally.read_all(now)
        if isinstance(signal, RatioThreshold):
            return glance_at_ratio(signal, windows, self.rule.minimum_events)
        return glance_at_slo(signal, windows, self.rule.minimum_events)

    def _recovered_by_events(
        self, counted: _Counted, effect: Instant, now: Instant
    ) -> CheckReading:
        """By the newest events, as far back as the shortest window; by all since the effect where
        these are too few.
        """
        tally, newest = counted.tally, effect
        recent = now.plus(-tally.window_seconds[0])
        if recent.steady > effect.steady:
            newest = recent
        least = max(1.0, self.rule.minimum_events)
        bad, total, _ = tally.since(newest)
        if total < least:
            newest = effect
            bad, total, _ = tally.since(newest)
        if total < least:
            reason = f"{number(total)} events after the effect, fewer than {number(least)}"
            return CheckReading(Truth.UNKNOWN, reason, now)
        truth, reason = recovered(counted.signal, bad, total, now.steady - newest.steady)
        return CheckReading(truth, reason, now)


def _coverage(tally: Tally, now: Instant) -> dict[float, float]:
    """The known share of each window and of the period, by their length."""
    known = {seconds: held.coverage for seconds, held in tally.read_all(now).items()}
    period = tally.period_seconds
    return known if period is None else known | {period: tally.read(period, now).coverage}


def _judge_value(
    signal: RatioThreshold | ValueThreshold | Slo | Liveness | Probed | EventSignal, answer: Answer
) -> Finding:
    match signal:
        case ValueThreshold() if signal.bound.op == PRESENT:
            return judge_presence(signal, answer)
        case ValueThreshold():
            return judge_value(signal, answer)
        case Liveness():
            return judge_liveness(signal, answer)
        case _:
            raise TypeError("a rule of ratios is judged by its windows, a probe's by its looks")


def _counted(rule: RuleSpec) -> _Counted | None:
    signal = rule.signal
    if not isinstance(signal, RatioThreshold | Slo):
        return None
    tally = Tally(rule.every_seconds, windows_of(signal), period_of(signal))
    return _Counted(signal, tally)
