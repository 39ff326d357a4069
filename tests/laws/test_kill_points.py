"""The daemon is killed at a system call of a rollback, and started anew: law 2, and law 6.

Whenever it dies, the target has counted at most one effective change, the journal verifies, the
episode comes to rest with a reason, the target is what the journal says it is, and what the daemon
must leave to people is told to them.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.laws.deaths import CALLS, Fate, Lane, Point, spread
from tests.laws.scenes import Pausing, Releasing, Scene
from tests.releases.site import Shop
from watchdog.core.states import State
from watchdog.sandbox.handle import Sandbox

LANES = 2
SAMPLE = 4


@pytest.fixture
async def lanes(tmp_path: Path, rollback: str) -> AsyncIterator[list[Lane]]:
    async with AsyncExitStack() as stack:
        found = []
        for number in range(LANES):
            folder = tmp_path / f"lane-{number}"
            folder.mkdir()
            found.append(Lane(folder, await scene(stack, folder, rollback)))
        yield found


async def scene(stack: AsyncExitStack, folder: Path, rollback: str) -> Scene:
    sandbox = await stack.enter_async_context(Sandbox.start(folder / "mycelia"))
    if rollback == "pause":
        return Pausing(sandbox)
    (folder / "shop").mkdir()
    shop = await stack.enter_async_context(Shop(folder / "shop"))
    return Releasing(sandbox, shop, rollback.removeprefix("release by "))


async def die_at(lanes: Sequence[Lane], points: Sequence[Point]) -> list[Fate]:
    """All of them, each lane one after another."""
    left = list(reversed(points))
    fates: list[Fate] = []

    async def work(lane: Lane) -> None:
        while left:
            fates.append(await lane.die(left.pop()))

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(work(lane))
    return fates


def told(fates: Sequence[Fate], rollback: str, capsys: pytest.CaptureFixture[str]) -> None:
    died = [fate for fate in fates if fate.died]
    ends = Counter(fate.state.value for fate in died)
    after = sum(fate.decided for fate in died)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(died)} kill points of a {rollback} survived "
            f"({after} after the intent was durable); ends: {dict(ends)}\n"
        )


def all_rolled_back_once(fates: Sequence[Fate]) -> None:
    """The breach went on, so each of them is rolled back in the end, exactly once.

    A change that must not be tried twice is a person's where a death leaves open whether it was
    sent, and is only found not to have been.
    """
    for fate in fates:
        rest = (State.LATCHED, 0) if fate.for_people else (State.CONTAINED, 1)
        assert (fate.state, fate.effects) == rest, fate
    assert sum(fate.for_people for fate in fates) <= 0.1 * len(fates)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("rollback", ["pause"])
async def test_a_death_anywhere_in_a_pause_leaves_one_effect_and_a_true_record(
    lanes: list[Lane], rollback: str, capsys: pytest.CaptureFixture[str]
) -> None:
    points = spread(await lanes[0].count(), SAMPLE)
    fates = await die_at(lanes, points)
    told(fates, rollback, capsys)
    all_rolled_back_once(fates)
    assert sum(fate.died for fate in fates) >= 0.7 * len(points)
    assert any(fate.decided for fate in fates)


@pytest.mark.sim
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("rollback", ["pause", "release by call", "release by tool"])
async def test_a_death_at_every_call_of_a_rollback(
    lanes: list[Lane], rollback: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of every kind of call the first, the second, and on until all is over before it."""
    seen = await lanes[0].count()
    calls = sorted(CALLS, key=lambda call: seen[call])  # the long ones are taken first
    fates: list[Fate] = []

    async def work(lane: Lane) -> None:
        while calls:
            fates.extend(await every(lane, calls.pop()))

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(work(lane))
    told(fates, rollback, capsys)
    all_rolled_back_once(fates)
    died = Counter(fate.point.call for fate in fates if fate.died)
    assert not {call for call in CALLS if seen[call] and not died[call]}
    assert any(fate.decided for fate in fates if fate.died)
    assert any(not fate.decided for fate in fates if fate.died)


async def every(lane: Lane, call: str) -> list[Fate]:
    """Two trials in a row that were over before their call came end it: one may have been quick.

    Where none has died yet it takes five, all at the first call: a connection that is still open
    from before, on a busy machine, saves a `connect`.
    """
    fates: list[Fate] = []
    number, over = 1, 0
    while over < (2 if number > 1 else 5):
        fates.append(await lane.die(Point(call, number)))
        over = 0 if fates[-1].died else over + 1
        number += fates[-1].died or number > 1
    return fates
