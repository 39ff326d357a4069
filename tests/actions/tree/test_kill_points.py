"""Killed at a system call of its work, the process leaves one whole release; a repeat ends it.

Whenever it dies, the live path is one whole generation (where the file system cannot exchange
folders there is one instant in which it is none, and the record of that stands), the live file
is the live one, and the tree before is untouched. After a repeat one effect is left, and no tree
is lost, doubled or half.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.actions.tree.deaths import CALLS, RENAMES, SYNCS, Phase, Scene, Way

LANES = 2


async def every(scene: Scene, calls: tuple[str, ...]) -> Counter[str]:
    """Of each kind of call the first, the second, and on: how many deaths there were of each."""
    seen = await scene.count()
    points = [(call, number) for call in calls for number in range(1, seen[call] + 1)]
    deaths: Counter[str] = Counter()
    left = list(reversed(points))

    async def work() -> None:
        while left:
            call, number = left.pop()
            died = await scene.die(call, number)
            deaths[call] += died

    async with asyncio.TaskGroup() as group:
        for _ in range(LANES):
            group.create_task(work())
    missed = {call for call in calls if seen[call] and not deaths[call]}
    assert not missed, f"{scene.way} {scene.phase}: none died at {missed}"
    return deaths


def told(what: str, deaths: Counter[str], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{deaths.total()} kill points of {what} survived: {dict(deaths)}\n")


@pytest.mark.timeout(300)
async def test_a_death_at_each_rename_and_sync_of_a_swap_leaves_one_whole_release(
    ground: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = await Scene.set(ground, Way.EXCHANGE, Phase.FORWARD)
    deaths = await every(scene, (*RENAMES, *SYNCS))
    told("a swap", deaths, capsys)
    assert deaths["renameat2"] == 2  # the exchange, and the backup's name
    assert deaths["fsync"] >= 4


@pytest.mark.sim
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("way", list(Way))
async def test_a_death_at_every_call_of_every_phase(
    ground: Path, way: Way, phase: Phase, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = await Scene.set(ground, way, phase)
    # Where renameat2 is refused it cannot kill as well: strace does one thing at a call.
    calls = tuple(call for call in CALLS if way is not Way.RENAMES or call != "renameat2")
    deaths = await every(scene, calls)
    told(f"{phase} by {way}", deaths, capsys)
    assert deaths.total() > 0
