"""One rule's verdicts over time, thinned for plots: the worst of each stretch is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdog.core.spec import RuleSpec
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
    """`values` are the compared numbers, the worst of each stretch by the bound."""

    span: Span
    rule: RuleSpec
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    bound: str = ""
    _until: float = -1.0
    _status: Status | None = None

    def see(self, at: float, verdict: Verdict) -> None:
        """One more verdict, in the order of time."""
        if verdict.status is not self._status:
            self._status = verdict.status
            self.turns.append(Turn(at, verdict.status, verdict.reason))
        value = verdict.value
        if value is None:
            return
        if at >= self._until:
            self._until = at + self.span.seconds / _STRETCHES
            self.times.append(at)
            self.values.append(value)
            self.bound = verdict.bound
        elif (value < self.values[-1]) if self.bound.startswith("<") else (value > self.values[-1]):
            self.times[-1], self.values[-1] = at, value

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
