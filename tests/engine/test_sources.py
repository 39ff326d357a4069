"""A source or a rule that misbehaves costs its own rules their sight, and nobody else anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.engine.house import House, OpenSource, living, peg, policy, source
from watchdog.clock import SystemClock
from watchdog.core.entries import EpisodeOpened, Paged
from watchdog.core.memory import SourceMemory
from watchdog.core.samples import Reading, Sample
from watchdog.core.spec import (
    Bound,
    Endpoint,
    Liveness,
    Scrape,
    SourceSpec,
    ValueThreshold,
)
from watchdog.core.words import Blind, Instant, Status
from watchdog.engine.polling import Poller
from watchdog.ports import MetricSource
from watchdog.sandbox.handle import Sandbox
from watchdog.sources import open_source
from watchdog.wire.http import Wire


class Odd:
    """A source that breaks every promise of its port in one way."""

    def __init__(self, name: str, way: str) -> None:
        self.name = name
        self.way = way
        self.polled = 0

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        del wanted
        self.polled += 1
        match self.way:
            case "raises":
                raise ZeroDivisionError("in the source")
            case "hangs":
                await asyncio.sleep(3600)
            case "is slow":
                await asyncio.sleep(0.35)
            case _:
                pass
        value: object = None if self.way == "garbage" else 2.0
        samples = (Sample(self.name, (), value, at.wall),)  # type: ignore[arg-type]  # the point of it
        return Reading(self.name, at, 0.0, samples=samples)

    async def aclose(self) -> None:
        pass


ODD = peg("odd", source="odd", signal=ValueThreshold("odd", Bound("<", 1.0, "< 1")))


def with_odd(way: str) -> OpenSource:
    """The source named `odd` is; all others are real."""

    def open_one(spec: SourceSpec, wire: Wire) -> MetricSource:
        return Odd("odd", way) if spec.name == "odd" else open_source(spec, wire)

    return open_one


def verdict(house: House, rule: str) -> tuple[Status, Blind | None]:
    seen = house.engine.memory.verdict(rule)
    assert seen is not None
    return seen.status, seen.blind


@pytest.mark.parametrize(
    ("way", "blind"),
    [
        ("raises", Blind.OURS),
        ("hangs", Blind.OURS),
        ("garbage", Blind.BUG),
    ],
)
async def test_an_odd_source_blinds_its_own_rules_alone(
    tmp_path: Path, sandbox: Sandbox, way: str, blind: Blind
) -> None:
    rules = policy(
        sandbox, peg(), ODD, sources=(source(sandbox), source(sandbox, "odd", every_seconds=0.1))
    )
    async with living(tmp_path, sandbox, rules, open_one=with_odd(way)) as house:
        await house.clear("peg")
        await house.until(lambda: verdict(house, "odd") == (Status.BLIND, blind), "blindness")
        assert verdict(house, "peg") == (Status.HEALTHY, None)
        seen: set[tuple[Status, Blind | None]] = set()
        passes = house.engine.passes.count
        for _ in range(120):
            seen.add(verdict(house, "odd"))
            await asyncio.sleep(0.01)
        assert seen == {(Status.BLIND, blind)}, "it stays blind between its readings"
        assert house.engine.passes.count > passes
        house.break_peg()
        await house.until(lambda: sandbox.flag_changes() == 1, "the other rule's pause")
        told = [page for page in house.entries(Paged) if page.key == "rule:odd:blind"]
        assert len(told) <= 1
        if blind is Blind.BUG:
            assert len(told) == 1


async def test_a_target_that_hangs_is_down_for_as_long_as_it_hangs(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Each look runs into its deadline; `for` adds them up as it does those of a refusing one."""
    app = SourceSpec("app", 0.5, 0.9, 1_000_000, 100, Scrape(Endpoint(sandbox.metrics_url)))
    rhythm = {"every_seconds": 0.5, "stale_after_seconds": 1.9, "for_seconds": 2.0}
    down = peg("down", source="app", signal=Liveness("up"), **rhythm)
    async with living(tmp_path, sandbox, policy(sandbox, down, sources=(app,))) as house:
        await house.clear("down")
        sandbox.fault("metrics", "hang")
        await house.until(lambda: sandbox.flag_changes() == 1, "the pause")
        (opened,) = house.entries(EpisodeOpened)
        assert opened.verdict is not None
        assert opened.verdict.reason.startswith("1 of 1 down")


async def test_passes_go_on_at_least_every_second_while_every_source_hangs(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    slow = source(sandbox, "odd", every_seconds=0.1, deadline_seconds=30.0)
    async with living(
        tmp_path,
        sandbox,
        policy(sandbox, ODD, sources=(slow,)),
        open_one=with_odd("hangs"),
    ) as house:
        times: list[float] = []
        clock = house.engine.ports.clock
        house.engine.on_pass = lambda: times.append(clock.now().steady)
        await asyncio.sleep(3.3)
        gaps = [b - a for a, b in pairwise(times)]
        assert len(times) >= 3
        assert max(gaps) < 1.5


async def test_missed_polls_are_skipped_and_counted_without_a_burst() -> None:
    """Each poll takes three and a half intervals: there are as many as fit, one at a time."""
    odd = Odd("odd", "is slow")
    spec = SourceSpec("odd", 0.1, 5.0, 1, 1, None)  # type: ignore[arg-type]  # how is never asked
    memory = SourceMemory(spec, ())
    at: list[float] = []
    poller = Poller(
        odd,
        memory,
        SystemClock(),
        lambda reading: at.append(reading.at.steady),
        lambda _reading, _asked: None,
    )
    task = asyncio.create_task(poller.run())
    await asyncio.sleep(2.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 3 <= odd.polled <= 8
    assert memory.missed >= 2 * (odd.polled - 1)
    assert min(b - a for a, b in pairwise(at)) >= 0.35


async def test_a_loop_that_dies_ends_the_run_with_its_error(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async def die_while_running() -> None:
        def die() -> None:
            raise ZeroDivisionError

        async with living(tmp_path, sandbox) as house:
            await house.clear()
            house.engine.on_pass = die
            await asyncio.sleep(2.0)

    with pytest.raises(ZeroDivisionError):
        await die_while_running()
