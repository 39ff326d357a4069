"""One actuator for every way of changing a target."""

from __future__ import annotations

from collections.abc import Mapping

from watchdog.actions.command import CommandActuator
from watchdog.actions.http_call import HttpActuator
from watchdog.actions.release import ReleaseActuator
from watchdog.core.releases import DeployRelease
from watchdog.core.spec import Command, How, HttpCall
from watchdog.core.trees import Facts
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Actuator, Attempt, Attempted, Readiness
from watchdog.wire.http import Wire

_NOTHING_TO_CLEAR = Attempt(Attempted.CLAIMED, "it leaves nothing behind")


def open_actuator(wire: Wire, restorers: Mapping[type[How], Actuator] | None = None) -> Actuator:
    """`restorers` are those who put whole folders or systems back, by what they are told to.

    Versions are deployed by commands and calls, as everything else is changed.
    """
    commands, calls = CommandActuator(), HttpActuator(wire)
    releases: Mapping[type[How], Actuator] = {DeployRelease: ReleaseActuator(commands, calls, wire)}
    return _AnyActuator(commands, calls, {**releases, **(restorers or {})})


class _AnyActuator:
    def __init__(
        self,
        commands: CommandActuator,
        calls: HttpActuator,
        restorers: Mapping[type[How], Actuator],
    ) -> None:
        self._commands = commands
        self._calls = calls
        self._restorers = restorers

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        if isinstance(how, Command):
            return await self._commands.attempt(how, key=key, deadline_seconds=deadline_seconds)
        if isinstance(how, HttpCall):
            return await self._calls.attempt(how, key=key, deadline_seconds=deadline_seconds)
        restorer = self._restorers.get(type(how))
        if restorer is None:
            return Attempt(Attempted.REFUSED, _nobody(how))
        return await restorer.attempt(how, key=key, deadline_seconds=deadline_seconds, facts=facts)

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        restorer = self._restorers.get(type(how))
        if restorer is None:
            return CheckReading(Truth.UNKNOWN, "it carries no mark", Instant(0.0, 0.0))
        return await restorer.stands(how, key=key, deadline_seconds=deadline_seconds, facts=facts)

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        restorer = self._restorers.get(type(how))
        if restorer is None:
            return _NOTHING_TO_CLEAR
        return await restorer.settle(how, key=key, deadline_seconds=deadline_seconds, facts=facts)

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        if isinstance(how, Command):
            looked = self._commands.preflight(how, at=at, deadline_seconds=deadline_seconds)
            return Readiness(await looked)
        if isinstance(how, HttpCall):
            asked = self._calls.preflight(how, at=at, deadline_seconds=deadline_seconds)
            return Readiness(await asked)
        restorer = self._restorers.get(type(how))
        if restorer is None:
            return Readiness(CheckReading(Truth.FALSE, _nobody(how), at))
        return await restorer.preflight(how, at=at, deadline_seconds=deadline_seconds)


def _nobody(how: How) -> str:
    return f"nobody here can do a {type(how).__name__}"
