"""A command whose exit status tells: 0 holds, a status declared as failing fails.

Any other end is blind, since it says something about the command and not about the service: it
could not be started, was killed, did not end in time, or exited with a status that nobody
declared (127 is "no such command" of a shell, 3 is "unknown" of monitoring plugins).
"""

from __future__ import annotations

from watchdog.core.probes import CommandProbe
from watchdog.core.samples import Failure, Look
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Instant
from watchdog.sources.looks import ours, told
from watchdog.wire.environment import default_environment
from watchdog.wire.process import Exited, NotStarted, run

_MAX_BYTES = 8192  # of each output


class CommandLook:
    def __init__(self, spec: SourceSpec, how: CommandProbe) -> None:
        self._spec, self._how = spec, how

    async def look(self, at: Instant) -> Look | Failure:  # noqa: ARG002  # judged by what comes now
        command = self._how.command
        ended = await run(
            command.argv,
            deadline_seconds=self._spec.deadline_seconds,
            cwd=command.cwd,
            env=default_environment(),
            max_bytes=_MAX_BYTES,
        )
        if isinstance(ended, NotStarted):
            return ours(ended.reason)
        said = _last_line(ended.stderr.text) or _last_line(ended.stdout.text)
        reason = told(f"{command.argv[0]}: {ended.reason}{f': {said}' if said else ''}")
        if isinstance(ended, Exited) and ended.status in {0, *self._how.failing}:
            return Look(ended.status == 0, reason, value=float(ended.status))
        return ours(reason)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")
