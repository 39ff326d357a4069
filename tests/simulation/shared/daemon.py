"""One of the daemons on a shared store: its host, its way to the store, its process of the moment.

A process is the real engine on the real adapters, put together as `daemon/main.py` does it. What
the sources give it, what the wall clock of its host says, and what it has kept are its own.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import replace
from typing import Any

from tests.simulation.machine import Held, Machine
from tests.simulation.outside import Outside, SimActuator, SimProbe
from tests.simulation.policies import Text, policy_of
from tests.simulation.process import SimProcess
from tests.simulation.service import Delivery, SimSource, SourceFaults
from tests.simulation.shared.owned import Owner, SharedLoop
from tests.simulation.shared.server import Server
from tests.simulation.shared.stores import Connections, Folder, SharedHistory, SharedJournal
from tests.simulation.shared.way import Way
from tests.simulation.telling import SimNotifier
from tests.simulation.world import Killed, World
from watchdog.clock import Kernel, SystemClock
from watchdog.core.entries import PolicyApplied, Recorded
from watchdog.core.spec import How, Policy
from watchdog.core.trees import Facts
from watchdog.core.words import Mode
from watchdog.engine import Ports, Process
from watchdog.ports import Attempt, JournalError

NAMES = ("ada", "bo", "cy")
CONFIG_HOST, SYSTEM_HOST = "ada", "bo"
"""To whose hosts the tree and the system belong: their daemons do it, whoever leads."""


class Host(Machine):
    """A host of one daemon, which may be ahead of the world inside a call."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world)
        self._name = name
        self.booted_at = -1000.0 * len(name)
        self.time: Callable[[], float] = lambda: world.now

    def kernel(self) -> Kernel:
        return replace(super().kernel(), boot=f"{self._name}-{self.boots}")

    def uptime(self) -> float:
        return self.time() - self.booted_at

    def boot_anew(self) -> None:
        """The store is elsewhere: nothing of it is lost."""
        self.boots += 1
        self.booted_at = self.world.now

    def _wall(self) -> float:
        return super()._wall() + self.time() - self.world.now

    def _since_boot(self) -> float:
        return self.time() - self.booted_at


class SharedActuator(SimActuator):
    """On the way to a target there is a moment in which its process may be stopped."""

    daemon: Daemon

    @classmethod
    def of(cls, daemon: Daemon, life: Held) -> SharedActuator:
        made = cls(daemon.outside, life)
        object.__setattr__(made, "daemon", daemon)
        return made

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        self.daemon.about_to(self.daemon)
        self.daemon.on_the_way(self.daemon)
        await asyncio.sleep(0.001)
        self.daemon.trying(self.daemon, key)
        return await super().attempt(how, key=key, deadline_seconds=deadline_seconds, facts=facts)


class SharedProcess(SimProcess):
    """From its start to its death, among others on one loop."""

    def __init__(self, daemon: Daemon, loop: SharedLoop, texts: dict[str, Text]) -> None:
        super().__init__(
            daemon.machine, daemon.outside, daemon.sources, texts, daemon.acknowledged, loop
        )
        self.daemon = daemon
        self.owner = Owner(f"{daemon.name} {daemon.starts}", self.world)
        self.life.dies = self.owner.condemn
        self.began = False  # it runs: its store could be opened

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.create_task(work, context=self.owner.context)

    def elsewhere(self) -> str:
        return self.engine.leading.elsewhere()

    def policy_of(self, text: Text) -> Policy:
        """What belongs to a host is done there."""
        policy, there = policy_of(text), {"config": CONFIG_HOST, "system": SYSTEM_HOST}
        actions = {
            name: replace(action, host=there.get(name, "any"))
            for name, action in policy.actions.items()
        }
        return replace(policy, actions=actions)

    @property
    def leads(self) -> bool:
        """Whether it believes that it leads. Asked from outside, so nothing comes of it."""
        if not self.began or self.life.dead:
            return False
        leading = self.engine.leading
        return leading._leading and leading.lead.mine_at(self.engine.ports.clock.now().steady)

    def die(self) -> None:
        self.life.dead = True
        self.owner.bury()
        if self.daemon.name == CONFIG_HOST:
            self.outside.tree.process_died()

    def _assemble(self) -> None:
        super()._assemble()
        self.engine.on_lead = self._take
        self.engine.on_policy = self._follow
        self.began = True

    def _follow(self, applied: PolicyApplied) -> None:
        self.engine.adopt(self.policy_of(self.texts[applied.sha256]), None)

    def _ports(self, clock: SystemClock) -> Ports:
        daemon, life, out = self.daemon, self.life, self.outside
        to = Connections(daemon.server, daemon.way, self.owner, life, daemon.name)
        return Ports(
            SharedJournal(to, daemon.folder),
            SharedHistory(to),
            to.lease(clock),
            clock,
            SharedActuator.of(daemon, life),
            SimProbe(out, life),
            lambda spec: SimSource(spec, out.service, self.sources, life, daemon.delivered),
            open_notifier=lambda channel: SimNotifier(channel, out.post, life),
            peers=to.peers(),
            shift=clock.shift,
        )

    def _settings(self) -> Process:
        daemon = self.daemon
        return Process(
            "0",
            daemon.name,
            "sim",
            Mode.ARMED,
            time_sync_required=False,
            name=daemon.name,
            lease_seconds=daemon.lease_seconds,
        )


class Daemon:
    """What outlives its processes. `gone`: told that its process is no more."""

    def __init__(self, name: str, server: Server, outside: Outside, lease_seconds: float) -> None:
        self.name = name
        self.world = server.world
        self.server = server
        self.outside = outside
        self.lease_seconds = lease_seconds
        self.machine = Host(self.world, name)
        self.way = Way(self.world)
        self.sources = SourceFaults(self.world)
        self.delivered: Delivery = {}
        self.folder = Folder()
        self.starts = 0
        self.paused = False  # its whole machine stands
        self.well_since = float("inf")  # since when nothing has kept it from leading
        self.process: SharedProcess | None = None
        self.gone: Callable[[Daemon], None] = lambda _: None
        self.about_to: Callable[[Daemon], None] = lambda _: None  # reach for a target
        self.on_the_way: Callable[[Daemon], None] = lambda _: None  # between a look and the effect
        self.trying: Callable[[Daemon, str], None] = lambda _daemon, _key: None
        self.acknowledged: Callable[[Recorded], None] = lambda _: None

    @property
    def runs(self) -> bool:
        """There is a process, it has begun, and it is not frozen."""
        process = self.process
        return process is not None and process.ready and not process.owner.frozen

    @property
    def leads(self) -> bool:
        return self.process is not None and self.process.leads

    @property
    def sees(self) -> bool:
        """Not every rule is blind to it: who is blind leaves the lead to others."""
        return self.process is not None and self.process.engine._presence().sees

    def start(self, loop: SharedLoop, texts: dict[str, Text], deadly: float) -> None:
        self.starts += 1
        self.world.counts["starts"] += 1
        self.world.tell(f"{self.name} starts")
        process = self.process = SharedProcess(self, loop, texts)
        process.life.deadly = deadly
        process.owner.killed = lambda: self.kill("killed at a point")
        self.machine.time = process.owner.now
        task = process.owner.begin(loop, process._live())
        task.add_done_callback(lambda _: self._ended(process, task), context=Context())

    def kill(self, why: str) -> None:
        """SIGKILL."""
        if self.process is None:
            return
        self.world.tell(f"{self.name}: {why}")
        self.world.counts["crashes"] += 1
        self._bury()

    def wake(self) -> None:
        """SIGCONT, before its service manager has noticed that it gave no sign of life."""
        self.paused = False
        if self.process is not None and self.process.owner.frozen:
            self.process.alive_at = self.machine.uptime()
            self.world.tell(f"{self.name} wakes")
            self.process.owner.thaw()

    def _ended(self, process: SharedProcess, task: asyncio.Task[None]) -> None:
        """By itself: stopped in order, or it could not record, or did not reach the store."""
        if process is not self.process or task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Killed):
            return
        if error is not None and not isinstance(error, JournalError):
            where = traceback.format_exception(error)[-4:]
            self.world.violated("nothing dies by itself", f"{error!r} at {' '.join(where)}")
        self.world.tell(f"{self.name} ends: {error or 'stopped'}")
        self._bury()

    def _bury(self) -> None:
        process, self.process = self.process, None
        assert process is not None
        process.die()
        self.machine.time = lambda: self.world.now
        self.gone(self)
