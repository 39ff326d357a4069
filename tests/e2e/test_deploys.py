"""A pipeline beside a whole daemon: nothing acts under its deploy, and a death forgets nothing."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG
from tests.e2e.scenes import break_peg
from tests.e2e.senders import Sender, secret, signed
from watchdog.core.entries import DeployBegan, FreezeLifted, IntentOpened
from watchdog.core.replay import replayed
from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox

KEY = "a-key-that-only-the-pipeline-knows"
TARGET = f"flag:{REDEMPTION}"


class Pipeline:
    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        watchdog.rules.platform["events"] = {"ci": {"deploys": "ci-pipeline"}}
        secret(watchdog, "ci-pipeline", KEY)

    async def tell(self, **said: Any) -> httpx.Response:
        body = json.dumps(said).encode()
        return await Sender(self._watchdog).post(
            "/api/v1/deploys", body, signed(body, KEY, None, "ci")
        )

    async def begins(self, run: str) -> httpx.Response:
        return await self.tell(id=run, do="begin", target=TARGET, **{"for": "20m"})

    async def ends(self, run: str) -> httpx.Response:
        return await self.tell(id=run, do="end", outcome="failed")


async def test_a_bad_deploy_is_rolled_back_when_it_ends_and_is_not_deployed_again(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    pipeline = Pipeline(watchdog)
    await watchdog.on_guard()
    assert (await pipeline.begins("ci-1")).status_code == 200
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    assert held.barred == ""
    assert f"deploy of {TARGET} under way" in (await watchdog.why(PEG))["not_acting"]

    await watchdog.kill()
    await watchdog.start()
    assert (await pipeline.begins("ci-1")).json()["known"] is True
    await watchdog.polls()
    assert watchdog.entries(IntentOpened) == []
    assert sandbox.flag_changes() == 0

    assert (await pipeline.ends("ci-1")).status_code == 200
    episode = await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1

    refused = await pipeline.begins("ci-2")
    assert refused.status_code == 409
    assert f"{TARGET} is frozen: {episode.id} rolled it back" in refused.json()["refused"]
    assert len(watchdog.entries(DeployBegan)) == 1
    assert watchdog.entries(FreezeLifted) == []
    assert [replayed(decided) for decided in watchdog.decisions(PEG) if replayed(decided)] == []
