"""Run one argument list to its end: bounded in time, in memory, and in what it leaves behind.

The law: whatever the command does, `run` answers within its deadline and says how it ended as a
frozen value; it never raises for the command's sake. There is no shell. The command leads a
session and process group of its own, and at its end, however it comes, whatever is left of that
group is killed: a command that is over changes nothing any more. (A process that left the group
by `setsid` is out of reach; it can hold a pipe open, and still nobody waits for it.)

Why not asyncio's own subprocesses: on Python 3.11 `communicate()` buffers without limit, and
`wait()` after `kill()` hangs while a grandchild holds a pipe. Here the end is seen through a
pidfd, which no grandchild can hold, and the outputs are read and thrown away above a cap, so
that a chatty command neither fills our memory nor blocks on a full pipe.

How it ended:

    NotStarted   certainly no effect: the program was never executed
    Exited       by itself, with a status
    Signalled    by a signal that we did not send
    TimedOut     we ended it: SIGTERM to the group, a short grace, SIGKILL to the group
    Lost         it ran, and its end was not to be learned (somebody else reaped it)
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watchdog.wire.environment import default_environment
from watchdog.wire.output import Printed, Tap

GRACE_SECONDS = 1.0
"""The most that is given between SIGTERM and SIGKILL; at most a fifth of the deadline."""

DRAIN_SECONDS = 0.5
"""How long outputs may stay open after the command has ended, before we stop listening."""

KILL_SECONDS = 1.0
"""How long a killed process may take to die; one stuck in the kernel is left to die later."""

_LOOK_SECONDS = 0.02
"""How often to ask whether the command has ended, where there is no pidfd."""

_PASSING = frozenset(
    {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY, errno.EINTR, errno.EIO}
)
"""Reasons for not starting that may be gone at the next try."""


@dataclass(frozen=True, slots=True)
class NotStarted:
    reason: str
    passing: bool  # whether the same command may well start at another try


@dataclass(frozen=True, slots=True)
class _Ran:
    reason: str
    stdout: Printed
    stderr: Printed
    took_seconds: float
    held_open: bool  # a process that it left behind still held an output


@dataclass(frozen=True, slots=True)
class Exited(_Ran):
    status: int


@dataclass(frozen=True, slots=True)
class Signalled(_Ran):
    signal: int


@dataclass(frozen=True, slots=True)
class TimedOut(_Ran):
    killed: bool  # False: it was not allowed to us, or it is stuck in the kernel


@dataclass(frozen=True, slots=True)
class Lost(_Ran): ...


Ended = NotStarted | Exited | Signalled | TimedOut | Lost


async def run(
    argv: Sequence[str],
    *,
    deadline_seconds: float,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    max_bytes: int = 65536,
    stdin: int = subprocess.DEVNULL,
) -> Ended:
    """Run `argv` and say how it ended, `deadline_seconds` from now at the latest.

    The deadline includes the grace after SIGTERM, so the command's own time is a little shorter.
    A process that even SIGKILL does not end at once adds KILL_SECONDS at most. `env` is the whole
    environment; None gives a sane PATH and LANG and nothing else. `max_bytes` caps what is kept
    of each output; `stdin` is an open file that it may read. When the caller is cancelled, the
    group is killed before that goes on.
    """
    if not argv:
        return NotStarted("there is no command", passing=False)
    if deadline_seconds <= 0:
        return NotStarted("no time was left to start it", passing=True)
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        # Not in a thread: the fork holds the interpreter's lock anyway.
        popen = subprocess.Popen(  # noqa: ASYNC220, S603  # see above; a list, and no shell
            list(argv),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env=dict(default_environment() if env is None else env),
            start_new_session=True,
        )
    except (OSError, ValueError) as problem:
        return _not_started(argv[0], cwd, problem)
    child = _Child(popen, started, max_bytes)
    try:
        return await child.see_out(deadline_seconds)
    finally:
        await child.end()


def signal_group(group: int, number: int) -> bool:
    """Signal every process of a group that we started; False when that is not allowed to us.

    Groups 0 (our own) and 1 (init's), and whatever group we are in, are refused: a bug that
    confuses process ids must never reach the daemon itself or the machine.
    """
    if group <= 1 or group == os.getpgrp():
        raise ValueError(f"process group {group} is never to be signalled")
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return True  # nobody is left in it
    except PermissionError:
        return False
    return True


def _not_started(program: str, cwd: str | None, problem: OSError | ValueError) -> NotStarted:
    if isinstance(problem, ValueError):
        return NotStarted(f"{program!r} cannot be run: {problem}", passing=False)
    what = problem.strerror or str(problem)
    where = f" (folder {cwd})" if cwd is not None and problem.filename == cwd else ""
    return NotStarted(f"{program!r} was not started: {what}{where}", problem.errno in _PASSING)


class _Child:
    """A started command: read from, waited for, killed and reaped exactly once."""

    def __init__(self, popen: subprocess.Popen[bytes], started: float, cap: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._popen = popen
        self._started = started
        self._pid = popen.pid
        self._exited = asyncio.Event()
        self._drained = asyncio.Event()
        self._reaped = False
        self._ending: os.waitid_result | None = None
        self._left = False  # nobody waits for it any more
        self._taps: dict[int, Tap] = {}
        self._order: tuple[int, ...] = ()
        for pipe in (popen.stdout, popen.stderr):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._taps[pipe.fileno()] = Tap(pipe.fileno(), cap)
                self._loop.add_reader(pipe.fileno(), self._read, pipe.fileno())
        self._order = tuple(self._taps)
        self._open = set(self._taps)
        try:
            self._pidfd: int | None = os.pidfd_open(self._pid)
            self._loop.add_reader(self._pidfd, self._saw_exit, self._pidfd)
        except OSError:  # forbidden in some containers, or gone already
            self._pidfd = None
            self._look_for_exit()

    async def see_out(self, deadline_seconds: float) -> Ended:
        grace = min(GRACE_SECONDS, deadline_seconds / 5)
        until = self._started + deadline_seconds
        if await _set_by(self._exited, until - grace):
            held_open = not await _set_by(
                self._drained, min(until, self._loop.time() + DRAIN_SECONDS)
            )
            self._kill()
            self._reap()
            return self._how_it_ended(held_open=held_open)
        signal_group(self._pid, signal.SIGTERM)
        await _set_by(self._exited, until)
        permitted = self._kill()
        await _set_by(self._exited, self._loop.time() + KILL_SECONDS)
        self._reap()
        killed = permitted and self._reaped
        died = "killed" if killed else "and could not be killed"
        return TimedOut(
            f"did not end within {deadline_seconds:g} s, {died}",
            *self._printed(),
            self._loop.time() - self._started,
            held_open=not self._drained.is_set(),
            killed=killed,
        )

    async def end(self) -> None:
        """Leave nothing behind: no process of the group, no zombie, no descriptor."""
        try:
            if not self._reaped:
                self._kill()
                await _set_by(self._exited, self._loop.time() + KILL_SECONDS)
        finally:
            self._reap()
            for fd in tuple(self._open):
                self._stop_reading(fd)
            for pipe in (self._popen.stdout, self._popen.stderr):
                if pipe is not None:
                    pipe.close()
            self._let_go()

    def _kill(self) -> bool:
        """SIGKILL to the group, while its leader is not reaped: later its number may be reused."""
        return self._reaped or signal_group(self._pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Collect the leader's end, if it has ended.

        Popen itself would answer status 0 where somebody else collected it: a claim of success
        out of nothing.
        """
        if self._reaped:
            return
        try:
            self._ending = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            self._reaped = True
        else:
            self._reaped = self._ending is not None

    def _let_go(self) -> None:
        """Close the pidfd; of a process that would not die, once it does."""
        self._left = True
        self._popen.returncode = -int(signal.SIGKILL)  # Popen need not wait for it: we do
        if self._pidfd is None:
            return
        self._loop.remove_reader(self._pidfd)
        if self._reaped:
            os.close(self._pidfd)
        else:
            self._loop.add_reader(self._pidfd, self._bury, self._pidfd)

    def _bury(self, pidfd: int) -> None:
        self._loop.remove_reader(pidfd)
        self._reap()
        os.close(pidfd)

    def _how_it_ended(self, *, held_open: bool) -> Ended:
        took = self._loop.time() - self._started
        out, err = self._printed()
        ending = self._ending
        if ending is None:
            return Lost("ended, but somebody else took its status", out, err, took, held_open)
        if ending.si_code == os.CLD_EXITED:
            reason = f"exit status {ending.si_status}"
            return Exited(reason, out, err, took, held_open, ending.si_status)
        reason = f"ended by {_signal_name(ending.si_status)}"
        return Signalled(reason, out, err, took, held_open, ending.si_status)

    def _printed(self) -> tuple[Printed, Printed]:
        out, err = (self._taps[fd].printed() for fd in self._order)
        return out, err

    def _read(self, fd: int) -> None:
        if not self._taps[fd].take():
            self._stop_reading(fd)

    def _stop_reading(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        self._open.discard(fd)
        if not self._open:
            self._drained.set()

    def _look_for_exit(self) -> None:
        try:
            ended = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            self._exited.set()
            return
        if ended is not None:
            self._exited.set()
            if self._left:
                self._reap()
        else:
            self._loop.call_later(_LOOK_SECONDS, self._look_for_exit)

    def _saw_exit(self, pidfd: int) -> None:
        self._loop.remove_reader(pidfd)  # it stays readable, and would keep the loop busy
        self._exited.set()


async def _set_by(event: asyncio.Event, until: float) -> bool:
    """Wait for the event, to the loop's time `until` at the latest; False if it did not come."""
    try:
        async with asyncio.timeout_at(until):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
