"""Two daemons, harmed at random in the middle of a ladder: whoever is left climbs it, once.

Each round: the peg breaks; the flag is paused, which does not contain it; the release before is put
in place, which does. Meanwhile one of the daemons is killed, frozen or cut off from the store. The
targets count: the flag service its changes, and a watcher how often another tree stood there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg
import pytest

from tests.e2e.household import Refused, Watchdog
from tests.e2e.laws import check_laws
from tests.e2e.pair import Pair
from tests.e2e.rulebook import PAUSE, PEG, RESTORE, Rulebook
from tests.e2e.scenes import break_peg, mend_peg
from tests.real_parts.fault_proxy import Weather
from tests.real_parts.node import install, path_with
from tests.real_parts.postgres import RealPostgres
from watchdog.core.entries import Started
from watchdog.sandbox.handle import Sandbox

LEASE_SECONDS = 1.5
HARM_WITHIN_SECONDS = 3.0
FROZEN_SECONDS = 3.0
OVER_WITHIN_SECONDS = 60.0
ASK_SECONDS = 1.0
"""A frozen daemon answers nobody."""

ROUNDS = int(os.environ.get("ROUNDS", "200"))

pytestmark = [pytest.mark.sim, pytest.mark.timeout(120 + 30 * ROUNDS)]


class Seen:
    """Counts, beside everything, what stood in a folder and how long nobody led."""

    def __init__(self, build: Path, url: str) -> None:
        self.builds: list[str] = []
        self.silences: list[float] = []
        self._build = build
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=one) for one in (self._look, self._leaders)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _look(self) -> None:
        """A swap takes longer than a look: the tool that publishes runs in between."""
        while not self._stop.wait(0.003):
            with contextlib.suppress(OSError):
                found = self._build.read_text("utf-8").strip()
                if not self.builds or self.builds[-1] != found:
                    self.builds.append(found)

    def _leaders(self) -> None:
        """From the last that the store heard of one leader until another leads."""
        known = 0
        with psycopg.connect(self._url, autocommit=True) as session:
            while not self._stop.wait(0.02):
                row = session.execute(
                    "SELECT epoch, extract(epoch FROM clock_timestamp() - asked_at)::float8"
                    " FROM slo_watchdog.lease"
                ).fetchone()
                if row and known and row[0] != known:
                    self.silences.append(row[1])
                known = row[0] if row else known


@pytest.fixture(scope="module")
def server() -> Iterator[RealPostgres]:
    with RealPostgres() as running:
        yield running


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("npm"))


@pytest.fixture
async def mycelia(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox.start(tmp_path / "mycelia") as sandbox:
        yield sandbox


@pytest.fixture
async def pair(
    tmp_path: Path, server: RealPostgres, mycelia: Sandbox, programs: Path
) -> AsyncIterator[Pair]:
    rules = Rulebook(tmp_path / "rules", mycelia)
    rules.platform["sources"]["app"]["scrape"] = mycelia.metrics_url
    rules.platform["limits"]["budget"] = {"actions": 1000, "per": "1h"}
    rules.add_configuration(programs / "pnpm", mode="armed", within="5s")
    rules.platform["playbooks"]["redemption"][0]["within"] = "1s"
    status = f"{mycelia.url}/ops/status.json"
    rules.pause["contained_when"] = [{"get": status, "expect": "peg.status == 'never'"}]
    rules.pause["deadline"] = "20s"
    rules.rules[PEG] |= {"watch": "500ms", "cooldown": "100ms"}
    server.database("rounds")
    made = Pair(tmp_path, server, "rounds", rules)
    for one in made.each.values():
        one.settings["lease"] = LEASE_SECONDS
        one.finds_first(path_with(programs))
    yield made
    await made.end()
    check_laws(made.each["ada"], mycelia)


async def test_harmed_at_random_the_targets_change_once_for_each_rung(
    pair: Pair, mycelia: Sandbox, server: RealPostgres
) -> None:
    rounds, seed = ROUNDS, int(os.environ.get("SEED", "1"))
    chance = random.Random(seed)  # noqa: S311  # a story, not a secret
    await pair.on_guard()
    live = mycelia.places.release / "mainnet/BUILD_SHA"
    told: dict[str, int] = {}
    latched = 0
    with Seen(live, server.url("rounds")) as seen:
        for number in range(rounds):
            await ready(pair)
            flags, builds = mycelia.flag_changes(), len(seen.builds)
            break_peg(mycelia)
            await asyncio.sleep(chance.uniform(0.0, HARM_WITHIN_SECONDS))
            leader = await whoever_leads(pair)
            victim = leader if chance.random() < 0.7 else other(pair, leader)
            harm = chance.choice([killed, frozen, cut_off, refused])
            told[harm.__name__] = told.get(harm.__name__, 0) + 1

            what = f"round {number}, seed {seed}: {harm.__name__} {pair.name_of(victim)}"
            mend = await harm(pair, victim)
            state = await over(pair, what)
            await mend()
            await pair.roles()

            latched += state == "latched"
            changed = mycelia.flag_changes() - flags, len(seen.builds) - builds
            wanted = {(1, 1)} if state == "contained" else {(0, 0), (0, 1), (1, 0), (1, 1)}
            assert changed in wanted, f"{what}: {state}, {changed}, {seen.builds[builds - 1 :]}"
            await put_back(pair, mycelia)
    epochs = max(one.epoch for one in pair.each["ada"].entries(Started))
    print(  # noqa: T201  # what was measured
        f"\n{rounds} rounds, seed {seed}: {told}; handed to a person: {latched}; {epochs} epochs; "
        f"the longest time without a leader: {max(seen.silences):.2f} s, with a lease of "
        f"{LEASE_SECONDS} s"
    )


# -- harm --------------------------------------------------------------------------------------

Mend = Callable[[], Awaitable[None]]


async def killed(pair: Pair, victim: Watchdog) -> Mend:
    del pair
    await victim.kill()
    return victim.start


async def frozen(pair: Pair, victim: Watchdog) -> Mend:
    del pair
    victim.signal(signal.SIGSTOP)
    began = time.monotonic()

    async def thaw() -> None:
        await asyncio.sleep(max(0.0, began + FROZEN_SECONDS - time.monotonic()))
        victim.signal(signal.SIGCONT)

    woken = asyncio.create_task(thaw())

    async def mend() -> None:
        await woken

    return mend


async def cut_off(pair: Pair, victim: Watchdog) -> Mend:
    """Packets are lost in both directions."""
    proxy = pair.cut[pair.name_of(victim)]
    proxy.set(Weather(blackhole=True))
    began = time.monotonic()

    async def mend() -> None:
        await asyncio.sleep(max(0.0, began + FROZEN_SECONDS - time.monotonic()))
        proxy.heal()

    return mend


async def refused(pair: Pair, victim: Watchdog) -> Mend:
    proxy = pair.cut[pair.name_of(victim)]
    await proxy.down()
    return proxy.up


# -- what the story asks of them -------------------------------------------------------------------


async def status(one: Watchdog) -> dict[str, Any]:
    """What a daemon says, or nothing where it cannot."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            found: dict[str, Any] = await one.read("/v1/status")
            return found
    except (TimeoutError, httpx.HTTPError):
        return {}


async def whoever_leads(pair: Pair) -> Watchdog:
    async def look() -> Watchdog | None:
        for one in pair.each.values():
            if (await status(one)).get("leader", {}).get("here"):
                return one
        return None

    return await pair.until("one leads", look)


def other(pair: Pair, one: Watchdog) -> Watchdog:
    return next(found for found in pair.each.values() if found is not one)


async def ready(pair: Pair) -> None:
    """The rule was once clear, and both actions would work."""

    async def look() -> bool:
        told = await status(await whoever_leads(pair))
        ready = all(one["ready"] == "true" for one in told["actions"]) if told else False
        return ready and all(rule["cleared"] for rule in told["rules"])

    await pair.until("all is ready", look, within=40.0)


async def over(pair: Pair, what: str) -> str:
    """The state in which the episode waits for people."""

    async def look() -> str | None:
        for one in pair.each.values():
            told = await status(one)
            if told and told["leader"]["here"]:
                states = {ep["state"] for ep in told["episodes"]} & {"contained", "latched"}
                return next(iter(states), None)
        return None

    return await pair.until(what, look, within=OVER_WITHIN_SECONDS)


async def put_back(pair: Pair, mycelia: Sandbox) -> None:
    """People undo what was done, from the top of the ladder, and close what was left to them."""
    mend_peg(mycelia)

    async def look() -> bool:
        leader = await whoever_leads(pair)
        if await quiet(leader, mycelia):
            return True
        for what in (RESTORE, PAUSE):
            with contextlib.suppress(Refused):
                await leader.order("undo", what=what, reason="it is mended", force=True)
        for ep in await leader.episodes():
            if ep.state == "latched":
                with contextlib.suppress(Refused):
                    await leader.order("close", episode=ep.id, reason="looked at")
        return await quiet(leader, mycelia)

    await pair.until("all is as before", look, within=60.0)


async def quiet(leader: Watchdog, mycelia: Sandbox) -> bool:
    return mycelia.is_enabled() and all(ep.state == "ok" for ep in await leader.episodes())
