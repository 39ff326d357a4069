"""Simulated worlds: every property holds in each, one seed gives one trace, and no check is blind.

`make sim SEEDS=1000` runs many more. To see one: python -m tests.simulation --seed 7 --trace
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from tests.simulation.__main__ import tale
from tests.simulation.life import live
from tests.simulation.machine import Held
from tests.simulation.removals import REMOVALS, Removal
from tests.simulation.virtual import VirtualLoop
from tests.simulation.world import Killed, World

SEEDS = range(1, 25)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_property_holds(seed: int) -> None:
    told = live(seed)
    assert not told.violations, f"\n{tale(told)}"
    assert told.counts["starts"]


def test_one_seed_gives_one_trace() -> None:
    assert live(3).trace == live(3).trace
    assert live(3).trace != live(4).trace


def test_a_trace_is_the_same_in_another_process() -> None:
    """So that a seed is all that needs to be told of a fault."""
    traces = set()
    for hashing in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "5"],
            env={**os.environ, "PYTHONHASHSEED": hashing},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        traces.add(ran.stdout.split()[3])
    assert len(traces) == 1
    assert traces == {f"{live(5).trace},"}


def test_a_kill_is_not_held_up_by_what_a_task_would_still_tidy() -> None:
    """SIGKILL asks nobody: a `finally` that awaits had let a dead process write on."""
    world = World(1)
    life = Held(world)
    loop = VirtualLoop(world, lambda: world.now)
    life.dies = lambda: setattr(loop, "killed", True)
    after = []

    async def killed() -> None:
        try:
            life.kill()
        finally:
            await asyncio.sleep(1.0)
            after.append("its finally")

    async def beside() -> None:
        await asyncio.sleep(0.5)
        after.append("another task")

    async def process() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(killed())
            tasks.create_task(beside())

    with pytest.raises(Killed):
        loop.run_until_complete(process())
    loop.bury()
    assert after == []
    with pytest.raises(Killed):
        life.point()


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda one: one.take_out.__name__)
def test_what_is_taken_out_is_missed(removal: Removal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that stays green without what it checks has not looked."""
    removal.take_out(monkeypatch)
    seen: set[str] = set()
    for seed in removal.seeds:
        seen |= _laws_broken(seed)
        if seen & set(removal.laws):
            return
    pytest.fail(f"nobody missed it; seen: {sorted(seen)}")


def _laws_broken(seed: int) -> set[str]:
    return {one.partition(":")[0] for one in live(seed).violations}
