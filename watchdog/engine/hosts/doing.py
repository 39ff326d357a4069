"""What this host does when another daemon asks: the very thing that is named, or nothing.

The law: who is asked does what its own policy says of what is named, and where its policy says
something else it does nothing, and tells that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from watchdog.core.acting import How
from watchdog.core.spec import Policy
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.engine.hosts.errands import Answer, Call, reads_of, ways_of
from watchdog.engine.hosts.looking import Looks, fingerprint
from watchdog.ports import Actuator, Attempt, Attempted, Clock, Probe, Readiness

PageShows = Callable[[str, str, Instant], Awaitable[CheckReading]]
"""(a status page's name, the digest of what it is to show, until when) -> whether it does."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What acts on a target, reads it and looks at its checks, on the host that it belongs to."""

    actuator: Actuator
    probe: Probe
    checks: Looks


class Doing:
    """`policy` is the one in force here."""

    def __init__(self, here: Hand, policy: Callable[[], Policy], clock: Clock) -> None:
        self.here = here
        self.page_shows: PageShows | None = None
        self._policy = policy
        self._clock = clock

    async def done(self, call: Call, until: Instant, over: str) -> Answer:
        """The answer, by `until`. `over` says why it may not be begun, "" where it may."""
        if call.what == "check":
            return await self._checked(call, until, over)
        if call.what == "page":
            return await self._page(call, until, over)
        action, now = self._policy().actions.get(call.action), self._clock.now()
        if not over and (action is None or action.sha256 != call.sha256):
            over = f"this daemon has no {call.action}, or another text of it"
        if over or action is None:
            return _not_done(call, over, now)
        left = until.steady - now.steady
        parts = reads_of(action) if call.what == "read" else ways_of(action)
        if call.part >= len(parts):
            return _not_done(call, f"{call.action} has no such part", now)
        if call.what == "read":
            endpoint = reads_of(action)[call.part]
            return await self.here.probe.read(endpoint, call.expect, at=now, deadline_seconds=left)
        return await self._acted(call, ways_of(action)[call.part], now, left)

    async def _checked(self, call: Call, until: Instant, over: str) -> CheckReading:
        """A check only looks; it is the very one that was meant, or none."""
        policy, now = self._policy(), self._clock.now()
        checks = policy.verification.get(call.action, ())
        found = next((c for c in checks if fingerprint(c) == call.sha256), None)
        if over or found is None:
            why = over or f"this daemon has no check {call.key} of {call.action}, or another text"
            return CheckReading(Truth.UNKNOWN, why, now)
        async with asyncio.timeout(max(0.0, until.steady - now.steady)):
            return await self.here.checks.look(policy.actions[call.action], found)

    async def _page(self, call: Call, until: Instant, over: str) -> CheckReading:
        """Whether a status page of this host shows what it is to show."""
        if over or self.page_shows is None:
            why = over or "nobody tells status pages here"
            return CheckReading(Truth.UNKNOWN, why, self._clock.now())
        return await self.page_shows(call.key, call.sha256, until)

    async def _acted(self, call: Call, how: How, now: Instant, left: float) -> Answer:
        actuator, key, facts = self.here.actuator, call.key, call.facts
        match call.what:
            case "attempt":
                return await actuator.attempt(how, key=key, deadline_seconds=left, facts=facts)
            case "settle":
                return await actuator.settle(how, key=key, deadline_seconds=left, facts=facts)
            case "stands":
                return await actuator.stands(how, key=key, deadline_seconds=left, facts=facts)
            case _:
                return await actuator.preflight(how, at=now, deadline_seconds=left)


def _not_done(call: Call, why: str, now: Instant) -> Answer:
    unread = CheckReading(Truth.UNKNOWN, why, now)
    match call.what:
        case "attempt" | "settle":
            return Attempt(Attempted.NOT_DONE, why)
        case "preflight":
            return Readiness(unread)
        case _:
            return unread
