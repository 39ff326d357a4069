"""What befalls the daemons on a shared store: each on its own, and the store to all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.simulation.shared.daemon import Daemon
from tests.simulation.shared.properties import SharedProperties
from tests.simulation.shared.server import Server
from tests.simulation.targets import Flags

FROZEN_SECONDS = (1.0, 4.0, 7.0, 12.0, 17.0)
PAUSED_SECONDS = (6.0, 15.0, 40.0, 100.0)
CUT_SECONDS = (1.0, 4.0, 9.0, 14.0, 40.0)


class Harm:
    """Each method is one harm, of whom and for how long is left to chance."""

    def __init__(
        self,
        daemons: Sequence[Daemon],
        server: Server,
        properties: SharedProperties,
        flags: Flags,
    ) -> None:
        self.world = server.world
        self._daemons = daemons
        self._server = server
        self._properties = properties
        self._flags = flags
        properties.on_look = self._on_look
        for one in daemons:
            one.on_the_way = self._on_the_way

    def leader(self) -> Daemon | None:
        """Whoever leads and is awake."""
        return next((one for one in self._daemons if one.leads and one.runs), None)

    def someone(self) -> Daemon:
        """The one that leads, more often than not."""
        leader = self.leader()
        if leader is not None and self.world.chance.random() < 0.6:
            return leader
        return self.world.chance.choice(self._daemons)

    def in_an_action(self) -> None:
        """Something begins: the best time for harm is in the middle of it."""
        chance = self.world.chance
        if self.world.calm or chance.random() > 0.6:
            return
        seconds = chance.choice((0.05, 0.3, 1.0, 4.0, 15.0)) * chance.random()
        harm = chance.choice((self.crash, self.freeze, self.cut, self.lose_the_store, self.flaky))
        self.world.after(seconds, "in the middle of an action", harm)

    # -- of one process ----------------------------------------------------------------------------

    def crash(self) -> None:
        daemon = self.someone()
        process = daemon.process
        if self.world.calm or process is None:
            return
        if self.world.chance.random() < 0.3 and not process.owner.frozen:
            self.world.tell(f"{daemon.name}: SIGTERM")
            process.loop.call_soon(process.stop.set, context=process.owner.context)
            return
        daemon.kill("SIGKILL")

    def freeze(self) -> None:
        """SIGSTOP; or its whole machine stands, so that nobody there kills it for its silence."""
        self._stop(self.someone(), paused=self.world.chance.random() < 0.5)

    def _on_look(self, daemon: Daemon, task: str) -> None:
        """It was told of the lease, and has not heard it yet."""
        acts = task.startswith(("intent", "errand"))
        if self.world.happens(0.08 if acts else 0.002):
            self._stop(daemon, paused=self.world.chance.random() < 0.5)

    def _on_the_way(self, daemon: Daemon) -> None:
        """Between the look at the lease and the effect."""
        if self.world.happens(0.12):
            self._stop(daemon, paused=self.world.chance.random() < 0.5)

    def _stop(self, daemon: Daemon, *, paused: bool) -> None:
        process = daemon.process
        if process is None or process.owner.frozen or self.world.calm:
            return
        seconds = self.world.chance.choice(PAUSED_SECONDS if paused else FROZEN_SECONDS)
        self.world.fault("a paused machine" if paused else "frozen", whose=daemon.name)
        process.owner.freeze()
        daemon.paused = paused

        def wake() -> None:
            if not process.life.dead:
                daemon.wake()

        self.world.after(seconds, "", wake)

    def clock(self) -> None:
        daemon = self.world.chance.choice(self._daemons)
        if self.world.fault("the wall clock of one host stepped", whose=daemon.name):
            daemon.machine.step_wall(self.world.chance.choice((-3600.0, -30.0, 30.0, 3600.0)))

    # -- of what it reaches ------------------------------------------------------------------------

    def source(self) -> None:
        """A source is at fault to one daemon, or to all."""
        name = self.world.chance.choice(("app", "status"))
        for one in self.world.chance.choice((self._daemons, [self.someone()])):
            one.sources.begin(name)

    def blind(self) -> None:
        """One sees nothing, the others do."""
        daemon, seconds = self.someone(), self.world.chance.choice((8.0, 30.0, 90.0))
        if self.world.fault("blind", whose=daemon.name):
            for name in ("app", "status"):
                daemon.sources.hide(name, seconds)

    def cut(self) -> None:
        """Nothing of one daemon reaches the store."""
        daemon = self.someone()
        kind = self.world.chance.choice(("swallows", "refuses"))
        if not daemon.way.cut and self.world.fault(f"cut off: it {kind}", whose=daemon.name):
            daemon.way.cut = kind
            self.world.after(self.world.chance.choice(CUT_SECONDS), "", self._heal(daemon))

    def _heal(self, daemon: Daemon) -> Callable[[], None]:
        def heal() -> None:
            if self._properties.lost_since is None and daemon.way.cut:
                daemon.way.cut = ""
                self.world.tell(f"{daemon.name} reaches the store again")

        return heal

    def flaky(self) -> None:
        """Messages of one daemon are lost now and then, in one direction or the other."""
        daemon = self.someone()
        if self.world.fault("a flaky way to the store", whose=daemon.name):
            seconds = self.world.chance.choice((5.0, 20.0, 60.0))
            daemon.way.flaky_until = self.world.now + seconds

    # -- of the store, and of the targets ----------------------------------------------------------

    def lose_the_store(self) -> None:
        if self._properties.lost_since is None and self.world.fault("the store is lost to all"):
            self._properties.lost_since = self.world.now
            kind = self.world.chance.choice(("swallows", "refuses"))
            for one in self._daemons:
                one.way.cut = kind
            self.world.after(self.world.chance.choice(CUT_SECONDS), "", self._store_back)

    def _store_back(self) -> None:
        self._properties.lost_since = None
        for one in self._daemons:
            one.way.cut = ""
        self.world.tell("the store is back")

    def fill_the_disk(self) -> None:
        if self.world.fault("the server's disk is full"):
            self._server.machine.disk.full = True
            self.world.after(self.world.chance.choice((2.0, 15.0)), "it has room again", self._room)

    def _room(self) -> None:
        self._server.machine.disk.full = False

    def lag(self) -> None:
        if self.world.fault("flags are served late"):
            self._flags.lag_seconds = self.world.chance.choice((1.0, 4.0, 9.0))
            self._flags.lag_until = self.world.now + 120.0

    def stranger(self) -> None:
        name = self.world.chance.choice(("a", "b"))
        self._flags.set(name, "", on=not self._flags.on[name])

    def end(self) -> None:
        """Of all of it."""
        self._room()
        self._store_back()
        for one in self._daemons:
            one.machine.step_wall(-one.machine.wall_off)
            one.sources.hidden_until.clear()
            one.wake()
