"""A bad version rolled back by the real daemon, which may die on the way: deployed once at most."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG
from tests.releases.armed import arm
from tests.releases.site import Shop
from watchdog.core.entries import IntentEnded, StepTaken


@pytest.fixture(scope="module")
def one_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop.running(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def shop(one_shop: Shop) -> Shop:
    one_shop.reset()
    return one_shop


async def seen(shop: Shop, call: str, times: int = 1) -> None:
    async with asyncio.timeout(15):
        while len(shop.calls(call)) < times:  # noqa: ASYNC110  # another process calls it
            await asyncio.sleep(0.01)


async def dies_at(daemon: Watchdog, shop: Shop, fault: str) -> None:
    """Killed where the deployer hangs, which is let go on before the next process begins."""
    await daemon.on_guard()
    call = "can-deploy" if fault == "proof hangs" else "deploy"
    before = len(shop.calls(call))
    shop.fault(fault)
    shop.fault("v5 is ill")
    await daemon.until("it acts", lambda: _acting(daemon))
    await seen(shop, call, before + 1)
    await daemon.kill()
    shop.mend(fault)


async def _acting(daemon: Watchdog) -> bool:
    return any(ep.state == "acting" for ep in await daemon.episodes())


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("call", "hangs before"),
        pytest.param("tool", "proof hangs", marks=pytest.mark.sim),
        pytest.param("tool", "hangs before", marks=pytest.mark.sim),
        pytest.param("tool", "hangs after", marks=pytest.mark.sim),
        pytest.param("call", "proof hangs", marks=pytest.mark.sim),
        pytest.param("call", "hangs after", marks=pytest.mark.sim),
    ],
)
async def test_killed_on_the_way_it_deploys_once_and_knows_what_it_displaced(
    watchdog: Watchdog, shop: Shop, kind: str, fault: str
) -> None:
    arm(watchdog, shop, kind)
    await dies_at(watchdog, shop, fault)

    await watchdog.start()
    await watchdog.episode(PEG, state="contained")

    assert shop.changes == ["v5 -> v4"]
    assert len(shop.calls("deploy")) == 1
    assert [step.step for step in watchdog.entries(StepTaken)][-1] == "settle"
    ends = [ended.outcome.value for ended in watchdog.entries(IntentEnded)]
    assert ends == (["abandoned", "done"] if fault == "proof hangs" else ["done"])
