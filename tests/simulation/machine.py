"""The host: its clocks, its disk, and what a crash leaves of them.

SIGKILL ends the process and leaves what was written. A power cut also loses what was not synced,
and the machine boots anew. A suspend stops everything; the boot clock counts it, the loop's does
not. The wall clock may be stepped; the boot clock never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from tests.simulation.world import EPOCH, Killed, World
from watchdog.clock import Kernel
from watchdog.core.entries import Entry, Recorded
from watchdog.core.words import Instant
from watchdog.ports import (
    FIRST_EPOCH,
    JournalBroken,
    JournalFull,
    JournalMoved,
)
from watchdog.store import chain, schema
from watchdog.store.schema import Base, Link, Row
from watchdog.store.trouble import Place

IDENTITY = "5" * 32
PLACE = Place("the simulated journal", "Look at the seed.", "nothing is accepted here")
SYNC_SECONDS = 0.003


class Machine:
    """One host. `step_wall` and `suspended` say how its clocks differ from the world's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.disk = Disk(world)
        self.boots = 1
        self.booted_at = -1000.0
        self.suspended = 0.0
        self._fell_asleep: float | None = None
        self.wall_off = 0.0
        self.wall_moved_at = float("-inf")

    def kernel(self) -> Kernel:
        return Kernel(f"boot-{self.boots}", self._wall, self._since_boot)

    def uptime(self) -> float:
        """Of the loop: what CLOCK_MONOTONIC says."""
        now = self.world.now if self._fell_asleep is None else self._fell_asleep
        return now - self.booted_at - self.suspended

    def step_wall(self, seconds: float) -> None:
        self.wall_off += seconds
        self.wall_moved_at = self.world.now

    def suspend(self, seconds: float) -> None:
        if self._fell_asleep is not None:
            return
        began = self._fell_asleep = self.world.now
        try:
            self.world.pass_until(began + seconds)
        finally:
            self._fell_asleep = None
            self.suspended += self.world.now - began

    @property
    def is_asleep(self) -> bool:
        return self._fell_asleep is not None

    def reboot(self) -> None:
        self.disk.lose_unsynced()
        self.boots += 1
        self.booted_at = self.world.now
        self.suspended = 0.0

    def _wall(self) -> float:
        return EPOCH + self.world.now + self.wall_off

    def _since_boot(self) -> float:
        return self.world.now - self.booted_at


@dataclass(slots=True)
class Disk:
    """What is written, and what of it is synced."""

    world: World
    rows: list[Row] = field(default_factory=list)
    committed: int = 0  # of these, what stands after a kill
    synced: int = 0  # of these, what stands after a power cut
    ends: list[int] = field(default_factory=list)  # after which row each transaction ends
    full: bool = False
    kept: dict[str, bytes] = field(default_factory=dict)

    def commit(self) -> None:
        self.committed = len(self.rows)

    def sync(self) -> None:
        self.synced = self.committed

    def roll_back(self) -> None:
        """A transaction that was not committed is not there."""
        self._cut(self.committed)

    def lose_unsynced(self) -> None:
        """A power cut: of what was not synced, whole transactions from some point on are gone."""
        chance = self.world.chance
        self.roll_back()
        self._cut(chance.choice([self.synced, *(end for end in self.ends if end > self.synced)]))
        self.committed = self.synced = len(self.rows)
        if chance.random() < 0.2:
            self.kept = {}

    def _cut(self, at: int) -> None:
        del self.rows[at:]
        self.ends = [end for end in self.ends if end <= at]


class Held:
    """What every handle of one process is: worth nothing once the process is dead."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dead = False
        self.deadly = 0.0  # the chance of being killed at any one of its points
        self.dies: Callable[[], None] = lambda: None

    def point(self) -> None:
        """Here it may be killed."""
        self.alive()
        if self.deadly and self.world.happens(self.deadly):
            self.world.tell("killed right here")
            self.kill()

    def kill(self) -> NoReturn:
        """SIGKILL, here and now. A `finally` that awaits would hold the exception up, and the
        process would live on: so it is dead from here on, and whoever runs it is told.
        """
        self.dead = True
        self.dies()
        raise Killed

    def alive(self) -> None:
        if self.dead:
            raise Killed


class SimJournal:
    """`ports.Journal` on a simulated disk: the real codec, the real chain."""

    def __init__(self, disk: Disk, life: Held) -> None:
        self._disk = disk
        self._life = life
        self._broken = ""
        self._base = Base(0, schema.genesis(IDENTITY).hash, Instant(0, 0), b"", "")
        disk.roll_back()
        self._end = chain.verified_end(disk.rows, self._base, None, PLACE)

    def append(
        self,
        entries: Sequence[Entry],
        at: Instant,
        *,
        epoch: int = FIRST_EPOCH,
        after: int | None = None,
    ) -> tuple[Recorded, ...]:
        self._life.point()
        batch = chain.batch_of(entries, at)
        chain.only_epoch(epoch, PLACE)
        if self._broken:
            raise JournalBroken(self._broken)
        if after is not None and after != self._end.seq:
            raise JournalMoved("others were faster")
        if not entries:
            return ()
        disk, world = self._disk, self._disk.world
        if disk.full:
            raise JournalFull("no room on the simulated disk")
        rows = chain.rows_after(self._end, batch)
        disk.rows += rows
        disk.ends.append(len(disk.rows))
        if world.happens(0.0004) and world.fault("the disk says EIO"):
            if world.chance.random() < 0.5:
                disk.commit()
            disk.roll_back()
            self._broken = "the disk failed"
            raise JournalBroken(self._broken)
        self._life.point()
        disk.commit()
        self._life.point()
        disk.sync()
        world.now += SYNC_SECONDS
        self._life.point()
        self._end = rows[-1].link
        return chain.as_recorded(rows, entries)

    def newest(self) -> int:
        return self._end.seq

    def read(self, after: int = 0, limit: int | None = None) -> Iterable[Recorded]:
        known = [Link(self._base.seq, self._base.hash), self._end]
        for row in chain.walk(self._fetch, known, after, limit, PLACE):
            yield chain.recorded(row, PLACE)

    def base(self) -> tuple[int, str, bytes] | None:
        return None

    def prune(
        self, upto_seq: int, snapshot: bytes, at: Instant, *, epoch: int = FIRST_EPOCH
    ) -> None:
        del upto_seq, snapshot, at, epoch
        raise NotImplementedError("nothing is retired in the simulation")

    def refill(self) -> bool:
        return not self._disk.full

    def close(self) -> None: ...

    def _fetch(self, after: int, most: int) -> list[Row]:
        return self._disk.rows[after : after + most]


class SimHistory:
    """`ports.History`: what may be lost, is lost now and then."""

    def __init__(self, disk: Disk, life: Held) -> None:
        self._disk = disk
        self._life = life

    def save(self, items: Mapping[str, bytes]) -> bool:
        self._life.point()
        self._disk.kept = {**self._disk.kept, **items}
        self._life.point()
        return True

    def load(self) -> Mapping[str, bytes]:
        self._life.alive()
        return dict(self._disk.kept)

    def drop(self, keys: Iterable[str]) -> None:
        gone = set(keys)
        self._disk.kept = {k: v for k, v in self._disk.kept.items() if k not in gone}

    def close(self) -> None: ...
