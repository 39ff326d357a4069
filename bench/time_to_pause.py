"""From a fault to the flag off as served: the watchdog beside Prometheus with Alertmanager.

Both watch sandboxes of the same kind with the same rule at the same interval, in the same minutes
on the same machine, and both pause by the same PUT on the flag API. From both the same instant is
subtracted: when the rule became true on the exporter's own counters (`lanes.true_at`).

One Prometheus spreads its jobs over the interval. Our daemon polls all its sources at once, which
is no matter for one service; so each lane has a daemon of its own, begun at a random phase.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.daemon import OWNER, Daemon, Place
from bench.lanes import WINDOW_SECONDS, Lane, phases
from bench.peer import Prometheus, calm, peer
from bench.receiver import NAME as RECEIVER
from bench.report import Measure, p50, progress, spread
from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox

LANES = 6
_FLAGS = (REDEMPTION, "staking_slashing", "rewards_mainnet", "spv_proofs")
_CALM_SECONDS = WINDOW_SECONDS + 2.0
_CALM_DEADLINE_SECONDS = 40.0
_PAUSE_DEADLINE_SECONDS = 30.0
_APART_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """One measure's numbers."""

    name: str
    interval: str
    interval_seconds: float
    rounds: int
    target: float
    flags: tuple[str, ...]  # of the peer's lanes: as many pairs of job and rule group each


async def every_second(folder: Path) -> Measure:
    """Scrapes and evaluations once a second."""
    return await _measure(folder, Plan("time_to_pause_1s", "1s", 1.0, 6, 0.6, _FLAGS))


async def every_quarter(folder: Path) -> Measure:
    """Four a second."""
    plan = Plan("time_to_pause_250ms", "250ms", 0.25, 6, 0.8, _FLAGS[:2])
    return await _measure(folder, plan)


@dataclass(frozen=True, slots=True)
class _Course:
    """Everything that runs during one measure."""

    plan: Plan
    ours: Sequence[Lane]
    tool: Lane
    theirs: Sequence[Lane]
    daemons: Mapping[str, Daemon]
    prometheus: Prometheus

    async def run(self) -> list[float]:
        """All rounds; the load at the end of each."""
        lanes = [lane for two in zip(self.ours, self.theirs, strict=True) for lane in two]
        # Each lane's faults are spread over the interval, since each is polled at its own phase.
        offsets = [phases(self.plan.rounds, self.plan.interval_seconds) for _ in lanes]
        loads = []
        for turn in range(self.plan.rounds):
            if turn:
                await self._mend()
            await self._calm()
            await self._break(lanes, [of_lane[turn] for of_lane in offsets])
            await self._break([self.tool], phases(1, self.plan.interval_seconds))
            loads.append(os.getloadavg()[0])
            self._tell(turn)
        return loads

    async def _break(self, lanes: Sequence[Lane], offsets: Sequence[float]) -> None:
        # Whole intervals of the clock that the phases are counted from; a lane at a time, so that
        # the lanes of one side do not compete for the cores in the moment that is measured.
        interval = self.plan.interval_seconds
        base = (time.monotonic() // interval + 1) * interval + 0.2
        apart = math.ceil(_APART_SECONDS / interval) * interval
        async with asyncio.TaskGroup() as group:
            for place, (lane, offset) in enumerate(zip(lanes, offsets, strict=True)):
                group.create_task(lane.fault(base + place * apart + offset))
        await asyncio.gather(*(lane.paused(_PAUSE_DEADLINE_SECONDS) for lane in lanes))

    async def _mend(self) -> None:
        """Flags on again, counters growing, new names for the peer."""
        await asyncio.gather(*(lane.sandbox.mend_redemption() for lane in self._all()))
        for lane in self.theirs:
            for flag in lane.flags:
                await lane.sandbox.change_flag_behind_its_back(flag, enabled=True)
        async with asyncio.timeout(_CALM_DEADLINE_SECONDS):
            for lane in (*self.ours, self.tool):
                while not await self._undone(lane):  # noqa: ASYNC110  # another process's
                    await asyncio.sleep(0.2)
        await self.prometheus.reconfigure(self.theirs)

    async def _undone(self, lane: Lane) -> bool:
        """Undo once the episode is contained."""
        daemon = self.daemons[lane.name]
        (rule,) = (await daemon.status())["rules"]
        if rule["state"] == "contained":
            await daemon.undo(f"pause-{lane.name}")
        return lane.sandbox.is_enabled()

    async def _calm(self) -> None:
        """Both sides have seen a whole window without a failure, and ours is armed again."""
        await asyncio.sleep(_CALM_SECONDS)
        async with asyncio.timeout(_CALM_DEADLINE_SECONDS):
            for daemon in self.daemons.values():
                while not await _armed(daemon):  # noqa: ASYNC110  # another process's
                    await asyncio.sleep(0.25)
        await calm(self.prometheus, self.theirs, _CALM_DEADLINE_SECONDS)

    def _all(self) -> list[Lane]:
        return [*self.ours, self.tool, *self.theirs]

    def _tell(self, turn: int) -> None:
        sides = {"ours": self.ours, "peer": self.theirs, "by tool": [self.tool]}
        last = {
            side: " ".join(
                f"{run.remaining:.2f}" for lane in lanes for run in lane.runs[-len(lane.flags) :]
            )
            for side, lanes in sides.items()
        }
        told = "; ".join(f"{side} {numbers}" for side, numbers in last.items())
        progress(f"{self.plan.name}: round {turn + 1} of {self.plan.rounds}: {told}")


async def _armed(daemon: Daemon) -> bool:
    """Its rule is healthy, was once clear, and its action is ready."""
    status = await daemon.status()
    return all(action["ready"] == "true" for action in status["actions"]) and all(
        rule["state"] == "ok" and rule["cleared"] and rule["verdict"]["status"] == "healthy"
        for rule in status["rules"]
    )


async def _measure(folder: Path, plan: Plan) -> Measure:
    async with AsyncExitStack() as stack:

        async def lanes(
            prefix: str, number: int, flags: tuple[str, ...] = (REDEMPTION,)
        ) -> list[Lane]:
            made = []
            for index in range(number):
                name = f"{prefix}-{index + 1}"
                sandbox = Sandbox.start(folder / name, error_series_from_start=True)
                made.append(Lane(name, await stack.enter_async_context(sandbox), flags))
            return made

        ours, theirs = await lanes("ours", LANES), await lanes("peer", LANES, plan.flags)
        (tool,) = await lanes("tool", 1)
        for lane in (*ours, *theirs, tool):
            await lane.season()
        prometheus = await stack.enter_async_context(peer(folder, theirs, plan.interval))
        daemons = {}
        for lane in (*ours, tool):
            place = Place(folder / f"watchdog-{lane.name}")
            place.lay_out(
                platform_of(lane, plan.interval, by_tool=lane is tool),
                {lane.name: rule_of(lane)},
                {lane.name: lane.sandbox.token},
            )
            place.init()
            await asyncio.sleep(random.uniform(0, plan.interval_seconds))  # noqa: S311  # a phase
            daemons[lane.name] = await stack.enter_async_context(place.run())
        course = _Course(plan, ours, tool, theirs, daemons, prometheus)
        loads = await course.run()
        return _told(course, loads)


def _told(course: _Course, loads: Sequence[float]) -> Measure:
    plan = course.plan
    ours = [run for lane in course.ours for run in lane.runs]
    theirs = [run for lane in course.theirs for run in lane.runs]
    strangers = {run.by for run in theirs if run.by != RECEIVER}
    strangers |= {run.by for run in ours if not run.by.startswith("slo-watchdog")}
    if strangers:
        raise RuntimeError(f"flags were switched off by {', '.join(sorted(strangers))}")
    remaining = [run.remaining for run in ours], [run.remaining for run in theirs]
    more: dict[str, Any] = {
        "target": plan.target,
        "ours_remaining": spread(remaining[0]),
        "peer_remaining": spread(remaining[1]),
        "ours_fault_to_off": spread([run.fault_to_off for run in ours]),
        "peer_fault_to_off": spread([run.fault_to_off for run in theirs]),
        "ours_by_command_line_tool_remaining": spread([r.remaining for r in course.tool.runs]),
        "subtracted": spread([run.true_at - run.began for run in (*ours, *theirs)]),
        "peer_runs": len(theirs),
        "peer_job_and_group_names": len(course.prometheus.phases),
        "runs_by_tool": len(course.tool.runs),
        "load_1m_p50": p50(loads),
    }
    return Measure(
        plan.name,
        p50(remaining[0]),
        p50(remaining[1]),
        "seconds after it was true",
        len(ours),
        more,
    )


# -- our rules -------------------------------------------------------------------------------------


def platform_of(lane: Lane, interval: str, *, by_tool: bool) -> dict[str, Any]:
    action = f"pause-{lane.name}"
    return {
        "sources": {lane.name: {"scrape": lane.sandbox.metrics_url, "every": interval}},
        "actions": {action: _action(lane, by_tool=by_tool)},
        "playbooks": {lane.name: [{"action": action, "mode": "armed", "within": "30s"}]},
        "grants": {OWNER: [lane.name, action]},
        # Runs are as many as they are; no brake that real life needs may stop them.
        "limits": {"budget": {"actions": 1000, "per": "1m"}},
    }


def _action(lane: Lane, *, by_tool: bool) -> dict[str, Any]:
    flag = f"{lane.sandbox.url}/api/feature-flags/{REDEMPTION}"

    def step(enabled: str, word: str) -> dict[str, Any]:
        expect = f"enabled == `{enabled}`"
        if by_tool:
            run = [str(lane.sandbox.bin / "mycelia-launchctl"), word, "redemption"]
            return {"run": run, "cwd": str(lane.sandbox.root), "env": ["PATH"], "expect": expect}
        call = {
            "method": "PUT",
            "url": flag,
            "headers": {"Authorization": {"secret": lane.name, "prefix": "Bearer "}},
            "json": {"enabled": enabled == "true"},
        }
        return {"call": call, "expect": expect}

    status = f"{lane.sandbox.url}/ops/status.json"
    return {
        "flag": f"{lane.name}.{REDEMPTION}",
        "read_back": {"get": flag},
        "do": step("false", "pause"),
        "undo": step("true", "resume"),
        "contained_when": [{"get": status, "expect": f"featureFlags.{REDEMPTION} == `false`"}],
        "deadline": "10s",
    }


def rule_of(lane: Lane) -> dict[str, Any]:
    return {
        "severity": "P0",
        "source": lane.name,
        "threshold": {
            "bad": 'redemption_requests_total{code=~"5.."}',
            "total": "redemption_requests_total",
            "over": f"{WINDOW_SECONDS:g}s",
            "breach_when": "> 5%",
        },
        "playbook": lane.name,
        "mode": "armed",
        "armed_because": "it is measured how fast it acts",
        "override": "measured without `for`, as the peer is",
        "cooldown": "1s",
        "watch": "1s",
        "runbook": "docs/benchmarks.md",
    }
