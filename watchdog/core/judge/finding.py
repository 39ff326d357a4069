"""What a look at the samples says, before it is given its time and becomes a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.words import Blind, Instant, Status, Verdict, WindowReading


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


def blinded(blind: Blind, reason: str, evidence: tuple[WindowReading, ...] = ()) -> Finding:
    return Finding(Status.BLIND, reason, blind=blind, evidence=evidence)
