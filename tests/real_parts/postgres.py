"""A real PostgreSQL server: made in a folder of its own, on a free loopback port.

It refuses to run as root, so root runs it as Debian's user `postgres`. `initdb` need not wait for
the disk; the server itself keeps fsync on, as a real one. What its machine loses with its power is
not tested here, so its folder may be in memory.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import pytest
from psycopg import sql

_BIN = Path("/usr/lib/postgresql/15/bin")
_READY_SECONDS = 30.0
_TICK_SECONDS = 0.02
_PLENTY_BYTES = 4 * 1024**3
_PREFIX = "slo-postgres-"
ADMIN = "postgres"


def _programs() -> Path:
    """Missing, it skips the test; under CI or as root it is an error."""
    if (_BIN / "postgres").exists():
        return _BIN
    reason = "PostgreSQL 15 is missing: install the Debian package postgresql-15"
    if os.environ.get("CI") or os.geteuid() == 0:
        raise RuntimeError(reason)
    pytest.skip(reason)


class RealPostgres:
    """One server process, used with `with`. `settings` are options of its command line."""

    def __init__(self, *settings: str) -> None:
        self._bin = _programs()
        self._settings = settings
        room = _room()
        _sweep(room)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=room))
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, *settings: str) -> None:
        """Start it, on the port that it had before, and wait until it answers."""
        self.port = self.port or _free_port()
        log = (self.folder / "log").open("ab")
        options = (*self._settings, *settings, f"port={self.port}", "listen_addresses=127.0.0.1")
        arguments = [part for option in options for part in ("-c", option)]
        with log:
            self._process = subprocess.Popen(
                [*_as_nobody_special(), self._bin / "postgres", "-D", self._data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        end = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                told = (self.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not come up:\n{told[-3000:]}")
            time.sleep(_TICK_SECONDS)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT ends it at once, as a crash does: the next start recovers."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def become_standby(self) -> None:
        """Start anew as one that waits for a primary which never comes."""
        self.stop(signal.SIGINT)
        (self._data / "standby.signal").touch()
        self.start()

    def everyone(self) -> list[int]:
        """The server and all its children."""
        told = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)],
            capture_output=True,
            text=True,
            check=True,
        )
        return [self.pid, *(int(line) for line in told.stdout.split())]

    def freeze(self) -> None:
        for pid in self.everyone():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self.everyone():
            os.kill(pid, signal.SIGCONT)

    def url(self, database: str, user: str = ADMIN) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def run(
        self, statement: str, values: Sequence[object] = (), database: str = ADMIN
    ) -> list[Any]:
        """As the administrator, in a session of its own. What it answers, if anything."""
        with psycopg.connect(self.url(database), autocommit=True) as session:
            cursor = psycopg.ClientCursor(session)
            cursor.execute(statement.encode(), values or None)
            return [] if cursor.description is None else cursor.fetchall()

    def hang_up(self, purpose: str) -> None:
        """End the sessions whose name holds this."""
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ %s",
            [purpose],
        )

    def tool(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's own programs against it."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", ADMIN)
        subprocess.run([self._bin / name, *where, *arguments], check=True, timeout=60)

    def database(self, name: str, *options: str) -> None:
        """Make an empty one."""
        words = sql.SQL(" ").join(
            [sql.SQL("CREATE DATABASE"), sql.Identifier(name), *(sql.SQL(one) for one in options)]
        )
        with psycopg.connect(self.url(ADMIN), autocommit=True) as session:
            session.execute(words)

    def _prepare(self) -> None:
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        subprocess.run(
            [
                *_as_nobody_special(),
                *(self._bin / "initdb", "-D", self._data, "-U", ADMIN, "-A", "trust"),
                *("--no-sync", "--no-locale", "-E", "UTF8"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )
        with (self._data / "pg_hba.conf").open("w") as rules:
            rules.write(
                "host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
            )
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(
                "unix_socket_directories = ''\nshared_buffers = 32MB\nmax_wal_size = 256MB\n"
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(ADMIN), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _sweep(room: Path | None) -> None:
    """Remove what runs that were killed have left: their servers died with them."""
    for left in Path(room or tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(left, ignore_errors=True)


def _room() -> Path | None:
    """Memory, where there is plenty: a database is three hundred files, made anew for each test."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > _PLENTY_BYTES:
        return memory
    return None


def _as_nobody_special() -> list[str | Path]:
    if os.geteuid() != 0:
        return []
    # The kernel ends it with us; asked for after the change of user, which would forget it.
    return [
        *("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"),
        *("--pdeathsig", "KILL"),
    ]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
