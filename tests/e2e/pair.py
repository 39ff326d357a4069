"""Two real daemons on one real store, each reaching it over a network that may be cut.

await pair.on_guard()
leader, follower = await pair.roles()
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import Rulebook
from tests.real_parts.fault_proxy import FaultProxy
from tests.real_parts.postgres import RealPostgres
from watchdog.store import Where, create

LEASE_SECONDS = 2.0
_TICK_SECONDS = 0.05

_Found = TypeVar("_Found")


class Pair:
    """`each` by its name; `cut[name]` is the network between that one and the store."""

    def __init__(self, folder: Path, server: RealPostgres, database: str, rules: Rulebook) -> None:
        self._rules, self._server = rules, server
        self._url = server.url(database)
        self.cut: dict[str, FaultProxy] = {}
        self.each: dict[str, Watchdog] = {}
        for name in ("ada", "bob"):
            home = folder / name
            home.mkdir()
            one = self.each[name] = Watchdog(home, rules)
            one.state.mkdir(mode=0o700)
            one.where = Where(one.state, self._url, "story")
            one.settings.update(name=name, host=f"{name}-host", lease=LEASE_SECONDS)
            self.cut[name] = FaultProxy.start(f"http://127.0.0.1:{server.port}")
        create(Where(folder / "init", self._url, "init"))
        self._database = database

    async def begin(self) -> None:
        """Let them reach the store, with the rules as they are by now."""
        self._rules.save()
        for name, one in self.each.items():
            await self.cut[name].up()
            port = self.cut[name].port
            one.settings["store"] = f"postgresql://postgres@127.0.0.1:{port}/{self._database}"

    async def end(self) -> None:
        for name, one in self.each.items():
            await self.cut[name].up()
            if one.is_running:
                await one.stop()
            await one.aclose()
            await self.cut[name].down()

    async def on_guard(self) -> None:
        """Both run; the rules were once clear and every action is ready."""
        await self.begin()
        await self.each["ada"].start()
        await self.each["bob"].start()
        leader, follower = await self.roles()
        await leader.clear()
        await leader.until("every action is ready", leader._all_ready)  # our own
        await self.until("the follower has read on", lambda: _the_same(leader, follower))

    async def roles(self) -> tuple[Watchdog, Watchdog]:
        """Who leads and who follows, once both say so of the same one."""

        async def look() -> tuple[Watchdog, Watchdog] | None:
            said = {name: await self.leader_of(one) for name, one in self.each.items()}
            here = [name for name, leader in said.items() if leader["here"]]
            if len(here) != 1 or {leader["name"] for leader in said.values()} != set(here):
                return None
            (other,) = self.each.keys() - set(here)
            return self.each[here[0]], self.each[other]

        return await self.until("one leads and the other knows", look)

    async def handed_on(self) -> bool:
        """Whether something that was asked of another waits on the store to be taken."""
        waiting = "SELECT count(*) FROM slo_watchdog.errands WHERE taken_by IS NULL"
        ((number,),) = self._server.run(waiting, database=self._database)
        return bool(number)

    def end_the_lease(self) -> None:
        """As if it had run out at this moment."""
        over = "UPDATE slo_watchdog.lease SET expires_at = 'epoch'"
        self._server.run(over, database=self._database)

    async def leads(self, daemon: Watchdog) -> dict[str, Any]:
        """Wait until this one leads."""

        async def look() -> dict[str, Any] | None:
            leader = await self.leader_of(daemon)
            return leader if leader["here"] else None

        return await self.until("it leads", look)

    async def leader_of(self, daemon: Watchdog) -> dict[str, Any]:
        """Who leads, as a daemon says."""
        told: dict[str, Any] = (await daemon.read("/v1/status"))["leader"]
        return told

    def name_of(self, daemon: Watchdog) -> str:
        return str(daemon.settings["name"])

    async def until(
        self, what: str, look: Callable[[], Awaitable[_Found | None]], *, within: float = 20.0
    ) -> _Found:
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            found = await look()
            if found:
                return found
            await asyncio.sleep(_TICK_SECONDS)
        logs = "\n".join(one._log()[-3000:] for one in self.each.values())  # our own
        raise AssertionError(f"in vain: {what}\n{logs}")


async def _the_same(leader: Watchdog, follower: Watchdog) -> bool:
    one, other = await leader.read("/v1/status"), await follower.read("/v1/status")
    cleared = [[rule["cleared"] for rule in told["rules"]] for told in (one, other)]
    return cleared[0] == cleared[1] and one["policy"] == other["policy"]
