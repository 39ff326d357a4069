"""One process of the watchdog: the real engine, put together as the daemon puts it together.

In the place of what waits for the real world stand the simulated ports; in the place of the
calendar, which reads the real clock, a loop for each of its jobs. Everything else is the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

from tests.simulation.machine import Held, Machine, SimHistory, SimJournal
from tests.simulation.outside import Outside, SimActuator, SimProbe
from tests.simulation.policies import Text, policy_of
from tests.simulation.service import SimSource, SourceFaults
from tests.simulation.telling import SimNotifier
from tests.simulation.virtual import VirtualLoop
from tests.simulation.world import Killed
from watchdog.clock import SystemClock
from watchdog.core.entries import PolicyApplied, Recorded
from watchdog.core.spec import Policy
from watchdog.core.words import Mode
from watchdog.daemon.main import DRAIN_SECONDS
from watchdog.daemon.record import left_by_before
from watchdog.engine import Engine, Orders, Ports, Process
from watchdog.policy.diff import hear_anew, rearmed
from watchdog.ports import JournalError
from watchdog.store import SoleLease

PREFLIGHT_EVERY, CHECKPOINT_EVERY = 30.0, 60.0
WATCHDOG_SECONDS = 20.0
"""As in the unit: without a sign of life for so long the process is killed."""


class Unwell(Exception):
    """The process ended by itself, of something that nobody injected."""


class SimProcess:
    """From its start to its death. `ready` once the first pass is complete."""

    def __init__(
        self,
        machine: Machine,
        outside: Outside,
        sources: SourceFaults,
        texts: dict[str, Text],
        heard: Callable[[Recorded], None],
        loop: VirtualLoop | None = None,
    ) -> None:
        self.machine = machine
        self.world = machine.world
        self.life = Held(self.world)
        self.loop = loop or VirtualLoop(self.world, machine.uptime)
        if loop is None:  # else it is others' as well
            self.loop.set_exception_handler(self._unhandled)
            self.life.dies = self._dies
        self.stop = asyncio.Event()
        self.ready = False
        self.alive_at = machine.uptime()
        self.started_at = self.world.now
        self.outside = outside
        self.sources = sources
        self.texts = texts
        self._heard = heard
        self._lost: JournalError | None = None
        self.engine: Engine
        self.orders: Orders

    def run(self) -> None:
        """Until it is killed, is stopped, or dies; raises what it died of."""
        self.loop.run_until_complete(self._live())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that is done in this process."""
        self.loop.create_task(work)

    def elsewhere(self) -> str:
        """Who carries out what people order here, where that is another."""
        return ""

    async def _live(self) -> None:
        self._assemble()
        self.engine.on_pass = self._passed
        jobs = {
            "preflight": (PREFLIGHT_EVERY, self.engine.preflight.look),
            "checkpoint": (CHECKPOINT_EVERY, self.engine.checkpoints.save),
        }
        tasks = [
            asyncio.create_task(self._every(seconds, job), name=name)
            for name, (seconds, job) in jobs.items()
        ]
        try:
            await self.engine.run(self.stop)
            if self._lost is not None:
                raise self._lost
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.engine.finish("stopped", DRAIN_SECONDS)

    def _assemble(self) -> None:
        clock = SystemClock(self.machine.kernel())
        engine = self.engine = Engine(self._ports(clock), self._settings())
        before = left_by_before(engine)
        if before is not None:
            clock.go_on_from(before)
        down = clock.now().steady - before.at.steady if before else 0.0
        engine.recorder.listen(self._heard)
        engine.begin(down, lambda: clock.name)
        self._take()
        engine.warm()
        self.orders = Orders(engine)

    def _ports(self, clock: SystemClock) -> Ports:
        disk, life, out = self.machine.disk, self.life, self.outside
        return Ports(
            SimJournal(disk, life),
            SimHistory(disk, life),
            SoleLease(clock),
            clock,
            SimActuator(out, life),
            SimProbe(out, life),
            lambda spec: SimSource(spec, out.service, self.sources, life),
            open_notifier=lambda channel: SimNotifier(channel, out.post, life),
        )

    def _settings(self) -> Process:
        return Process("0", "here", "sim", Mode.ARMED, time_sync_required=False)

    def _take(self) -> None:
        """What was applied last is in force, or the first text, where nothing ever was."""
        applied = self.engine.book.policy
        if applied is None:
            self._adopt(Text())
        else:
            self.engine.adopt(self.policy_of(self.texts[applied.sha256]), None)

    def policy_of(self, text: Text) -> Policy:
        return policy_of(text)

    def apply(self, text: Text) -> None:
        """What people applied is in force, and on the record."""
        self._adopt(text)

    def _adopt(self, text: Text) -> None:
        policy = self.policy_of(text)
        self.texts[policy.sha256] = text
        old: Policy | None = self.engine.policy
        applied = PolicyApplied(policy.sha256, (), "alice", tells=True)
        if old is not None:
            applied = replace(
                applied,
                rearmed=tuple(sorted(rearmed(old, policy))),
                hear_anew=hear_anew(old, policy),
            )
        self.engine.adopt(policy, applied)

    def lost_record(self, error: JournalError) -> None:
        """As the daemon: what cannot record must not act."""
        self._lost = self._lost or error
        self.stop.set()

    def _dies(self) -> None:
        self.loop.killed = True

    def die(self) -> None:
        """Nothing of it reaches anything any more."""
        self.life.dead = True
        self.loop.bury()
        self.outside.tree.process_died()

    def _passed(self) -> None:
        self.ready = True
        self.alive_at = self.machine.uptime()

    async def _every(self, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        """As the calendar: a job that fails is told, and only a lost record is everybody's."""
        while True:
            await asyncio.sleep(seconds)
            try:
                async with asyncio.timeout(120.0):
                    await job()
            except JournalError as error:
                self.lost_record(error)

    def _unhandled(self, _loop: object, context: dict[str, object]) -> None:
        if not isinstance(context.get("exception"), Killed):
            self.world.violated("nothing dies in silence", str(context.get("exception", context)))
