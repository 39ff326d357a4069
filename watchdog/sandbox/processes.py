"""A process that we start, own and stop by its own pid.

It dies with the thread that started it, its output goes to a file, and stopping it is bounded:
first SIGTERM, then SIGKILL. Nothing is ever looked up or ended by name.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAUNCHER = Path(__file__).with_name("die_with_parent.py")
_TICK_SECONDS = 0.005
_STOP_SECONDS = 10.0


class ProcessEndedError(Exception):
    """A process ended, or did not come up, while it was needed. Carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, and the file that takes what it writes on stdout and stderr."""

    name: str
    argv: Sequence[str]
    log: Path
    cwd: Path | None = None
    environment: Mapping[str, str] | None = None


class OwnedProcess:
    """One running process, started by `start_process`."""

    def __init__(self, command: Command, popen: subprocess.Popen[bytes]) -> None:
        self.command = command
        self._popen = popen

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._popen.poll()

    def log_tail(self) -> str:
        return self.command.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def pause(self) -> None:
        """SIGSTOP: it lives and holds its sockets, but does nothing until `resume`.

        The kernel stops the threads through the first of them, which may be waiting for a disk
        while the others serve on: so this returns only once each of them stands still. Raises
        ProcessEndedError where that takes longer than ten seconds.
        """
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + _STOP_SECONDS
        while self.is_running and not _stands_still(self.pid):
            if time.monotonic() > deadline:
                raise ProcessEndedError(f"{self.command.name} runs on although it was stopped")
            time.sleep(_TICK_SECONDS)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        await self._ended(10.0)

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """SIGTERM, then SIGKILL after the grace. Safe to call on one that has ended."""
        if not self.is_running:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        if not await self._ended(grace_seconds):
            await self.kill()

    def kill_now(self) -> None:
        """SIGKILL without an event loop: the last resort of a `finally`."""
        self._signal(signal.SIGKILL)
        self._popen.wait(10)

    async def _ended(self, deadline_seconds: float) -> bool:
        deadline = time.monotonic() + deadline_seconds
        while self.is_running and time.monotonic() < deadline:  # noqa: ASYNC110 - a child has no event
            await asyncio.sleep(_TICK_SECONDS)
        return not self.is_running

    def _signal(self, number: signal.Signals) -> None:
        if self.is_running:
            self._popen.send_signal(number)


def _stands_still(pid: int) -> bool:
    """Whether every thread of a process is stopped. Source: proc(5), state of task/*/stat."""
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            after_name = task.read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        except OSError:
            continue  # it ended meanwhile
        if after_name.split()[0] not in "TtZX":
            return False
    return True


def start_process(command: Command) -> OwnedProcess:
    """Start it now. It is killed by the kernel when the calling thread ends."""
    launcher = [sys.executable, "-IS", str(_LAUNCHER), str(os.getpid())]
    with command.log.open("wb") as log:
        popen = subprocess.Popen(  # noqa: S603 - an argument list of ours, no shell
            [*launcher, *command.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=command.cwd,
            env=None if command.environment is None else dict(command.environment),
            start_new_session=True,  # Ctrl-C at a terminal is its owner's, who stops it in order
        )
    return OwnedProcess(command, popen)


async def line_in_log(process: OwnedProcess, start: str, deadline_seconds: float = 15.0) -> str:
    """The first log line that starts so. Raises ProcessEndedError when it does not come in time."""
    deadline = time.monotonic() + deadline_seconds
    while time.monotonic() < deadline:
        whole, newline, _ = process.command.log.read_text("utf-8", "replace").rpartition("\n")
        if newline:
            for line in whole.split("\n"):
                if line.startswith(start):
                    return line
        if not process.is_running:
            break
        await asyncio.sleep(_TICK_SECONDS)
    raise ProcessEndedError(f"{process.command.name} did not come up:\n{process.log_tail()}")
