"""What is remembered of one rule: its judge with its windows, its clocks, what was last seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from watchdog.core.impact import Cost, ImpactMeter
from watchdog.core.inputs import Sight
from watchdog.core.judge import Judge
from watchdog.core.judge.looked import judge_of
from watchdog.core.persistence import BreachClock, QuietClock
from watchdog.core.samples import Answer, Reading
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Blind, Instant, Status, Truth, Verdict


@dataclass(slots=True)
class RuleMemory:
    """One rule: its judge with its windows, its clocks, and what was last seen."""

    spec: RuleSpec
    judge: Judge
    breach: BreachClock = field(default_factory=BreachClock)
    quiet: QuietClock = field(default_factory=QuietClock)
    sight: Sight | None = None
    failed: bool = False  # its last evaluation raised: blind until one does not
    sampled_at: float | None = None  # wall time of the newest sample that a clock has counted
    first_bad: Instant | None = None  # of the breach that lasts
    breached: Instant | None = None  # since when that is seen
    meter: ImpactMeter | None = None

    def observe(
        self, reading: Reading, answers: Mapping[str, Answer], undone: Instant | None
    ) -> Sight:
        """Judge new samples. `undone`: when the rollback was undone, if its episode is watched."""
        verdict = self.judge.observe(reading, answers, reading.at)
        self.failed = False
        return self._seen(verdict, verdict.at, undone)

    def hear_aside(self, reading: Reading, answers: Mapping[str, Answer]) -> None:
        """Take in what its `impact` was answered; never raises."""
        if self.meter is None:
            return
        try:
            self.meter.observe(reading, answers)
        except Exception as error:  # noqa: BLE001  # nobody is judged by it: that it is not known is all
            self.meter.fail(f"its answer could not be counted: {type(error).__name__}: {error}")

    def fail(self, reason: str, now: Instant) -> Sight:
        """Its evaluation raised. What it last saw proves nothing any more."""
        self.failed = True
        return self._seen(Verdict(Status.BLIND, reason, now, blind=Blind.BUG), now, None)

    def tick(self, now: Instant, undone: Instant | None) -> Sight:
        """Judge without new samples: only time has passed."""
        if self.failed and self.sight is not None:
            return self.sight
        verdict = self.judge.tick(now)
        if undone is None and self.sight is not None and verdict is self.sight.verdict:
            if self.sight.recovered_since_undo is not Truth.UNKNOWN:  # of an undo that is over
                self.sight = replace(self.sight, recovered_since_undo=Truth.UNKNOWN)
            return self.sight
        if self.sight is not None and verdict.status is self.sight.verdict.status:
            since_undo = self._since(undone, now)
            self.sight = replace(self.sight, verdict=verdict, recovered_since_undo=since_undo)
            return self.sight
        return self._seen(verdict, now, undone)

    def _seen(self, verdict: Verdict, now: Instant, undone: Instant | None) -> Sight:
        since_undo = self._since(undone, now)
        status = verdict.status
        if undone is not None and status is Status.BREACHED and since_undo is not Truth.FALSE:
            status = Status.HEALTHY  # breached by what lies before the undo: no time adds up
        every = self.spec.every_seconds
        # One sample that is served again and again is one sample: no time adds up between looks
        # at it, however long it counts as fresh. What sets a clock back is taken at any time.
        again = verdict.sampled_at is not None and verdict.sampled_at == self.sampled_at
        if not (again and status is Status.BREACHED):
            self.breach = self.breach.advance(
                status, now, every_seconds=every, for_seconds=self.spec.for_seconds
            )
        if not (again and verdict.status is Status.HEALTHY):
            self.quiet = self.quiet.advance(verdict.status, now, every_seconds=every)
        if verdict.status is not Status.BLIND:
            self.sampled_at = verdict.sampled_at
        self._note_beginning(verdict, now)
        held, quiet = self.breach.held_seconds, self.quiet.quiet_seconds
        points = self.judge.points
        began = self.first_bad, self.breached
        self.sight = Sight(verdict, held, quiet, since_undo, points, False, *began)  # noqa: FBT003  # told here
        return self.sight

    def _note_beginning(self, verdict: Verdict, now: Instant) -> None:
        """A breach begins at its first bad sample; blindness in the middle of it ends it not."""
        if verdict.status is Status.HEALTHY:
            self.first_bad = self.breached = None
        elif verdict.status is Status.BREACHED:
            self.breached = self.breached or now
        if verdict.status is Status.BREACHED and self.first_bad is None:
            since = self.judge.bad_since(now)
            if since is not None:
                self.first_bad = now.plus(min(0.0, since - now.steady))

    def cost(self, since: float) -> Cost:
        """What its trouble has cost since the first bad sample, at `since` on the steady clock."""
        tally = self.judge.tally
        failed = tally.bad_during(since) if tally is not None and tally.ready else None
        if self.meter is None:
            return Cost(failed)
        affected, reason = self.meter.cost(since)
        return Cost(failed, affected, self.meter.impact.of, reason)

    def _since(self, undone: Instant | None, now: Instant) -> Truth:
        if undone is None:
            return Truth.UNKNOWN
        return self.judge.recovered_since(undone, now).truth


def renewed(old: RuleMemory | None, rule: RuleSpec, *, from_elsewhere: bool) -> RuleMemory:
    """A rule that means the same goes on; a changed one starts its clocks again, and its windows
    go on where they measure the same.
    """
    if old is None or from_elsewhere or old.spec.source != rule.source:
        return memory_of(rule)
    if old.spec.sha256 == rule.sha256:
        if old.spec.impact != rule.impact:
            old.meter = _meter_of(rule)
        old.spec = old.judge.rule = rule  # where it stands, and its prose
        return old
    fresh = memory_of(rule)
    fresh.judge.restore(old.judge.checkpoint())
    if fresh.meter is not None and old.meter is not None:
        fresh.meter.restore(old.meter.checkpoint())
    return fresh


def memory_of(rule: RuleSpec) -> RuleMemory:
    """Of a rule that nothing is remembered of."""
    return RuleMemory(rule, judge_of(rule), meter=_meter_of(rule))


def _meter_of(rule: RuleSpec) -> ImpactMeter | None:
    return None if rule.impact is None or rule.is_family else ImpactMeter(rule)
