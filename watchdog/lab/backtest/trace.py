"""One rule's verdicts over time, thinned for plots: the worst of each stretch is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdog.core.spec import PRESENT, RatioThreshold, RuleSpec, Slo, ValueThreshold
from watchdog.core.text import number
from watchdog.core.words import Status, Verdict
from watchdog.lab.history import Span

_STRETCHES = 2000  # a screen has no more columns


@dataclass(frozen=True, slots=True)
class Turn:
    """From `at` on, the rule's status was this one."""

    at: float
    status: Status
    reason: str


@dataclass(slots=True)
class Trace:
    """`values` are the compared numbers at `times`: one verdict of each stretch, and every one at
    which the status changed. `limits` are what they were compared with.
    """

    span: Span
    rule: RuleSpec
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    _until: float = -1.0
    _status: Status | None = None

    def see(self, at: float, verdict: Verdict) -> None:
        """One more verdict, in the order of time. Most are not asked for their words."""
        turned = verdict.status is not self._status
        if turned:
            self._status = verdict.status
            self.turns.append(Turn(at, verdict.status, verdict.reason))
        elif at < self._until:
            return
        self._until = at + self.span.seconds / _STRETCHES
        limit = _limit(self.rule, verdict)
        if verdict.value is not None and limit is not None:
            self.times.append(at)
            self.values.append(verdict.value)
            self.limits.append(limit)

    def seconds(self, status: Status) -> float:
        """How long the rule had this status."""
        ends = [turn.at for turn in self.turns[1:]] + [self.span.end]
        return sum(
            end - turn.at
            for turn, end in zip(self.turns, ends, strict=True)
            if turn.status is status
        )

    def blind_reasons(self, most: int = 5) -> list[str]:
        """Why it was blind, each reason once, in the order in which they came."""
        found = dict.fromkeys(t.reason for t in self.turns if t.status is Status.BLIND)
        return list(found)[:most]

    def healthy_after(self, at: float) -> float | None:
        """When it was next healthy."""
        return next((t.at for t in self.turns if t.at > at and t.status is Status.HEALTHY), None)


def _limit(rule: RuleSpec, verdict: Verdict) -> float | None:
    """What the verdict's value was compared with, unrounded."""
    match rule.signal:
        case Slo(pairs=pairs):
            found = [r.factor for r in verdict.evidence if r.factor is not None]
            told = verdict.bound.lstrip("> ")
            near = [factor for factor in found if number(factor) == told]
            return near[0] if near and pairs else None
        case RatioThreshold(bound=bound) | ValueThreshold(bound=bound):
            return None if bound.op == PRESENT else bound.limit
        case _:
            return None
