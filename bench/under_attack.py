"""From a fault to the flag off as served, under attack and in peace, by turns.

One daemon watches some sandboxes, each four times a second. In every other round ten thousand
connections of `attack.py` are upon its web port. What is compared is the same daemon with itself:
what is left after the rule is true on the exporter's own counters (`lanes.true_at`), in the median
of all lanes and rounds. Faults fall evenly over the interval between two polls, so waiting for the
next poll is the same on both sides.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from bench.attack import attacked
from bench.daemon import OWNER, Daemon, Place
from bench.lanes import WINDOW_SECONDS, Lane, Run, phases
from bench.report import Measure, p50, progress, spread
from bench.time_to_pause import platform_of, rule_of
from watchdog.sandbox.handle import Sandbox

CONNECTIONS = 10_000
LANES = 4
ROUNDS = 12  # half of them under attack
TARGET = 1.1
_INTERVAL, _INTERVAL_SECONDS = "250ms", 0.25
_CALM_SECONDS = WINDOW_SECONDS + 2.0
_DEADLINE_SECONDS = 40.0
_ASSEMBLES_SECONDS = 4.0
_ASK_SECONDS = 0.3


async def measure(folder: Path) -> Measure:
    """Seconds that are left under attack, beside those in peace."""
    async with AsyncExitStack() as stack:
        lanes = []
        for number in range(LANES):
            name = f"lane-{number + 1}"
            sandbox = Sandbox.start(folder / name, error_series_from_start=True)
            lanes.append(Lane(name, await stack.enter_async_context(sandbox)))
        place = Place(folder / "watchdog")
        place.lay_out(
            _platform(lanes),
            {lane.name: rule_of(lane) for lane in lanes},
            {lane.name: lane.sandbox.token for lane in lanes},
        )
        place.init()
        daemon = await stack.enter_async_context(place.run())
        for lane in lanes:
            await lane.season()
        return await _Course(daemon, lanes).run()


def _platform(lanes: Sequence[Lane]) -> dict[str, Any]:
    """All lanes' in one."""
    whole: dict[str, Any] = {}
    for lane in lanes:
        for key, part in platform_of(lane, _INTERVAL, by_tool=False).items():
            whole[key] = whole.get(key, {}) | part
    whole["grants"] = {OWNER: [f"{prefix}{one.name}" for one in lanes for prefix in ("", "pause-")]}
    whole["limits"] |= {"blast_radius": LANES + 1}
    return whole


class _Course:
    def __init__(self, daemon: Daemon, lanes: Sequence[Lane]) -> None:
        self.daemon = daemon
        self.lanes = lanes
        self.attacked: list[Run] = []
        self.in_peace: list[Run] = []
        self.became: Counter[str] = Counter()
        self.scrapes: list[float] = []
        self.missed = 0
        self.controls: list[float] = []
        self.loads: list[float] = []

    async def run(self) -> Measure:
        port = int(self.daemon.page.rpartition(":")[2])
        for turn in range(ROUNDS):
            await self._calm()
            if turn % 2:
                async with attacked(port, CONNECTIONS, self._hear):
                    await asyncio.sleep(_ASSEMBLES_SECONDS)
                    asking = asyncio.create_task(self._ask())
                    self.attacked += await self._round(turn)
                    asking.cancel()
                    await asyncio.gather(asking, return_exceptions=True)
            else:
                await asyncio.sleep(_ASSEMBLES_SECONDS)
                self.in_peace += await self._round(turn)
            await self._mend()
        return self._told()

    def _hear(self, became: dict[str, int]) -> None:
        most = max(became.pop("most at once", 0), self.became.pop("most at once", 0))
        self.became.update({**became, "most at once": most})

    async def _round(self, turn: int) -> list[Run]:
        """Every lane breaks once, one after the other."""
        offsets = phases(LANES, _INTERVAL_SECONDS)
        began = time.monotonic() + 0.2
        async with asyncio.TaskGroup() as group:
            for number, (lane, offset) in enumerate(zip(self.lanes, offsets, strict=True)):
                group.create_task(lane.fault(began + number + offset))
        await asyncio.gather(*(lane.paused(_DEADLINE_SECONDS) for lane in self.lanes))
        self.loads.append(os.getloadavg()[0])
        found = [lane.runs[-1] for lane in self.lanes]
        told = " ".join(f"{run.remaining:.3f}" for run in found)
        kind = "under attack" if turn % 2 else "in peace"
        progress(f"under_attack: round {turn + 1} of {ROUNDS}, {kind}: {told}")
        return found

    async def _ask(self) -> None:
        """What others get meanwhile: a scrape with a connection of its own, and an order's way."""
        while True:
            began = time.monotonic()
            await self.daemon.status()
            self.controls.append(time.monotonic() - began)
            began = time.monotonic()
            try:
                async with httpx.AsyncClient(trust_env=False, timeout=10.0) as web:
                    (await web.get(f"{self.daemon.page}/metrics")).raise_for_status()
                self.scrapes.append(time.monotonic() - began)
            except httpx.HTTPError:
                self.missed += 1
            await asyncio.sleep(_ASK_SECONDS)

    async def _mend(self) -> None:
        await asyncio.gather(*(lane.sandbox.mend_redemption() for lane in self.lanes))
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while not all(lane.sandbox.is_enabled() for lane in self.lanes):
                for rule in (await self.daemon.status())["rules"]:
                    if rule["state"] == "contained":
                        await self.daemon.undo(f"pause-{rule['name']}")
                await asyncio.sleep(0.3)

    async def _calm(self) -> None:
        """A whole window without a failure, all armed again."""
        await asyncio.sleep(_CALM_SECONDS)
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while True:
                status = await self.daemon.status()
                rules = status["rules"]
                if all(one["ready"] == "true" for one in status["actions"]) and all(
                    one["state"] == "ok" and one["cleared"] for one in rules
                ):
                    return
                await asyncio.sleep(0.25)

    def _told(self) -> Measure:
        ours = [run.remaining for run in self.attacked]
        peer = [run.remaining for run in self.in_peace]
        whole = p50([run.fault_to_off for run in self.attacked])
        more = {
            "target": TARGET,
            "ours_remaining": spread(ours),
            "peer_remaining": spread(peer),
            "fault_to_off_ratio": whole / p50([run.fault_to_off for run in self.in_peace]),
            "connections": CONNECTIONS,
            "what_became_of_them": dict(self.became),
            "scrape_under_attack": spread(self.scrapes) if self.scrapes else None,
            "scrapes": len(self.scrapes),
            "scrapes_missed": self.missed,
            "control_under_attack": spread(self.controls),
            "load_1m_p50": p50(self.loads),
        }
        if any(math.isinf(one) for one in (*ours, *peer)):
            raise RuntimeError("a pause never came")
        unit = "seconds after it was true"
        return Measure("under_attack", p50(ours), p50(peer), unit, len(ours), more)
