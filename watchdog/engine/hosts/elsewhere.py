"""An action's ports where its host is another's: what they are asked goes there as an errand.

What was sent and not answered is unknown; what nobody could take is not done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from watchdog.core.acting import ActionSpec, How
from watchdog.core.asking import Endpoint
from watchdog.core.trees import Facts
from watchdog.core.verification import NamedCheck
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.engine.hosts.errands import Answer, Call, Unanswered, reads_of, ways_of
from watchdog.engine.hosts.looking import GRACE_SECONDS, fingerprint
from watchdog.ports import Attempt, Attempted, Clock, Readiness

Ask = Callable[[str, Call, float], Awaitable[Answer | Unanswered]]
"""(address, what, deadline in seconds) -> what was answered"""


class Elsewhere:
    """`Actuator`, `Probe` and `Looks` of one action whose host is another's."""

    def __init__(self, action: ActionSpec, ask: Ask, clock: Clock) -> None:
        self._action = action
        self._asked = ask
        self._clock = clock

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        call = self._call("attempt", how, key, facts)
        return _attempt(await self._ask(call, deadline_seconds))

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        call = self._call("settle", how, key, facts)
        return _attempt(await self._ask(call, deadline_seconds))

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        call = self._call("stands", how, key, facts)
        return self._reading(await self._ask(call, deadline_seconds))

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        del at  # the time there is its own
        found = await self._ask(self._call("preflight", how), deadline_seconds)
        return found if isinstance(found, Readiness) else Readiness(self._reading(found))

    async def read(
        self, endpoint: Endpoint, expect: str, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        del at  # the time there is its own
        part = reads_of(self._action).index(endpoint)
        call = Call("read", self._action.name, self._action.sha256, part, expect=expect)
        return self._reading(await self._ask(call, deadline_seconds))

    async def look(self, action: ActionSpec, check: NamedCheck) -> CheckReading:
        call = Call("check", action.name, fingerprint(check), 0, key=check.name)
        return self._reading(await self._ask(call, check.deadline_seconds + GRACE_SECONDS))

    def _call(
        self,
        what: Literal["attempt", "stands", "settle", "preflight"],
        how: How,
        key: str = "",
        facts: Facts = (),
    ) -> Call:
        part = ways_of(self._action).index(how)
        return Call(what, self._action.name, self._action.sha256, part, key=key, facts=facts)

    async def _ask(self, call: Call, deadline_seconds: float) -> Answer | Unanswered:
        return await self._asked(f"host {self._action.host}", call, deadline_seconds)

    def _reading(self, found: Answer | Unanswered) -> CheckReading:
        if isinstance(found, CheckReading):
            return found
        if isinstance(found, Unanswered | Attempt):  # an Attempt where it was not taken
            return CheckReading(Truth.UNKNOWN, found.reason, self._clock.now())
        reason = "an odd answer"
        return CheckReading(Truth.UNKNOWN, reason, self._clock.now())


def _attempt(found: Answer | Unanswered) -> Attempt:
    if isinstance(found, Attempt):
        return found
    if isinstance(found, Unanswered):
        result = Attempted.UNKNOWN if found.sent else Attempted.NOT_DONE
        return Attempt(result, found.reason)
    return Attempt(Attempted.UNKNOWN, "an odd answer")
