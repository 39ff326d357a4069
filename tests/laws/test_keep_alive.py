"""Law 9: the keep-alive follows a completed pass alone; a dead source blinds, and mutes nobody."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG
from tests.engine.house import living
from watchdog.daemon.notify import ServiceManager
from watchdog.sandbox.handle import Sandbox

TICK_SECONDS = 1.0
LATE_SECONDS = 0.7  # what a busy machine may add


class Manager:
    """The service manager's end of the socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)  # noqa: FBT003  # the socket's own signature
        self.heard: list[tuple[float, str]] = []

    def listen(self) -> list[tuple[float, str]]:
        """Everything so far, with the time at which it was taken from the socket."""
        while True:
            try:
                said = self._socket.recv(65536).decode()
            except BlockingIOError:
                return self.heard
            self.heard.append((time.monotonic(), said))

    async def keep_alives(self, seconds: float) -> list[float]:
        """When each came, from now on for so long."""
        self.listen()
        before, ends = len(self.heard), time.monotonic() + seconds
        while time.monotonic() < ends:
            self.listen()
            await asyncio.sleep(0.01)
        return [at for at, said in self.heard[before:] if "WATCHDOG=1" in said]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path, watchdog: Watchdog) -> Iterator[Manager]:
    path = tmp_path / "notify"
    watchdog._environment["NOTIFY_SOCKET"] = str(path)
    end = Manager(path)
    yield end
    end.close()


def longest_gap(times: list[float]) -> float:
    return max(b - a for a, b in pairwise(times))


async def test_ready_comes_once_then_a_keep_alive_each_second_and_stopping_at_the_end(
    watchdog: Watchdog, manager: Manager
) -> None:
    await watchdog.start()
    times = await manager.keep_alives(4.0)
    assert longest_gap(times) < TICK_SECONDS + LATE_SECONDS
    assert await watchdog.stop() == 0
    said = [line for _, text in manager.listen() for line in text.splitlines()]
    assert said.count("READY=1") == 1
    assert said.index("READY=1") < said.index("WATCHDOG=1")
    assert "WATCHDOG=1" not in said[said.index("STOPPING=1") :]


async def test_a_blocked_loop_sends_no_keep_alive(tmp_path: Path, sandbox: Sandbox) -> None:
    """The engine runs in this very loop, which is blocked: nothing else vouches for it."""
    manager = Manager(tmp_path / "manager")
    service = ServiceManager(str(tmp_path / "manager"))
    async with living(tmp_path, sandbox) as house:
        house.engine.on_pass = lambda: service.tell("WATCHDOG=1")
        assert await manager.keep_alives(1.5) != []
        manager.listen()
        time.sleep(2.5)  # noqa: ASYNC251  # to block the loop is the point
        before = len(manager.heard)
        assert len(manager.listen()) == before
        assert await manager.keep_alives(1.5) != []
    service.close()
    manager.close()


async def test_a_stopped_process_sends_no_keep_alive(watchdog: Watchdog, manager: Manager) -> None:
    await watchdog.start()
    watchdog.signal(signal.SIGSTOP)
    assert await manager.keep_alives(2.5) == []
    watchdog.signal(signal.SIGCONT)
    assert await manager.keep_alives(2.5) != []


@pytest.mark.parametrize("how", ["gone", "hanging"])
async def test_a_dead_source_blinds_its_rules_and_the_keep_alive_goes_on(
    watchdog: Watchdog, manager: Manager, sandbox: Sandbox, how: str
) -> None:
    await watchdog.on_guard()
    if how == "gone":
        await sandbox.refuse_connections()
    else:
        sandbox.fault("status", "hang")
    times = await manager.keep_alives(4.0)
    assert longest_gap(times) < TICK_SECONDS + LATE_SECONDS
    verdict = (await watchdog.why(PEG))["rule"]["verdict"]
    assert verdict["status"] == "blind"
