"""The running process: what signals do, what it says to the service manager, what it leaves."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.daemon.conftest import Home
from watchdog.core import entries as e
from watchdog.sandbox.processes import Command, OwnedProcess, start_process
from watchdog.store import open_reader


class Running:
    """A daemon as a service manager would run it."""

    def __init__(self, home: Home, process: OwnedProcess, manager: socket.socket) -> None:
        self.home = home
        self.process = process
        self.manager = manager

    def log(self) -> list[dict[str, Any]]:
        """Every line on stderr, each of which must be JSON."""
        return [json.loads(line) for line in self.process.command.log.read_text().splitlines()]

    async def says(self, event: str, seconds: float = 40.0) -> dict[str, Any]:
        for _ in range(round(seconds / 0.05)):
            for line in self.log():
                if line["event"] == event:
                    return line
            assert self.process.is_running, self.process.log_tail()
            await asyncio.sleep(0.05)
        raise AssertionError(f"it never said {event}: {self.process.log_tail()}")

    def told(self) -> list[str]:
        """What the service manager was told so far."""
        found = []
        while True:
            try:
                found += self.manager.recv(4096).decode().split("\n")
            except BlockingIOError:
                return found

    async def ends(self, seconds: float = 30.0) -> int:
        for _ in range(round(seconds / 0.05)):
            if self.process.status is not None:
                return self.process.status
            await asyncio.sleep(0.05)
        raise AssertionError("it does not end")


@pytest.fixture
async def running(home: Home) -> AsyncIterator[Running]:
    home.with_journal()
    home.settings()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(home.folder / "notify"))
        manager.setblocking(False)  # noqa: FBT003  # the socket's own signature
        process = start_process(
            Command(
                name="slo-watchdog run",
                argv=[sys.executable, "-m", "watchdog", "run", "--config", str(home.file)],
                log=home.folder / "daemon.log",
                environment={**os.environ, "NOTIFY_SOCKET": str(home.folder / "notify")},
            )
        )
        found = Running(home, process, manager)
        try:
            await found.says("daemon.ready")
            yield found
        finally:
            await process.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_in_order(running: Running, number: signal.Signals) -> None:
    told = []
    for _ in range(25):  # the kernel keeps ten messages that nobody has read, and no more
        await asyncio.sleep(0.1)
        told += running.told()
    os.kill(running.process.pid, number)
    assert await running.ends() == 0
    told += running.told()
    assert told[0] == "READY=1"
    assert told.count("READY=1") == 1
    assert told.index("WATCHDOG=1") > told.index("READY=1")
    assert told.count("WATCHDOG=1") >= 2
    assert told[-2:] == ["STOPPING=1", f"STATUS=Stopping: {number.name}"]
    with open_reader(running.home.state) as reader:
        entries = [one.entry for one in reader.read()]
    assert isinstance(entries[0], e.Started)
    assert entries[-1] == e.Stopped(number.name)
    assert {line["event"] for line in running.log()} >= {"daemon.started", "daemon.stopped"}


async def test_a_hang_up_loads_the_rules_and_bad_ones_change_nothing(running: Running) -> None:
    rules = running.home.rules / "redemption-team" / "rules.yaml"
    good = rules.read_text()
    rules.write_text(good.replace('breach_when: "> 5%"', 'breach_when: "> 6%"'))
    await running.says("policy.pending")
    os.kill(running.process.pid, signal.SIGHUP)
    await _until(lambda: _applied(running.home.state) == ["first start", "SIGHUP"])
    (running.home.rules / "platform.yaml").write_text("version: 1\nsources: [")
    told = await running.says("policy.invalid")
    assert "platform.yaml" in told["error"]
    os.kill(running.process.pid, signal.SIGHUP)
    await asyncio.sleep(1.5)
    assert running.process.is_running
    assert _applied(running.home.state) == ["first start", "SIGHUP"]


@pytest.mark.sim
async def test_nothing_grows_over_many_passes(running: Running) -> None:
    """Sources that refuse, asked over and over; commands; a page: no socket, no thread stays."""
    me = psutil.Process(running.process.pid)
    await asyncio.sleep(3)
    before = (me.num_fds(), me.num_threads())
    port = (await running.says("daemon.ready"))["listen"]
    for _ in range(300):
        await _asks(port)
    await asyncio.sleep(7)  # connections that were kept alive are closed after 5 s
    assert me.num_fds() <= before[0] + 1
    assert me.num_threads() <= before[1] + 2


async def _asks(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 ")
    writer.close()
    await writer.wait_closed()


def _applied(state: Path) -> list[str]:
    with open_reader(state) as reader:
        return [one.entry.actor for one in reader.read() if isinstance(one.entry, e.PolicyApplied)]


async def _until(holds: Any, seconds: float = 20.0) -> None:
    for _ in range(round(seconds / 0.1)):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("in vain")
