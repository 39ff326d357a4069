"""Change a target by running a command.

What an attempt's end means. Whatever came after the program began to run may have had its
effect, whatever it then said; the engine reads back after everything but the two "no effect":

    never started, for a reason that may pass (no memory, file busy, no time)    NOT_DONE
    never started: no such tool, folder, permission, or a variable not set       REFUSED
    exit status 0                                                                CLAIMED
    any other exit status                                                        UNKNOWN
    ended by a signal, or its end not to be learned                              UNKNOWN
    not ended within the deadline, so that we ended it                           UNKNOWN

A non-zero status is no promise: a tool may change the flag, then fail to print that it did.
The key of the intent is in the environment as SLO_WATCHDOG_INTENT, for tools that can use it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from watchdog.core.spec import Command
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Attempt, Attempted
from watchdog.wire.environment import (
    Environment,
    cleared_environment,
    find_program,
    missing_interpreter,
    secrets_in,
)
from watchdog.wire.output import Printed
from watchdog.wire.process import Ended, Exited, NotStarted, run
from watchdog.wire.scrub import scrubbed, shortened

INTENT_VARIABLE = "SLO_WATCHDOG_INTENT"

_MAX_BYTES = 65536  # read of each output; far more than is kept, so that no secret is cut in two
_MOST_CHARACTERS = 2000  # kept of each output
_MOST_REASON = 300


class CommandActuator:
    """Implements `ports.Actuator` for commands. `ours` is the daemon's own environment."""

    def __init__(self, ours: Mapping[str, str] | None = None) -> None:
        self._ours = os.environ if ours is None else ours

    async def attempt(self, how: Command, *, key: str, deadline_seconds: float) -> Attempt:
        ended, told, hidden = await self._run(how, {INTENT_VARIABLE: key}, deadline_seconds)
        if ended is None:
            return Attempt(Attempted.REFUSED, told)
        result, _ = _meaning(ended)
        if isinstance(ended, NotStarted):
            return Attempt(result, told)
        return Attempt(result, told, _output(ended.stdout, ended.stderr, hidden))

    async def ask(self, how: Command, *, deadline_seconds: float) -> tuple[Truth, str]:
        """Of a command that only looks: exit status 0 says yes, any other no; else nobody knows."""
        ended, told, _ = await self._run(how, {}, deadline_seconds)
        if not isinstance(ended, Exited):
            return Truth.UNKNOWN, told
        return Truth.of(ended.status == 0), told

    async def _run(
        self, how: Command, more: Mapping[str, str], deadline_seconds: float
    ) -> tuple[Ended | None, str, frozenset[str]]:
        """How it ended, in words as well, and what is to be hidden; None where a variable lacks."""
        environment = cleared_environment(how.env, self._ours)
        if environment.missing:
            return None, _unset(environment), frozenset()
        ended = await run(
            how.argv,
            cwd=how.cwd,
            env={**environment.variables, **more},
            deadline_seconds=deadline_seconds,
            max_bytes=_MAX_BYTES,
        )
        hidden = secrets_in(environment)
        _, reason = _meaning(ended)
        program = how.argv[0] if how.argv and not isinstance(ended, NotStarted) else ""
        told = scrubbed(f"{program} {reason}".strip(), known=hidden, most=_MOST_REASON)
        return ended, told, hidden

    async def preflight(
        self, how: Command, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        """Would it start? Looks for the tool as the command itself would find it."""
        try:
            async with asyncio.timeout(deadline_seconds):
                # In a thread: a folder on a dead network drive answers never.
                truth, reason = await asyncio.to_thread(_look, how, self._ours)
        except TimeoutError:
            truth = Truth.UNKNOWN
            reason = f"could not look at the tool and its folder within {deadline_seconds:g} s"
        return CheckReading(truth, shortened(reason, _MOST_REASON), at)


def _meaning(ended: Ended) -> tuple[Attempted, str]:
    match ended:
        case NotStarted(reason=reason, passing=passing):
            return (Attempted.NOT_DONE if passing else Attempted.REFUSED), reason
        case Exited(status=0):
            return Attempted.CLAIMED, "exit status 0"
        case _:
            said = last_line(ended.stderr.text) or last_line(ended.stdout.text)
            return Attempted.UNKNOWN, f"{ended.reason}: {said}" if said else ended.reason


def last_line(text: str) -> str:
    """The last that says something: most often why a tool failed."""
    lines = text.split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _output(stdout: Printed, stderr: Printed, hidden: frozenset[str]) -> str:
    out = scrubbed(stdout.text, known=hidden, most=_MOST_CHARACTERS).strip()
    err = scrubbed(stderr.text, known=hidden, most=_MOST_CHARACTERS).strip()
    return "\n".join(part for part in (out, f"stderr: {err}" if err else "") if part)


def _unset(environment: Environment) -> str:
    return f"environment variable {', '.join(environment.missing)} is not set for the watchdog"


def _look(how: Command, ours: Mapping[str, str]) -> tuple[Truth, str]:
    """What is wrong first, in the order in which the command would meet it."""
    environment = cleared_environment(how.env, ours)
    if environment.missing:
        return Truth.FALSE, _unset(environment)
    if how.cwd is not None and not os.path.isdir(how.cwd):  # noqa: PTH112  # as the kernel sees it
        return Truth.FALSE, f"folder {how.cwd} does not exist"
    if how.cwd is not None and not os.access(how.cwd, os.X_OK):
        return Truth.FALSE, f"folder {how.cwd} may not be entered by the watchdog"
    path = environment.variables["PATH"]
    program = how.argv[0] if how.argv else ""
    found = find_program(program, path=path, cwd=how.cwd)
    if found is None:
        where = f"in {how.cwd or 'the present folder'}" if "/" in program else f"on PATH {path}"
        return Truth.FALSE, f"no executable {program!r} {where}"
    interpreter = missing_interpreter(found, path=path, cwd=how.cwd)
    if interpreter is not None:
        return Truth.FALSE, f"{found} needs {interpreter}, which is not on PATH {path}"
    return Truth.TRUE, f"{program} is {found}"
