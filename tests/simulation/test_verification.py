"""Named checks in simulated worlds: whatever they do, every property holds, and each ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.simulation.__main__ import tale
from tests.simulation.life import Life
from tests.simulation.process import SimProcess
from watchdog.core.asking import Endpoint
from watchdog.core.probes import HttpProbe
from watchdog.core.samples import Failure, Fault, Look, Reading
from watchdog.core.spec import Policy, SourceSpec
from watchdog.core.verification import NamedCheck
from watchdog.core.words import Blind, Direction, Instant
from watchdog.engine import Ports
from watchdog.ports import MetricSource

SEEDS = range(1, 25)
WITHIN, DEADLINE = 30.0, 5.0
OVER = WITHIN + 10 * DEADLINE  # looks wait for one another, and the process may be away


def check(name: str) -> NamedCheck:
    how = HttpProbe(Endpoint("http://checked/"), None, "")
    return NamedCheck(name, how, "it", tuple(Direction), DEADLINE, WITHIN, name == "b", "")


class SimCheck:
    """Holds, fails, cannot be seen, or hangs beyond its own deadline."""

    name = "check"

    def __init__(self, process: SimProcess) -> None:
        self._process = process

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        del wanted
        self._process.life.point()
        world = self._process.world
        world.counts["looks at checks"] += 1
        match world.chance.choice(("holds", "fails", "fails", "unseen", "hangs", "breaks")):
            case "hangs":
                await asyncio.sleep(3600.0)
            case "breaks":
                raise RuntimeError("a bug in a look")
            case "unseen":
                failure = Failure(Fault.OURS, Blind.OURS, "nobody could look")
                return Reading(self.name, at, 0.0, failure=failure)
            case kind:
                await asyncio.sleep(0.1)
                return Reading(self.name, at, 0.1, look=Look(kind == "holds", "seen"))
        raise AssertionError

    async def aclose(self) -> None:
        """Nothing to close."""


@pytest.mark.sim
def test_every_property_holds_whatever_checks_do(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_policy, plain_ports = SimProcess.policy_of, SimProcess._ports

    def policy_of(process: SimProcess, *given: Any) -> Policy:
        policy = plain_policy(process, *given)
        checks = tuple(check(name) for name in "abc")
        return replace(policy, verification=dict.fromkeys(policy.actions, checks))

    def ports(process: SimProcess, *given: Any) -> Ports:
        made = plain_ports(process, *given)

        def open_source(spec: SourceSpec) -> MetricSource:
            ours = spec.name.startswith("check:")
            return SimCheck(process) if ours else made.open_source(spec)

        return replace(made, open_source=open_source)

    monkeypatch.setattr(SimProcess, "policy_of", policy_of)
    monkeypatch.setattr(SimProcess, "_ports", ports)
    looks = 0
    for seed in SEEDS:
        life = Life(seed)
        told = life.live()
        assert not told.violations, f"\n{tale(told)}"
        assert life.process is not None
        book = life.process.engine.book
        now = life.process.engine.ports.clock.now().steady
        late = [run for run in book.verifications.under_way() if now - run.at.steady > OVER]
        assert not late, f"begun, and never ended: {late}\n{tale(told)}"
        looks += told.counts.get("looks at checks", 0)
    assert looks > 10 * len(SEEDS)
