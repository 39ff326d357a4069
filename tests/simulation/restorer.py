"""The privileged helper that restores a system: a unit of its own, which asks for its approvals.

It believes signatures alone: of so many people, none of them the requester, over this decision and
this plan, not expired, each spent once. It lives on when the watchdog dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.machine import Held
from tests.simulation.service import Service
from tests.simulation.targets import Ledger
from tests.simulation.world import EPOCH, World
from watchdog.core.trees import Anchor, Facts
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Attempt, Attempted, Readiness

TARGET = "system:mycelia"
ARCHIVE = "archive-1"
NEEDED = 2


@dataclass(frozen=True, slots=True)
class Signature:
    """What one person signed, and when."""

    who: str
    decision: str
    plan: str
    digest: str
    requester: str
    at: float
    expires: float


@dataclass(slots=True)
class Helper:
    """`begun` and `done` are its own marks, by the decision that was signed for."""

    world: World
    service: Service
    ledger: Ledger
    signatures: list[Signature] = field(default_factory=list)
    begun: dict[str, str] = field(default_factory=dict)  # decision -> the intent that asked
    done: dict[str, str] = field(default_factory=dict)  # decision -> how it ended
    restores: int = 0

    async def preflight(self, at: Instant, life: Held) -> Readiness:
        life.point()
        await asyncio.sleep(0.05)
        life.point()
        anchor = Anchor(f"digest-of-{ARCHIVE}", EPOCH - 100_000.0, (("archive", ARCHIVE),))
        return Readiness(CheckReading(Truth.TRUE, f"{ARCHIVE} is as it was recorded", at), anchor)

    async def attempt(self, key: str, facts: Facts, seconds: float, life: Held) -> Attempt:
        life.point()
        known = dict(facts)
        request = known.get("request", "") or self._approved()
        if not request:
            return Attempt(Attempted.REFUSED, "there is no request that people have approved")
        learned: Facts = (("request", request),)
        if request not in self.begun:
            self.ledger.asked(key, TARGET)
            if self.world.fault("helper: the unit could not be started", 0.2):
                return Attempt(Attempted.NOT_DONE, "systemctl failed", facts=learned)
            self._begin(request, key)
        until = self.world.now + seconds
        while self.world.now < until - 0.5:
            if request in self.done:
                return _meaning(self.done[request], learned)
            await asyncio.sleep(0.5)
            life.point()
        return Attempt(Attempted.UNKNOWN, "not ended within its deadline", facts=learned)

    async def stands(self, facts: Facts, life: Held) -> CheckReading:
        life.point()
        at = Instant(0.0, 0.0)
        request = dict(facts).get("request", "") or next(reversed(self.begun), "")
        if request in self.done:
            truth = Truth.TRUE if self.done[request] == "done" else Truth.FALSE
            return CheckReading(truth, self.done[request], at)
        if request in self.begun:
            return CheckReading(Truth.TRUE, "begun, and not ended", at)
        return CheckReading(Truth.FALSE, "the helper has not begun", at)

    def _approved(self) -> str:
        """The newest request that enough people have signed, by its decision."""
        for decision in dict.fromkeys(s.decision for s in reversed(self.signatures)):
            if decision not in self.begun and self.verified(decision):
                return decision
        return ""

    def verified(self, decision: str) -> bool:
        """Whether enough distinct people have signed it, none the requester, none too long ago."""
        now = self.world.now
        counted = {
            s.who
            for s in self.signatures
            if s.decision == decision
            and s.who != s.requester
            and now < s.expires
            and s.digest == f"digest-of-{ARCHIVE}"
        }
        return len(counted) >= NEEDED

    def _begin(self, request: str, key: str) -> None:
        self.begun[request] = key
        takes = 2.0 + 10.0 * self.world.chance.random()
        backs_out = self.world.fault("helper: it backs out", 0.15)
        if backs_out:
            self.world.after(takes, f"the helper backs out of {request}", self._back_out(request))
            return
        self.world.after(takes, f"the helper ends {request}", self._end(request, key))

    def _end(self, request: str, key: str) -> Callable[[], None]:
        def end() -> None:
            self.restores += 1
            self.done[request] = "done"
            self.service.troubles.pop("system", None)
            self.ledger.changed(TARGET, key, f"r{self.restores - 1}", f"r{self.restores}")

        return end

    def _back_out(self, request: str) -> Callable[[], None]:
        def back_out() -> None:
            self.done[request] = "backed out"

        return back_out


def _meaning(said: str, learned: Facts) -> Attempt:
    result = Attempted.CLAIMED if said == "done" else Attempted.REFUSED
    return Attempt(result, f"the helper says: {said}", facts=learned)
