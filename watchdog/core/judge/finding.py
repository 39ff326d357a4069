"""What a look at the samples says, before it is given its time and becomes a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchdog.core.words import Blind, Instant, Status, Telling, Verdict, WindowReading


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement with its numbers; the fields mean what they mean in `Verdict`."""

    status: Status
    reason: str
    blind: Blind | None = None
    value: float | None = None
    bound: str = ""
    evidence: tuple[WindowReading, ...] = ()
    clear: bool = False

    def verdict(self, at: Instant, sampled_at: float | None) -> Verdict:
        return Verdict(
            status=self.status,
            reason=self.reason,
            at=at,
            sampled_at=sampled_at,
            blind=self.blind,
            value=self.value,
            bound=self.bound,
            evidence=self.evidence,
            clear=self.clear,
        )


@dataclass(frozen=True, slots=True)
class Glance:
    """A judgement that is no blindness, with its words for when they are asked for."""

    status: Status
    clear: bool
    tell: Callable[[], Telling]

    def verdict(self, at: Instant, sampled_at: float | None) -> Verdict:
        return Verdict.told_later(self.status, at, sampled_at, self.tell, clear=self.clear)


def blinded(blind: Blind, reason: str, evidence: tuple[WindowReading, ...] = ()) -> Finding:
    return Finding(Status.BLIND, reason, blind=blind, evidence=evidence)
