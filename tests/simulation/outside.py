"""The ports by which the watchdog reaches the simulated targets: one actuator, one probe."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.simulation.machine import Held
from tests.simulation.restorer import Helper
from tests.simulation.service import Service
from tests.simulation.targets import Flags, Ledger
from tests.simulation.telling import Post
from tests.simulation.trees import TreeHost
from tests.simulation.world import World
from watchdog.core.releases import DeployRelease
from watchdog.core.spec import Command, Endpoint, How, HttpCall
from watchdog.core.trees import Facts, RestoreSystem, SwapTree
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Attempt, Attempted, Readiness
from watchdog.wire.expectation import judge

FLAGS, STATUS = "http://flags/", "http://status"


class Outside:
    """Everything that can be changed, and the service that all of it is about."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ledger = Ledger(world)
        self.service = Service(world)
        self.flags = Flags(world, self.service, self.ledger)
        self.tree = TreeHost(world, self.service, self.ledger)
        self.helper = Helper(world, self.service, self.ledger)
        self.published = 0
        self.post = Post(world)


@dataclass(frozen=True, slots=True)
class SimActuator:
    """`ports.Actuator` in the hands of one process."""

    outside: Outside
    life: Held

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        out, life = self.outside, self.life
        out.world.tell(f"{key} attempts {_named(how)}")
        match how:
            case HttpCall():
                name = how.endpoint.url.removeprefix(FLAGS)
                on = how.body == '{"enabled": true}'
                return await out.flags.put(name, key, deadline_seconds, life, on=on)
            case SwapTree(displaced=displaced):
                out.ledger.asked(key, f"config:{how.current}")
                move = out.tree.back if displaced else out.tree.forward
                return await move(key, facts, life)
            case RestoreSystem():
                return await out.helper.attempt(key, facts, deadline_seconds, life)
            case Command(argv=("publish",)):
                return await self._publish(deadline_seconds)
            case Command():
                return await self._verify()
            case DeployRelease():
                return Attempt(Attempted.REFUSED, "nothing is deployed here")

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        del key, deadline_seconds
        if isinstance(how, SwapTree):
            return await self.outside.tree.stands(facts, self.life, back=how.displaced)
        if isinstance(how, RestoreSystem):
            return await self.outside.helper.stands(facts, self.life)
        return CheckReading(Truth.UNKNOWN, "it has no mark", Instant(0.0, 0.0))

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        del key, deadline_seconds
        if isinstance(how, SwapTree) and not how.displaced:
            return await self.outside.tree.settle(facts, self.life)
        return Attempt(Attempted.CLAIMED, "nothing is left behind")

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        del deadline_seconds  # each of these answers at once
        if isinstance(how, SwapTree) and not how.displaced:
            return await self.outside.tree.preflight(at, self.life)
        if isinstance(how, RestoreSystem):
            return await self.outside.helper.preflight(at, self.life)
        self.life.point()
        await asyncio.sleep(0.05)
        self.life.point()
        if self.outside.world.happens(0.02):
            return Readiness(CheckReading(Truth.UNKNOWN, "it does not answer", at))
        return Readiness(CheckReading(Truth.TRUE, "it takes connections", at))

    async def _verify(self) -> Attempt:
        self.life.point()
        await asyncio.sleep(0.3)
        self.life.point()
        if self.outside.world.fault("verify fails", 0.15):
            return Attempt(Attempted.REFUSED, "exit status 1")
        return Attempt(Attempted.CLAIMED, "exit status 0")

    async def _publish(self, seconds: float) -> Attempt:
        out, life = self.outside, self.life
        life.point()
        fate = ""
        if out.world.happens(0.25):
            fate = out.world.chance.choice(("fails", "hangs", "did and fails", "lies"))
            out.world.fault(f"publish {fate}")
        await asyncio.sleep(0.2)
        life.point()
        if fate in {"", "did and fails"}:
            out.service.served = out.tree.live.content
            out.published += 1
        await asyncio.sleep(max(0.0, seconds - 0.2) if fate == "hangs" else 0.1)
        life.point()
        if fate == "hangs":
            return Attempt(Attempted.UNKNOWN, "ended at its deadline")
        if fate in {"fails", "did and fails"}:
            return Attempt(Attempted.UNKNOWN, "exit status 1")
        return Attempt(Attempted.CLAIMED, "exit status 0")


@dataclass(frozen=True, slots=True)
class SimProbe:
    """`ports.Probe`: the real expectations, held against what is served."""

    outside: Outside
    life: Held

    async def read(
        self, endpoint: Endpoint, expect: str, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        self.life.point()
        out, url = self.outside, endpoint.url
        if out.world.happens(0.03) and out.world.fault("a read hangs"):
            await asyncio.sleep(deadline_seconds)
            self.life.alive()
            return CheckReading(Truth.UNKNOWN, f"{url}: no answer", at)
        await asyncio.sleep(0.01 + 0.02 * out.world.chance.random())
        self.life.point()
        document: object = out.service.document()
        if url.startswith(FLAGS):
            document = {"enabled": out.flags.shown(url.removeprefix(FLAGS))}
        if out.world.happens(0.02):
            document = {"error": "busy"}
        found = judge(expect, document)
        return CheckReading(found.truth, found.reason, at, found.seen)


def _named(how: How) -> str:
    match how:
        case HttpCall():
            return f"{how.method} {how.endpoint.url} {how.body}"
        case Command():
            return " ".join(how.argv)
        case SwapTree():
            return "a swap back" if how.displaced else "a swap"
        case _:
            return "a restore"
