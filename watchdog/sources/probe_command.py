"""A command whose exit status tells: 0 holds, a status declared as failing fails.

Any other end is blind, since it says something about the command and not about the service: it
could not be started, was killed, did not end in time, or exited with a status that nobody
declared (127 is "no such command" of a shell, 3 is "unknown" of monitoring plugins). So is status 0
of a command that says that it judged nothing, by a text that the rule names; where it printed more
than is read, that it did not say so is not known.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from watchdog.core.probes import CommandProbe
from watchdog.core.samples import Failure, Look
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Instant
from watchdog.sources.looks import ours, told
from watchdog.wire.environment import cleared_environment, secrets_in
from watchdog.wire.process import Exited, NotStarted, run
from watchdog.wire.scrub import scrubbed

_MAX_BYTES = 8192  # of each output
_MOST_OUTPUT = 2000  # characters kept of both


class CommandLook:
    """`variables` is the daemon's own environment: a command sees what it names of it."""

    def __init__(
        self, spec: SourceSpec, how: CommandProbe, variables: Mapping[str, str] | None = None
    ) -> None:
        self._spec, self._how = spec, how
        self._variables = os.environ if variables is None else variables

    async def look(self, at: Instant) -> Look | Failure:  # noqa: ARG002  # judged by what comes now
        command = self._how.command
        environment = cleared_environment(command.env, self._variables)
        if environment.missing:
            lacking = ", ".join(environment.missing)
            return ours(f"environment variable {lacking} is not set for the watchdog")
        ended = await run(
            command.argv,
            deadline_seconds=self._spec.deadline_seconds,
            cwd=command.cwd,
            env=environment.variables,
            max_bytes=_MAX_BYTES,
        )
        if isinstance(ended, NotStarted):
            return ours(ended.reason)
        hidden = secrets_in(environment)
        said = _last_line(ended.stderr.text) or _last_line(ended.stdout.text)
        reason = told(f"{command.argv[0]}: {ended.reason}{f': {said}' if said else ''}", hidden)
        if isinstance(ended, Exited) and ended.status == 0:
            void = _void(self._how.inconclusive, ended)
            if void:
                return ours(told(f"{command.argv[0]}: exit status 0, but {void}", hidden))
        if isinstance(ended, Exited) and ended.status in {0, *self._how.failing}:
            printed = f"{ended.stdout.text.strip()}\n{ended.stderr.text.strip()}".strip()
            output = scrubbed(printed, known=hidden, most=_MOST_OUTPUT)
            return Look(ended.status == 0, reason, value=float(ended.status), output=output)
        return ours(reason)


def _void(inconclusive: str, ended: Exited) -> str:
    """Why success proves nothing; empty where it does."""
    if not inconclusive:
        return ""
    for printed in (ended.stdout, ended.stderr):
        if inconclusive in printed.text:
            return f"it printed {inconclusive!r}: it judged nothing"
        if printed.cut_bytes:
            return f"it printed more than {_MAX_BYTES} bytes, and may have said {inconclusive!r}"
    return ""


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")
