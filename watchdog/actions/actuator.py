"""One actuator for both ways of changing a target."""

from __future__ import annotations

from watchdog.actions.command import CommandActuator
from watchdog.actions.http_call import HttpActuator
from watchdog.core.spec import Command, HttpCall
from watchdog.core.words import CheckReading, Instant
from watchdog.ports import Actuator, Attempt
from watchdog.wire.http import Wire


def open_actuator(wire: Wire) -> Actuator:
    return _EitherActuator(CommandActuator(), HttpActuator(wire))


class _EitherActuator:
    def __init__(self, commands: CommandActuator, calls: HttpActuator) -> None:
        self._commands = commands
        self._calls = calls

    async def attempt(
        self, how: Command | HttpCall, *, key: str, deadline_seconds: float
    ) -> Attempt:
        if isinstance(how, Command):
            return await self._commands.attempt(how, key=key, deadline_seconds=deadline_seconds)
        return await self._calls.attempt(how, key=key, deadline_seconds=deadline_seconds)

    async def preflight(
        self, how: Command | HttpCall, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        if isinstance(how, Command):
            return await self._commands.preflight(how, at=at, deadline_seconds=deadline_seconds)
        return await self._calls.preflight(how, at=at, deadline_seconds=deadline_seconds)
