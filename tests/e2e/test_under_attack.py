"""A breach while ten thousand connections are upon the web port: the pause comes all the same."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from bench.attack import attacked
from tests.e2e.household import NO_TLS, Watchdog
from tests.e2e.rulebook import ERRORS, error_rate
from tests.e2e.senders import Sender, let_events_in
from watchdog.core.channels import EventReceived
from watchdog.core.entries import Ruling
from watchdog.sandbox.handle import Sandbox

CONNECTIONS = 10_000
MOST_FILES = 700


@pytest.mark.sim
@pytest.mark.timeout(180)
async def test_a_crowd_delays_no_pause_and_loses_nothing(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    """Nor does it make a rule blind, keep a signed event out, or an order of a person's."""
    let_events_in(watchdog)
    watchdog.rules.rules[ERRORS] = error_rate()
    watchdog.rules.pause_by_call()
    await watchdog.on_guard()
    became: Counter[str] = Counter()
    async with attacked(int(watchdog.web.rpartition(":")[2]), CONNECTIONS, became.update):
        await asyncio.sleep(4.0)
        told = await insisted(watchdog)
        held = await watchdog.order("hold", scope="rule", name="peg-collateralised", reason="x")
        began = time.monotonic()
        await sandbox.break_redemption()
        episode = await watchdog.episode(ERRORS, state="contained")
        took = time.monotonic() - began
        files = open_files(watchdog.pid)
        status = await watchdog.read("/v1/status")
    assert became["most at once"] > CONNECTIONS * 0.8
    assert (episode.outcome, sandbox.flag_changes()) == ("done", 1)
    assert took < 15.0
    assert files < MOST_FILES
    assert told == {"recorded": "inc-7"}
    assert [one["id"] for one in status["holds"]] == [held["data"]["hold"]]
    assert [one.id for one in watchdog.entries(EventReceived)] == ["inc-7"]
    allowed = [one for one in watchdog.decisions(ERRORS) if one.ruling is Ruling.ALLOWED]
    assert len(allowed) == 1
    async with httpx.AsyncClient(trust_env=False, timeout=20, verify=NO_TLS) as web:
        assert (await web.get(f"{watchdog.web}/-/healthy")).text == "ok"


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def insisted(watchdog: Watchdog) -> object:
    """A signed event of somebody who tries again until it is taken, as senders do."""
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await Sender(watchdog).tell("inc-7", labels={"severity": "minor"})
            except httpx.HTTPError:
                continue
            if answer.status_code in {200, 409}:
                return answer.json() if answer.status_code == 200 else {"recorded": "inc-7"}
            await asyncio.sleep(0.5)
