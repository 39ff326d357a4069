"""What all real servers share: finding the program, waiting until it is ready, stopping it.

A server binds port 0 and is asked which port it got, so that two tests can never take the same one;
once known the port stays, so that a server which dies comes back where its clients look for it.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil
import pytest

from watchdog.sandbox.processes import Command, OwnedProcess, ProcessEndedError, start_process

_READY_SECONDS = 30.0
_TICK_SECONDS = 0.02


def program(name: str, package: str) -> str:
    """The path of a program. Missing, it skips the test; under CI or as root it is an error."""
    found = shutil.which(name)
    if found is not None:
        return found
    reason = f"{name} is missing: install the Debian package {package}"
    if os.environ.get("CI") or os.geteuid() == 0:
        raise RuntimeError(reason)
    pytest.skip(reason)


class RealServer:
    """One real server process. Subclasses say how it is started and when it is ready."""

    ready_path = "/-/ready"

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._name = name
        self._starts = 0
        self._process: OwnedProcess | None = None
        self.port = 0

    def arguments(self) -> Sequence[str]:
        """The command line for `self.port`, where 0 means any free port."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str] | None:
        """All of its environment; None for our own."""
        return None

    async def is_ready(self, client: httpx.AsyncClient) -> bool:
        """Whether it answers and says that it is ready."""
        try:
            return (await client.get(self.url + self.ready_path)).is_success
        except httpx.TransportError:
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> OwnedProcess:
        """pid, pause (SIGSTOP), resume, kill, stop."""
        if self._process is None:
            raise RuntimeError(f"{self._name} has not been started")
        return self._process

    async def __aenter__(self) -> Self:
        await self.start_again()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.process.stop()
        finally:
            self.process.kill_now()

    async def start_again(self) -> None:
        """Start the process, on the port it had before, and wait until it is ready."""
        self._starts += 1
        self._process = start_process(
            Command(
                name=self._name,
                argv=self.arguments(),
                log=self.folder / f"{self._name}-{self._starts}.log",
                cwd=self.folder,
                environment=self.environment(),
            )
        )
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not self.port:
                    self.port = self._listening_port()
                    await asyncio.sleep(_TICK_SECONDS)
                await self._until_ready()
        except TimeoutError:
            self._process.kill_now()
            raise self._not_up() from None
        except BaseException:
            self._process.kill_now()
            raise

    async def restart(self) -> None:
        await self.process.stop()
        await self.start_again()

    async def _until_ready(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            while not await self.is_ready(client):
                self._check_alive()
                await asyncio.sleep(_TICK_SECONDS)

    def _listening_port(self) -> int:
        self._check_alive()
        try:
            connections = psutil.Process(self.process.pid).net_connections("tcp")
        except psutil.Error:
            return 0  # between fork and exec there may be nothing to read
        ports = [one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN]
        return ports[0] if ports else 0

    def _check_alive(self) -> None:
        if not self.process.is_running:
            raise self._not_up()

    def _not_up(self) -> ProcessEndedError:
        return ProcessEndedError(f"{self._name} did not come up:\n{self.process.log_tail()}")
