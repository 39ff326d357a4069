"""The life of one world with several daemons on one store: faults and people, then calm.

Each daemon is killed, frozen and woken, cut off from the store, blinded, restarted and set to
another time on its own; the store is lost to all. What happens in the middle of an action is what
matters, so most of it is aimed there.

python -m tests.simulation --daemons 2 --seed 7 --trace
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog

from tests.simulation.life import Told, begin_trouble
from tests.simulation.outside import Outside
from tests.simulation.people import People
from tests.simulation.policies import Text
from tests.simulation.process import WATCHDOG_SECONDS
from tests.simulation.shared.daemon import NAMES, Daemon
from tests.simulation.shared.harm import Harm
from tests.simulation.shared.owned import OWNER, OwnedFuture, OwnedTask, SharedLoop
from tests.simulation.shared.properties import COMPARED_SECONDS, SharedProperties
from tests.simulation.shared.server import Server
from tests.simulation.world import Over, World

CALM_SECONDS = 150.0
RESTART_SECONDS = 2.0
DOWN_SECONDS = (RESTART_SECONDS,) * 8 + (15.0, 30.0, 90.0)
LEASES_SECONDS = (3.0, 5.0, 10.0)
LOOK_SECONDS = 2.0
WATCH_SECONDS = 0.5
SIZES_SECONDS = 20.0


class SharedLife:
    """`minutes` of simulated time before the calm; 0: as chance has it."""

    def __init__(
        self, seed: int, *, daemons: int = 2, minutes: float = 0.0, loud: bool = False
    ) -> None:
        world = self.world = World(seed, loud=loud)
        self.loop = SharedLoop(world)
        self.loop.set_exception_handler(self._unhandled)
        self.server = Server(world)
        self.outside = Outside(world)
        self.people = People(world)
        self.texts: dict[str, Text] = {}
        lease = world.chance.choice(LEASES_SECONDS)
        self.daemons = [Daemon(name, self.server, self.outside, lease) for name in NAMES[:daemons]]
        self.properties = SharedProperties(
            self.server, self.daemons, self.outside, self.people, self.texts
        )
        self.harm = Harm(self.daemons, self.server, self.properties, self.outside.flags)
        self.properties.on_intent = self.harm.in_an_action
        self.properties.on_request = self._request
        self.seconds = 60.0 * (minutes or world.chance.choice((4.0, 8.0, 12.0)))
        self.busy = world.chance.choice((0.5, 1.0, 2.0))
        self.deadly = world.chance.choice((0.0, 0.0, 0.0005, 0.002))
        self.over_at = self.seconds + CALM_SECONDS
        self.ends_red = False  # at the first violation

    def live(self) -> Told:
        world = self.world
        with self._logs_told():
            self._plan()
            for one in self.daemons:
                one.gone = self._gone
                world.after(3.0 * world.chance.random(), "", self._starting(one))
            with suppress(Over):
                self.loop.run_forever()
            self.properties.all_at_the_end()
            for one in self.daemons:
                if one.process is not None:
                    one.process.die()
            self.loop.bury()
        return Told(
            world.seed,
            world.now,
            dict(world.counts),
            tuple(world.violations),
            world.first or tuple(world.lines),
            world.trace,
            self.properties.longest_silence,
        )

    # -- processes ---------------------------------------------------------------------------------

    def _starting(self, daemon: Daemon) -> Callable[[], None]:
        def start() -> None:
            if daemon.process is None:
                daemon.start(self.loop, self.texts, self.deadly)

        return start

    def _gone(self, daemon: Daemon) -> None:
        chance = self.world.chance
        down = RESTART_SECONDS
        if not self.world.calm:
            down = chance.choice(DOWN_SECONDS)
            if chance.random() < 0.2:
                self.world.tell(f"the host of {daemon.name} boots anew")
                self.world.counts["reboots"] += 1
                daemon.machine.boot_anew()
        self.world.after(down, "", self._starting(daemon))

    def _unhandled(self, _loop: object, context: dict[str, Any]) -> None:
        whose = context.get("task") or context.get("future")
        if isinstance(whose, OwnedTask | OwnedFuture) and whose.owner and whose.owner.dead:
            return
        self.world.violated("nothing dies in silence", _whole(context.get("exception"), context))

    @contextmanager
    def _logs_told(self) -> Iterator[None]:
        """What the daemons log is told by the world."""
        before = structlog.get_config()

        def tell(_logger: object, _level: str, event: Any) -> Any:
            owner = OWNER.get()
            said = " ".join(f"{k}={v}" for k, v in event.items() if k != "event")
            self.world.tell(f"{owner.name if owner else 'nobody'} logs {event['event']} {said}")
            raise structlog.DropEvent

        structlog.configure(processors=[tell])
        try:
            yield
        finally:
            structlog.configure(**before)

    # -- what happens ------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Everything that comes by itself, each again and again until the calm."""
        harm = self.harm
        self._again(60.0, lambda: begin_trouble(self.outside))
        self._again(20.0, self._person)
        self._again(150.0, harm.source)
        self._again(150.0, harm.crash)
        self._again(120.0, harm.freeze)
        self._again(150.0, harm.cut)
        self._again(200.0, harm.flaky)
        self._again(300.0, harm.lose_the_store)
        self._again(250.0, harm.blind)
        self._again(500.0, harm.clock)
        self._again(600.0, harm.fill_the_disk)
        self._again(400.0, harm.lag)
        self._again(500.0, harm.stranger)
        self._look_after()
        self._watch()
        self._measure()
        self.world.after(self.seconds, "calm", self._calm)

    def _again(self, mean_seconds: float, do: Callable[[], None]) -> None:
        def happen() -> None:
            if not self.world.calm:
                self._again(mean_seconds, do)
                do()

        pause = self.world.chance.expovariate(self.busy / mean_seconds)
        self.world.after(pause, "", happen)

    def _person(self) -> None:
        """Where it leads; now and then where it does not, and is told so."""
        daemon = self.harm.leader()
        if self.world.chance.random() < 0.1:
            daemon = self.world.chance.choice(self.daemons)
        if daemon is not None and daemon.runs and daemon.process is not None:
            self.people.do_something(daemon.process)

    def _request(self) -> None:
        """People are asked: most of them say something, some of them too late."""
        for _ in range(self.world.chance.choice((0, 2, 3, 4))):
            seconds = self.world.chance.choice((20.0, 100.0, 400.0)) * self.world.chance.random()
            self.world.after(seconds, "", self._answer)

    def _answer(self) -> None:
        leader = self.harm.leader()
        if leader is not None and leader.process is not None and not self.world.calm:
            self.people.answer(leader.process)

    # -- beside all of it --------------------------------------------------------------------------

    def _look_after(self) -> None:
        """The service manager of each host: kills what gives no sign of life."""
        self.world.after(LOOK_SECONDS, "", self._look_after)
        for one in self.daemons:
            if one.process is None or one.paused:
                continue
            silent = one.machine.uptime() - one.process.alive_at
            if silent > WATCHDOG_SECONDS:
                self.world.counts["aborted"] += 1
                one.kill(f"no sign of life for {silent:.1f} s: aborted")

    def _watch(self) -> None:
        self.world.after(WATCH_SECONDS, "", self._watch)
        self.properties.watch()
        if self.ends_red and self.world.violations:
            raise Over
        if self.world.now > self.over_at - COMPARED_SECONDS:
            self.properties.compare()

    def _measure(self) -> None:
        self.world.after(SIZES_SECONDS, "", self._measure)
        for one in self.daemons:
            if one.process is not None and one.process.ready:
                self.properties.bounded(one.process)

    def _calm(self) -> None:
        self.world.calm = True
        self.world.after(CALM_SECONDS, "over", _over)
        self.harm.end()


def _over() -> None:
    raise Over


def _whole(error: object, context: object) -> str:
    if not isinstance(error, BaseException):
        return str(context)
    return " ".join(line.strip() for line in traceback.format_exception(error)[-4:])


def live_together(seed: int, *, daemons: int = 2, minutes: float = 0.0, loud: bool = False) -> Told:
    """One seed, from its beginning to its end."""
    return SharedLife(seed, daemons=daemons, minutes=minutes, loud=loud).live()
