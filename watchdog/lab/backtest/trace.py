"""One rule's verdicts over time, thinned for plots: the worst of each stretch is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watchdog.core.spec import PRESENT, RatioThreshold, RuleSpec, Slo, ValueThreshold
from watchdog.core.text import number
from watchdog.core.words import Blind, Status, Verdict
from watchdog.lab.history import Span

_STRETCHES = 2000  # a screen has no more columns


@dataclass(frozen=True, slots=True)
class Turn:
    """From `at` on, the rule's status was this one; of blindness each kind is a turn."""

    at: float
    status: Status
    reason: str
    blind: Blind | None = None


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
    _status: tuple[Status, Blind | None] | None = None

    def see(self, at: float, verdict: Verdict) -> None:
        """One more verdict, in the order of time. Most are not asked for their words."""
        status = verdict.status, verdict.blind
        turned = status != self._status
        if turned:
            self._status = status
            self.turns.append(Turn(at, verdict.status, verdict.reason, verdict.blind))
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
        return sum(seconds for turn, seconds in self._lasted() if turn.status is status)

    def mostly_blind(self) -> str:
        """Why it was blind for most of that time, by the first such reason; "" where it never was.

        The numbers in a reason are of one moment, so reasons are told apart by their kind.
        """
        kinds: dict[Blind | None, tuple[float, str]] = {}
        for turn, seconds in self._lasted():
            if turn.status is Status.BLIND:
                before, reason = kinds.get(turn.blind, (0.0, turn.reason))
                kinds[turn.blind] = before + seconds, reason
        return max(kinds.values(), key=lambda found: found[0])[1] if kinds else ""

    def _lasted(self) -> Iterator[tuple[Turn, float]]:
        ends = [turn.at for turn in self.turns[1:]] + [self.span.end]
        for turn, end in zip(self.turns, ends, strict=True):
            yield turn, end - turn.at

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
