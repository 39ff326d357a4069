"""The dead man's switch of a real daemon: heard while it watches, silent when it cannot."""

import asyncio
import gzip
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG
from tests.e2e.scenes import break_peg
from tests.wire.raw_server import RawServer, answering, hangs
from watchdog.sandbox.handle import Sandbox

TOKEN = "a1b2c3d4-token-in-the-path"


@pytest.fixture
async def switch() -> AsyncIterator[RawServer]:
    """What hears the beats."""
    async with RawServer(answering("OK", "text/plain")) as server:
        yield server


@pytest.fixture
async def sentry() -> AsyncIterator[RawServer]:
    async with RawServer(answering("{}", "application/json")) as server:
        yield server


@pytest.fixture
def beating(watchdog: Watchdog, tmp_path: Path, switch: RawServer, sentry: RawServer) -> Watchdog:
    """A daemon that beats each second, to both."""
    url = tmp_path / "secrets" / "heartbeat-url"
    url.write_text(f"{switch.url}/ping/{TOKEN}\n")
    watchdog.settings |= {
        "heartbeat": "heartbeat-url",
        "heartbeat_every": 1.0,
        "sentry_dsn": f"http://public@127.0.0.1:{sentry.port}/7",
        "sentry_monitor": "the-watchdog",
    }
    return watchdog


async def heard(server: RawServer, more: int, within_seconds: float = 15.0) -> None:
    """Wait for so many more requests."""
    wanted = len(server.requests) + more
    async with asyncio.timeout(within_seconds):
        while len(server.requests) < wanted:  # noqa: ASYNC110  # another process asks
            await asyncio.sleep(0.05)


def body_of(request: str) -> str:
    """What was sent, unpacked."""
    body = request.partition("\r\n\r\n")[2].encode(errors="surrogateescape")
    return gzip.decompress(body).decode()


async def longest_pass(watchdog: Watchdog) -> float:
    (seconds,) = re.findall(
        r"^slo_watchdog_pass_longest_seconds (.*)$", await watchdog.page("/metrics"), re.MULTILINE
    )
    return float(seconds)


async def test_it_is_heard_while_it_watches_and_silent_while_it_does_not(
    beating: Watchdog, switch: RawServer, sentry: RawServer, tmp_path: Path
) -> None:
    await beating.start()
    await heard(switch, 2)
    await heard(sentry, 1)
    assert {request.splitlines()[0] for request in switch.requests} == {
        f"GET /ping/{TOKEN} HTTP/1.1"
    }
    envelope = body_of(sentry.requests[0])
    check_in = json.loads(next(line for line in envelope.splitlines() if "monitor_slug" in line))
    assert (check_in["monitor_slug"], check_in["status"]) == ("the-watchdog", "ok")
    assert check_in["monitor_config"]["schedule"] == {
        "type": "interval",
        "value": 1,
        "unit": "minute",
    }

    beating.signal(signal.SIGSTOP)
    await asyncio.sleep(0.5)  # what was on its way
    before = len(switch.requests)
    await asyncio.sleep(2.5)
    assert len(switch.requests) == before
    beating.signal(signal.SIGCONT)
    await heard(switch, 1)

    logged = (tmp_path / "daemon-1.log").read_text()
    assert '"heartbeat.heard"' in logged
    assert TOKEN not in logged


@pytest.mark.sim
async def test_a_switch_that_hangs_delays_neither_a_pass_nor_a_rollback(
    beating: Watchdog, sandbox: Sandbox, switch: RawServer, sentry: RawServer, tmp_path: Path
) -> None:
    switch.behaviour = sentry.behaviour = hangs
    await beating.on_guard()
    await heard(switch, 1)
    break_peg(sandbox)
    await beating.episode(PEG, state="contained")
    assert await longest_pass(beating) < 1.0
    await heard(switch, 1)  # the deadline of the one before is over

    logged = (tmp_path / "daemon-1.log").read_text()
    assert logged.count('"heartbeat.unheard"') == 1, "once for as long as it lasts"
    assert "127.0.0.1: timed_out" in logged
    assert TOKEN not in logged

    switch.behaviour = answering("OK", "text/plain")
    await heard(switch, 2)
