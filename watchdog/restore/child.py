"""The few programs that the helper runs: without a shell, without our environment.

They die with the helper (`setpriv --pdeathsig`), so that after its death nobody goes on working
on what the next one will look at.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchdog.restore.refused import Refused, shown

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_OUTPUT = 1 << 20
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    status: int | None  # None: not ended in time, and killed
    output: str
    errors: str

    @property
    def said(self) -> str:
        """The last line that it wrote, errors first."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        return shown(lines[-1]) if lines else "it said nothing"


def run(
    argv: Sequence[str],
    *,
    stdin: int | bytes = b"",
    user: str = "",
    cwd: Path | None = None,
    seconds: float | None,
    look: Callable[[], None] = lambda: None,
) -> Ended:
    """Run to its end; `look` is called now and then meanwhile. Raises Refused: cannot be run."""
    drop = _as(user) if user else ()
    temporary = tempfile.TemporaryFile
    with temporary() as given, temporary() as out, temporary() as err:
        if isinstance(stdin, bytes):
            given.write(stdin)
            given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603  # argument lists of ours, or signed
                ["/usr/bin/setpriv", "--pdeathsig", "KILL", *drop, "--", *argv],
                stdin=given if isinstance(stdin, bytes) else stdin,
                stdout=out,
                stderr=err,
                env={"PATH": PATH, "LANG": "C.UTF-8"},
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise Refused(f"{argv[0]} cannot be run: {error.strerror}") from None
        status = _wait(process, seconds, look)
        return Ended(status, _text(out.fileno()), _text(err.fileno()))


def _as(user: str) -> tuple[str, ...]:
    try:
        group = pwd.getpwnam(user).pw_gid
    except KeyError:
        raise Refused(f"there is no user {shown(user)} here") from None
    return ("--reuid", user, "--regid", str(group), "--init-groups", "--no-new-privs")


def _wait(
    process: subprocess.Popen[bytes], seconds: float | None, look: Callable[[], None]
) -> int | None:
    left = seconds
    status: int | None = None
    try:
        while left is None or left > 0:
            step = _LOOK_SECONDS if left is None else min(_LOOK_SECONDS, left)
            try:
                status = process.wait(step)
                break
            except subprocess.TimeoutExpired:
                left = None if left is None else left - step
                look()
    finally:
        # Whatever it left behind in its group changes nothing any more.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return status


def _text(fd: int) -> str:
    size = os.fstat(fd).st_size
    start = os.pread(fd, min(size, _MOST_OUTPUT), 0)
    end = os.pread(fd, 4096, max(len(start), size - 4096))
    return (start + end).decode("utf-8", "replace")
