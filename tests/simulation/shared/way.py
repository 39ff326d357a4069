"""The way from one daemon to the store: it takes time, it loses, it is cut.

A call whose answer is lost was done, or was not, or is done later: its caller only hears that
nothing was heard. Each daemon has a way of its own, which all its connections use.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

from tests.simulation.machine import PLACE, Held
from tests.simulation.shared.owned import Owner
from tests.simulation.shared.server import Server, SimSession
from tests.simulation.world import World
from watchdog.ports import JournalError
from watchdog.store.postgres.line import CALL_SECONDS, PATIENCE_SECONDS, Line, Session
from watchdog.store.postgres.trouble import CutOff, lost

T = TypeVar("T")

DIALS_SECONDS = 3.5
"""Between two attempts to connect that are waited for."""

LAST_WORDS = {"journal": 0.005, "lease": 0.0005, "peers": 0.0002, "history": 0.0}
"""The share of calls in which the caller dies, and what it sent is still on its way."""
LATEST_SECONDS = 10.0


class Way:
    """`cut`: "" while it leads anywhere; else "swallows" or "refuses"."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cut = ""
        self.flaky_until = -1.0
        self.lost_at = -1.0  # when a call was lost last

    @property
    def is_flaky(self) -> bool:
        return self.world.now < self.flaky_until and not self.world.calm

    def fate(self) -> str:
        """Of one call: "", "slow", "unheard", "undone" or "later"."""
        share = 0.15 if self.is_flaky else 0.001
        if not self.world.happens(share):
            return ""
        return self.world.chance.choice(("slow", "slow", "unheard", "undone", "later"))


class SimLine(Line):
    """`Line` of the adapters, over a way of the simulated world, in the hands of one process."""

    def __init__(self, server: Server, way: Way, owner: Owner, life: Held, what: str) -> None:
        self.place = PLACE
        self._what = what
        self._server = server
        self._way = way
        self._owner = owner
        self._life = life
        self._waits_at = -1.0  # when a new connection was waited for last
        self._connected_before = True

    def ask(self, work: Callable[[Session], T], deadline_seconds: float = CALL_SECONDS) -> T:
        self._life.point()
        if self._way.cut:
            self._cut_off(deadline_seconds)
        self._connected_before = True
        if self._server.world.happens(LAST_WORDS[self._what]):
            self._speak_its_last(work)
        fate, chance = self._way.fate(), self._server.world.chance
        if fate:
            self._server.world.fault(f"a call to the store: {fate}", whose=self._owner.name)
        self._owner.takes(0.001 + 0.004 * chance.random())
        if fate in {"undone", "later"}:
            if fate == "later":
                late = 1.0 + chance.choice((1.0, 6.0)) * chance.random()
                self._later(work, deadline_seconds * late)
            self._lost(deadline_seconds)
        found = work(self._speaking())
        if fate == "unheard":
            self._lost(deadline_seconds)
        if fate == "slow":
            self._owner.takes(deadline_seconds * 0.95 * chance.random())
        self._life.point()
        return found

    def close(self) -> None:
        """There is nothing to close."""

    def _speaking(self) -> Session:
        return cast("Session", SimSession(self._server, self._owner.name, self._owner.now))

    def _speak_its_last(self, work: Callable[[Session], Any]) -> None:
        """It arrives some time after it was sent, or just when the lease has run out."""
        world, lease = self._server.world, self._server.lease
        late = LATEST_SECONDS * world.chance.random()
        if world.chance.random() < 0.5:
            late = max(0.0, lease.expires_at - world.now) + 0.3 * world.chance.random()
        self._later(work, late)
        world.tell(f"{self._owner.name} dies with a message on its way")
        self._life.kill()

    def _cut_off(self, deadline_seconds: float) -> None:
        self._way.lost_at = self._server.world.now
        swallows = self._way.cut == "swallows"
        if self._connected_before:
            self._connected_before = False
            self._owner.takes(deadline_seconds if swallows else 0.001)
            raise CutOff(str(lost(self.place, "the server does not answer")))
        now = self._owner.now()
        if swallows and now - self._waits_at > DIALS_SECONDS:
            self._waits_at = now
            self._owner.takes(PATIENCE_SECONDS)
        raise lost(self.place, "the server does not answer")

    def _lost(self, deadline_seconds: float) -> None:
        self._way.lost_at = self._server.world.now
        self._owner.takes(deadline_seconds)
        raise CutOff(str(lost(self.place, "no answer")))

    def _later(self, work: Callable[[Session], Any], seconds: float) -> None:
        """What was sent arrives after whoever sent it has given it up."""
        server, who = self._server, self._owner.name

        def arrive() -> None:
            server.world.tell(f"a message of {who} arrives late")
            session = SimSession(server, who, lambda: server.world.now)
            with contextlib.suppress(JournalError):
                work(cast("Session", session))

        server.world.after(seconds, "", arrive)
