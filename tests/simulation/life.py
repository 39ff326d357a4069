"""The life of one world: faults and people for a while, then calm, then what must have come about.

python -m tests.simulation --seed 7 --trace
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.simulation.machine import Machine
from tests.simulation.outside import Outside
from tests.simulation.people import People
from tests.simulation.policies import Text
from tests.simulation.process import WATCHDOG_SECONDS, SimProcess, Unwell
from tests.simulation.properties import Properties
from tests.simulation.service import SourceFaults
from tests.simulation.world import Killed, Over, World
from watchdog.ports import JournalBroken

CALM_SECONDS = 180.0
RESTART_SECONDS = 2.0
LOOK_SECONDS = 2.0
SIZES_SECONDS = 20.0
MOST_VIOLATIONS = 50
"""A world in which nothing holds any more need not be lived to its end."""
DOWN_SECONDS = (RESTART_SECONDS,) * 12 + (30.0, 30.0, 90.0, 1800.0, 30_000.0)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one seed."""

    seed: int
    seconds: float
    counts: dict[str, int]
    violations: tuple[str, ...]
    lines: tuple[str, ...]
    trace: str
    silence_seconds: float = 0.0  # the longest that nobody led while somebody could


class Life:
    """`crashes`: per hour of simulated time; each is a kill or a power cut."""

    def __init__(self, seed: int, *, loud: bool = False) -> None:
        self.world = World(seed, loud=loud)
        chance = self.world.chance
        self.machine = Machine(self.world)
        self.outside = Outside(self.world)
        self.people = People(self.world)
        self.sources = SourceFaults(self.world)
        self.texts: dict[str, Text] = {}
        self.properties = Properties(self.machine, self.outside, self.people, self.texts)
        self.still = False  # suspended or frozen
        self.properties.on_intent = self._intent
        self.properties.on_request = self._request
        self.process: SimProcess | None = None
        self.to_watch = 60.0 * chance.choice((4, 8, 12))  # so long a process lives, all together
        self.busy = chance.choice((0.5, 1.0, 2.0))
        self.deadly = chance.choice((0.0, 0.0, 0.002, 0.01))

    def live(self) -> Told:
        self._plan()
        try:
            while len(self.world.violations) < MOST_VIOLATIONS:
                self._one_process()
        except Over:
            pass
        self.properties.at_the_end(self.process)
        if self.process is not None:
            self.process.die()
        world = self.world
        return Told(
            world.seed,
            world.now,
            dict(world.counts),
            tuple(world.violations),
            world.first or tuple(world.lines),
            world.trace,
        )

    # -- the process -------------------------------------------------------------------------------

    def _one_process(self) -> None:
        """From its start until it is no more, and the time until the next start."""
        down = RESTART_SECONDS
        self.properties.catch_up()
        process = self.process = SimProcess(
            self.machine, self.outside, self.sources, self.texts, self.properties.heard
        )
        process.life.deadly = self.deadly
        self.world.counts["starts"] += 1
        self.world.tell("the process starts")
        try:
            process.run()
        except Killed:
            self.world.counts["crashes"] += 1
        except Over:
            raise
        except JournalBroken as broken:
            self.world.tell(f"the process ends: {broken}")
            down = 5.0
        except Exception as error:  # noqa: BLE001  # whatever it died of, nobody injected it
            where = traceback.format_exc().strip().splitlines()[-3:]
            self.world.violated("nothing dies by itself", f"{error!r} at {' '.join(where)}")
        process.die()
        self.process = None
        self.world.tell("the process is gone")
        if not self.world.calm and self.world.chance.random() < 0.3:
            self._power_cut()
        if not self.world.calm:
            down = self.world.chance.choice(DOWN_SECONDS)
        self.world.pass_until(self.world.now + down)

    def _power_cut(self) -> None:
        if self.world.now - self.machine.wall_moved_at < 300.0:
            return  # how long it was down could not be told by a wall clock that was just moved
        self.world.counts["power cuts"] += 1
        self.world.tell("the power was cut")
        self.outside.tree.power_cut()
        self.machine.reboot()

    # -- what happens to it ------------------------------------------------------------------------

    def _plan(self) -> None:
        """Everything that comes by itself, each again and again until the calm."""
        self._again(60.0, self._trouble)
        self._again(20.0, self._person)
        self._again(150.0, self._source)
        self._again(200.0, self._crash)
        self._again(500.0, self._clock)
        self._again(400.0, self._disk)
        self._again(400.0, self._lag)
        self._again(500.0, self._stranger)
        self._again(600.0, self._freeze)
        self._look_after()
        self._measure()

    def _again(self, mean_seconds: float, do: Callable[[], None]) -> None:
        def happen() -> None:
            if self.world.calm:
                return
            self._again(mean_seconds, do)
            if self.process is None or self.still:
                return  # nobody is there whom it could trouble
            do()

        pause = self.world.chance.expovariate(self.busy / mean_seconds)
        self.world.after(pause, "", happen)

    def _trouble(self) -> None:
        begin_trouble(self.outside)

    def _person(self) -> None:
        if self.process is not None and self.process.ready and not self.process.life.dead:
            self.people.do_something(self.process)

    def _source(self) -> None:
        self.sources.begin(self.world.chance.choice(("app", "status")))

    def _crash(self) -> None:
        if self.process is not None:
            if self.world.chance.random() < 0.3:
                self.world.tell("SIGTERM")
                self.process.loop.call_soon(self.process.stop.set)
                return
            self.world.tell("SIGKILL")
            raise Killed

    def _intent(self) -> None:
        """Something begins: the best time to die is in the middle of it."""
        if not self.world.calm and self.world.chance.random() < 0.35:
            seconds = self.world.chance.choice((0.3, 1.0, 4.0, 15.0)) * self.world.chance.random()
            self.world.after(seconds, "", self._crash_in_action)

    def _request(self) -> None:
        """People are asked: most of them say something, some of them too late."""
        for _ in range(self.world.chance.choice((0, 2, 3, 4))):
            seconds = self.world.chance.choice((20.0, 100.0, 400.0)) * self.world.chance.random()
            self.world.after(seconds, "", self._answer)

    def _answer(self) -> None:
        if self.process is not None and self.process.ready and not self.world.calm:
            self.people.answer(self.process)

    def _crash_in_action(self) -> None:
        if self.process is not None and not self.world.calm:
            self.world.tell("SIGKILL in the middle of an action")
            raise Killed

    def _clock(self) -> None:
        chance = self.world.chance
        if chance.random() < 0.5:
            seconds = chance.choice((-3600.0, -30.0, 30.0, 3600.0))
            if self.world.fault("wall clock stepped"):
                self.machine.step_wall(seconds)
        elif self.process is not None and self.world.fault("suspended"):
            with self._standing_still():
                self.machine.suspend(chance.choice((5.0, 90.0, 3600.0)))

    def _disk(self) -> None:
        if self.world.fault("disk full"):
            self.machine.disk.full = True
            seconds = self.world.chance.choice((2.0, 15.0, 60.0))
            self.world.after(seconds, "the disk has room again", self._room)

    def _room(self) -> None:
        self.machine.disk.full = False

    def _lag(self) -> None:
        if self.world.fault("flags are served late"):
            self.outside.flags.lag_seconds = self.world.chance.choice((1.0, 4.0, 9.0))
            self.outside.flags.lag_until = self.world.now + 120.0

    def _stranger(self) -> None:
        name = self.world.chance.choice(("a", "b"))
        self.outside.flags.set(name, "", on=not self.outside.flags.on[name])

    def _freeze(self) -> None:
        """SIGSTOP, or a machine without breath: the process stands still, its clocks do not."""
        if self.process is not None and self.world.fault("frozen"):
            with self._standing_still():
                self.world.pass_until(self.world.now + self.world.chance.choice((3.0, 12.0, 40.0)))

    @contextlib.contextmanager
    def _standing_still(self) -> Iterator[None]:
        self.still = True
        try:
            yield
        finally:
            self.still = False

    def _look_after(self) -> None:
        """The service manager: kills what gives no sign of life."""
        self.world.after(LOOK_SECONDS, "", self._look_after)
        process = self.process
        if process is None or (self.still and self.machine.is_asleep):
            return
        self.to_watch -= LOOK_SECONDS
        if self.to_watch <= 0 and not self.world.calm and not self.still:
            self._calm()
        silent = self.machine.uptime() - process.alive_at
        if silent > WATCHDOG_SECONDS:
            self.world.tell(f"no sign of life for {silent:.1f} s: aborted")
            self.world.counts["aborted"] += 1
            raise Killed

    def _measure(self) -> None:
        self.world.after(SIZES_SECONDS, "", self._measure)
        if self.process is not None and self.process.ready:
            self.properties.bounded(self.process)

    def _calm(self) -> None:
        self.world.tell("calm")
        self.world.after(CALM_SECONDS, "over", _over)
        self.world.calm = True
        self._room()
        if self.machine.wall_off:
            self.machine.step_wall(-self.machine.wall_off)


def begin_trouble(outside: Outside) -> None:
    """Something is wrong with the service, or a build is published."""
    world, service = outside.world, outside.service
    kind = world.chance.choice(
        ("traffic", "traffic", "peg", "build", "build", "passing", "system", "system", "canary")
    )
    seconds = world.chance.choice((10.0, 40.0, 100.0, 400.0))
    world.tell(f"TROUBLE {kind} for {seconds:g} s")
    world.counts["troubles"] += 1
    if kind == "build":
        bad = world.chance.random() < 0.7
        number = len(outside.tree.known)
        outside.tree.deploy(f"{'bad' if bad else 'build'}-{number}", bad=bad)
    else:
        service.troubles[kind] = world.now + seconds


def _over() -> None:
    raise Over


def live(seed: int, *, loud: bool = False) -> Told:
    """One seed, from its beginning to its end."""
    return Life(seed, loud=loud).live()


__all__ = ["Life", "Told", "Unwell", "begin_trouble", "live"]
