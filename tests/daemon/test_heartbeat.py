"""When the dead man's switch is silent: what judges and cannot record must be missed as well."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.daemon.conftest import Home
from tests.web.policies import QUIET, policy, source
from tests.web.watching import Watch, watching
from tests.wire.raw_server import RawServer, answering
from watchdog.core.spec import Endpoint, Scrape
from watchdog.daemon.heartbeat import Heartbeat
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

SECRET = "heartbeat-url"


@dataclass
class Switch:
    """A daemon's passes, and who hears of them."""

    watch: Watch
    server: RawServer
    heartbeat: Heartbeat
    unwell: list[str] = field(default_factory=list)

    async def hears(self, more: int = 1) -> None:
        wanted = len(self.server.requests) + more
        await self.watch.until(lambda: len(self.server.requests) >= wanted)

    async def hears_nothing(self, seconds: float = 1.0) -> None:
        await asyncio.sleep(0.2)  # what was on its way
        before = len(self.server.requests)
        await asyncio.sleep(seconds)
        assert len(self.server.requests) == before


@pytest.fixture
async def switch(tmp_path: Path, home: Home) -> AsyncIterator[Switch]:
    home.changes |= {"heartbeat": SECRET, "heartbeat_every": 0.1}
    sources = {"app": source("app", Scrape(Endpoint("http://127.0.0.1:9")))}
    async with (
        RawServer(answering("OK", "text/plain")) as server,
        watching(tmp_path, policy(sources, (QUIET,))) as watch,
    ):
        (tmp_path / SECRET).write_text(f"{server.url}/a-secret-path\n")
        wire = Wire(FileSecrets([tmp_path]))
        unwell: list[str] = []
        heartbeat = Heartbeat(watch.engine, wire, home.settings(), lambda: "".join(unwell))
        task = asyncio.create_task(heartbeat.forever())
        yield Switch(watch, server, heartbeat, unwell)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await wire.aclose()


async def test_it_is_silent_while_nothing_can_be_recorded(switch: Switch) -> None:
    await switch.hears(2)
    switch.unwell.append("the disk is full")
    await switch.hears_nothing()
    switch.unwell.clear()
    await switch.hears()


async def test_a_refusal_is_said_once_and_so_is_that_it_is_over(
    switch: Switch, tmp_path: Path
) -> None:
    with capture_logs() as logs:
        await switch.hears()
        switch.server.behaviour = answering("no such check", "text/plain", 404)
        await switch.hears(3)
        switch.server.behaviour = answering("OK", "text/plain")
        await switch.hears(3)
        (tmp_path / SECRET).unlink()
        await switch.watch.until(lambda: "heartbeat.unheard" in logs[-1].values())
    told = [(one["event"], one.get("reason")) for one in logs if "heartbeat" in one["event"]]
    assert told[:3] == [
        ("heartbeat.heard", None),
        ("heartbeat.unheard", "127.0.0.1: HTTP 404"),
        ("heartbeat.heard", None),
    ]
    assert SECRET in str(told[3][1])
    assert "a-secret-path" not in str(logs)
