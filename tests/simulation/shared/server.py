"""A simulated PostgreSQL, which understands the statements of our own adapters and no others.

What its functions do is written anew here from the port's laws: an append follows what stands or
is refused, and is fenced by the epoch that leads and by its lease, on the server's own clock; an
errand is handed out once. Every entry is told, once, as it becomes durable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulation.machine import IDENTITY, Machine
from tests.simulation.world import World
from watchdog.core.words import Instant
from watchdog.ports import JournalDeposed, JournalFull, JournalMoved
from watchdog.store import schema
from watchdog.store.postgres import journal, lease, ledger, peers
from watchdog.store.schema import Link, Row

ABOUT = "SELECT identity FROM slo_watchdog.about"
HEAD = "SELECT seq, hash FROM slo_watchdog.head"
LONG_AGO = float("-inf")


@dataclass(slots=True)
class Leased:
    """The row of the lease."""

    holder: str = ""
    session: str = ""
    epoch: int = 0
    expires_at: float = LONG_AGO
    steady: float | None = None
    asked_at: float | None = None


@dataclass(slots=True)
class Errand:
    number: int
    receiver: str
    epoch: int
    body: str
    until: float
    taken_by: str = ""
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Here:
    session: str
    host: str
    told: tuple[Any, ...]  # version, whether it sees, what it knows, its settings
    seen_at: float


@dataclass(frozen=True, slots=True)
class Appended:
    row: Row
    epoch: int
    who: str
    at: float


class Server:
    """`machine.disk` holds its rows. Who is at the other end of a connection is a session."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.machine = Machine(world)
        self.lease = Leased()
        self.daemons: dict[str, Here] = {}
        self.errands: dict[int, Errand] = {}
        self.kept: dict[str, dict[str, bytes]] = {}  # checkpoints of each daemon
        self.appended: Callable[[Appended], None] = lambda _: None
        self.taken: Callable[[str], None] = lambda _who: None  # it leads from now on
        self.yielded: Callable[[str], None] = lambda _who: None  # it gives the lease up
        self.looked: Callable[[str, bool], None] = lambda _who, _runs: None  # was told of the lease

    @property
    def rows(self) -> list[Row]:
        return self.machine.disk.rows

    def end(self) -> Link:
        return self.rows[-1].link if self.rows else schema.genesis(IDENTITY)

    # -- the journal -------------------------------------------------------------------------------

    def append(self, now: float, who: str, values: Sequence[Any]) -> None:
        epoch, after, after_hash, wall, steady, kinds, bodies, hashes = values
        if self.machine.disk.full:
            raise JournalFull("the simulated server has no room")
        self.fence(now, epoch)
        if self.end() != Link(after, after_hash):
            raise JournalMoved(f"it ends with {self.end().seq}, not {after}")
        new = []
        for kind, body, digest in zip(kinds, bodies, hashes, strict=True):
            new.append(Row(after + 1, wall, steady, kind, body, after_hash, digest))
            after, after_hash = new[-1].seq, digest
        disk = self.machine.disk
        disk.rows += new
        disk.ends = [len(disk.rows)]
        disk.commit()
        disk.sync()
        for row in new:
            self.appended(Appended(row, epoch, who, now))

    def fence(self, now: float, epoch: int) -> None:
        """Raises JournalDeposed."""
        if self.lease.epoch != epoch:
            raise JournalDeposed(f"epoch {epoch} is over: it is {self.lease.epoch}")
        if self.lease.expires_at <= now:
            raise JournalDeposed(f"the lease of epoch {epoch} has run out")

    # -- the lease ---------------------------------------------------------------------------------

    def ask(self, now: float, values: Sequence[Any]) -> None:
        holder, session, seconds, steady = values
        row = self.lease
        if row.session == session:
            row.expires_at = max(now + seconds, row.expires_at)
            row.steady, row.asked_at = steady, now
        elif self.is_free(self.world.now):  # whoever waits in a call is ahead, and others are not
            row.holder, row.session, row.epoch = holder, session, row.epoch + 1
            row.expires_at = now + seconds
            if row.asked_at is None:  # it is the first, and all count by its clock
                row.steady, row.asked_at = steady, now
            self.world.tell(f"{holder} takes the lease, in epoch {row.epoch}")
            self.taken(session)

    def is_free(self, now: float) -> bool:
        return self.lease.expires_at <= now

    def told(self, now: float) -> tuple[Any, ...]:
        row = self.lease
        left = max(0.0, row.expires_at - now)
        silent = None if row.asked_at is None else max(0.0, now - row.asked_at)
        return row.holder, row.session, row.epoch, left, row.steady, silent

    # -- the daemons -------------------------------------------------------------------------------

    def present(self, now: float, within: float) -> list[tuple[Any, ...]]:
        return [
            (name, one.host, *one.told[:2], max(0.0, now - one.seen_at), *one.told[2:])
            for name, one in sorted(self.daemons.items())
            if one.seen_at > now - within
        ]

    def take(self, now: float, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        session, receivers, most = values
        waiting = [
            one
            for one in self.errands.values()
            if one.receiver in receivers and not one.taken_by and one.until > now
        ]
        for one in waiting[:most]:
            one.taken_by = session
        return [(one.number, one.epoch, one.body, one.until - now) for one in waiting[:most]]

    def send(self, now: float, values: Sequence[Any]) -> tuple[int]:
        receiver, epoch, body, seconds = values
        number = len(self.errands) + 1
        self.errands[number] = Errand(number, receiver, epoch, body, now + seconds)
        return (number,)

    def answer(self, values: Sequence[Any]) -> None:
        body, number, session = values
        found = self.errands[number]
        if found.taken_by == session:
            found.answer = body


class SimSession:
    """What a connection can say. `now` is when the server does it; `who` is at its other end."""

    def __init__(self, server: Server, who: str, now: Callable[[], float]) -> None:
        self._server = server
        self._who = who
        self._now = now

    def run(self, query: str, values: Sequence[Any] = ()) -> None:
        self._do(query, values)

    def one(self, query: str, values: Sequence[Any] = ()) -> Any:
        found = self._do(query, values)
        return found[0] if found else None

    def all(self, query: str, values: Sequence[Any] = ()) -> Any:
        return self._do(query, values)

    def _do(self, query: str, values: Sequence[Any]) -> Sequence[Any]:  # noqa: C901, PLR0911, PLR0912  # a table
        server, now = self._server, self._now()
        match query:
            case journal._APPEND:
                server.append(now, self._who, values)
            case ledger._ENTRIES:
                after, most = values
                rows = server.rows[after : after + most]
                return [
                    (0, r.seq, r.wall, r.steady, r.kind, r.body, r.prev_hash, r.hash) for r in rows
                ]
            case ledger._BASE:
                genesis, zero = schema.genesis(IDENTITY), Instant(0.0, 0.0)
                digest = schema.base_digest(0, genesis.hash, zero, b"")
                return [(0, genesis.hash, 0.0, 0.0, b"", digest)]
            case _ if query == ABOUT:
                return [(IDENTITY,)]
            case _ if query == HEAD:
                return [(server.end().seq, server.end().hash)]
            case lease._ASK:
                server.ask(now, values)
                server.looked(self._who, server.lease.session == values[1])
                return [server.told(now)]
            case lease._LOOK:
                server.looked(self._who, server.lease.expires_at > now)
                return [server.told(now)]
            case lease._YIELD:
                if server.lease.session == values[0]:
                    server.lease.expires_at = LONG_AGO
                    server.world.tell(f"{self._who} gives the lease up")
                    server.yielded(self._who)
            case peers._HERE:
                name, session, host, *told, _ = values
                before = server.daemons.get(name)
                server.daemons[name] = Here(session, host, tuple(told), now)
                return [(None if before is None else before.session,)]
            case peers._PRESENT:
                return server.present(now, values[0])
            case peers._TAKE:
                return server.take(now, values)
            case peers._SEND:
                return [server.send(now, values)]
            case peers._ANSWER:
                server.answer(values)
            case peers._TAKE_BACK:
                found = server.errands[values[0]]
                if found.taken_by:
                    return []
                found.taken_by = "nobody"
                return [values]
            case peers._ANSWERED:
                return [(server.errands[values[0]].answer,)]
            case peers._LEAVE:
                here = server.daemons.get(values[0])
                if here is not None and here.session == values[1]:
                    del server.daemons[values[0]]
            case peers._FORGET:
                pass
            case _:
                raise AssertionError(f"the simulated server does not know: {query}")
        return []
