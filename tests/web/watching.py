"""A whole engine behind the read-only face, on real parts, in one asyncio loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from watchdog.actions import open_actuator, open_probe
from watchdog.clock import SystemClock
from watchdog.core.book import Episode
from watchdog.core.entries import PolicyApplied
from watchdog.core.spec import Policy, SourceSpec
from watchdog.core.words import Mode
from watchdog.engine import DeployDesk, Engine, Orders, Ports, Process, Views
from watchdog.ports import Journal, MetricSource
from watchdog.sources import open_source
from watchdog.store import SoleLease, SqliteHistory, SqliteJournal
from watchdog.web.inbound import Inbound
from watchdog.web.metrics import Meters
from watchdog.web.policy_load import PolicyLoad
from watchdog.web.readonly import Health, readonly_app
from watchdog.web.serve import serve_tcp
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass
class Knobs:
    """What the daemon around the engine would say."""

    unhealthy: str = ""
    load: PolicyLoad = field(default_factory=PolicyLoad)


@dataclass
class Watch:
    """What a test holds: the engine, and the face of it as a client sees it."""

    engine: Engine
    orders: Orders
    meters: Meters
    web: httpx.AsyncClient
    port: int
    knobs: Knobs

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.web.get(path, headers=headers)

    async def episode(self, rule: str, *, state: str, within_seconds: float = 15.0) -> Episode:
        """Wait until the rule's newest episode is in that state."""
        found: list[Episode] = []

        def reached() -> bool:
            found[:] = [ep for ep in self.engine.book.episodes.values() if ep.rule == rule]
            return bool(found) and found[-1].state.value == state

        await self.until(reached, within_seconds)
        return found[-1]

    async def within(self, work: Coroutine[None, None, None], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            await work

    async def until(self, reached: Callable[[], bool], within_seconds: float = 15.0) -> None:
        async with asyncio.timeout(within_seconds):
            while not reached():  # noqa: ASYNC110 - the engine has no event for what tests wait for
                await asyncio.sleep(0.02)


@asynccontextmanager
async def watching(
    folder: Path,
    policy: Policy,
    *,
    runs: bool = True,
    journal: Callable[[SqliteJournal], Journal] = lambda real: real,
) -> AsyncIterator[Watch]:
    """Everything of a daemon but the process: journal, engine, face on a free port."""
    state = folder / "state"
    state.mkdir(mode=0o700)
    SqliteJournal.create(state)
    async with AsyncExitStack() as stack:
        wire = Wire(FileSecrets([folder]))
        stack.push_async_callback(wire.aclose)
        history = SqliteHistory.open(state)
        stack.callback(history.close)
        meters = Meters()

        def source(spec: SourceSpec) -> MetricSource:
            return meters.counting(spec, open_source(spec, wire))

        clock = SystemClock()
        ports = Ports(
            journal(SqliteJournal.open(state)),
            history,
            SoleLease(clock),
            clock,
            open_actuator(wire),
            open_probe(wire),
            source,
        )
        engine = Engine(
            ports, Process("1.2.3", "here", "sandbox", Mode.ARMED, time_sync_required=False)
        )
        stack.callback(engine.recorder.close)
        engine.recorder.listen(meters.heard)
        engine.begin(0.0, lambda: "boot@0")
        engine.adopt(policy, PolicyApplied(policy.sha256, (), "a test"))
        knobs = Knobs()
        health = Health(lambda: knobs.unhealthy, lambda: knobs.unhealthy)
        deploys = DeployDesk(engine)
        inbound = Inbound(
            engine.inbox,
            deploys,
            Orders(engine),
            engine.in_force,
            wire.secrets,
            ports.clock,
            meters.told,
        )
        app = readonly_app(Views(engine), health, HOSTS, meters, lambda: knobs.load, inbound)
        served = await serve_tcp(app, "127.0.0.1", 0, app.state.live.run)
        stack.push_async_callback(served.stop)
        web = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{served.port}", trust_env=False, timeout=10.0
            )
        )
        watch = Watch(engine, Orders(engine), meters, web, served.port, knobs)
        if runs:
            await stack.enter_async_context(_running(engine))
        yield watch


@asynccontextmanager
async def _running(engine: Engine) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(engine.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
        await engine.finish("the test ended", 5.0)
