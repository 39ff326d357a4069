"""What a daemon opens on the simulated server: the real adapters, over simulated connections."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from tests.simulation.machine import PLACE, Held
from tests.simulation.shared.owned import Owner
from tests.simulation.shared.server import Server
from tests.simulation.shared.way import SimLine, Way
from watchdog.ports import Clock, JournalError
from watchdog.store import folder as files
from watchdog.store.postgres import Address, PostgresJournal, PostgresLease, PostgresPeers
from watchdog.store.schema import Link

ADDRESS = "postgresql://watchdog@127.0.0.1/watchdog"


@dataclass(slots=True)
class Folder:
    """The state folder of one daemon, which outlives its processes."""

    link: Link | None = None

    def read(self) -> Link | None:
        return self.link

    def write(self, link: Link) -> None:
        self.link = link


@dataclass(slots=True)
class Connections:
    """One process's: each part of the store has a connection of its own."""

    server: Server
    way: Way
    owner: Owner
    life: Held
    name: str  # of the daemon, over its processes

    def line(self, what: str) -> SimLine:
        return SimLine(self.server, self.way, self.owner, self.life, what)

    def lease(self, clock: Clock) -> PostgresLease:
        lease = PostgresLease(Address(ADDRESS, self.name), clock)
        lease._line, lease._session = self.line("lease"), self.owner.name
        return lease

    def peers(self) -> PostgresPeers:
        peers = PostgresPeers(Address(ADDRESS, self.name))
        peers._line, peers._session = self.line("peers"), self.owner.name
        return peers


class SharedJournal(PostgresJournal):
    """The real one, but for its connection and the file with its mark."""

    def __init__(self, connections: Connections, folder: Folder) -> None:
        self.place = PLACE
        self._writes = True
        self._line = connections.line("journal")
        self._mutex = threading.RLock()
        self._broken = ""
        self._end = None
        self._sent = {}
        self._landed = {}
        self._marker = cast("files.Marker", folder)  # it reads and writes, and that is all
        self.notices = []
        self._undo = contextlib.ExitStack()
        self._end = self._verified_end()
        self._mark()


class SharedHistory:
    """`ports.History`: nothing that goes wrong here is told, as the port says."""

    def __init__(self, connections: Connections) -> None:
        self._kept = connections.server.kept.setdefault(connections.name, {})
        self._line = connections.line("history")

    def save(self, items: Mapping[str, bytes]) -> bool:
        with contextlib.suppress(JournalError):
            self._line.ask(lambda _session: self._kept.update(items))
            return True
        return False

    def load(self) -> Mapping[str, bytes]:
        with contextlib.suppress(JournalError):
            return self._line.ask(lambda _session: dict(self._kept))
        return {}

    def drop(self, keys: Iterable[str]) -> None:
        for key in list(keys):
            self._kept.pop(key, None)

    def close(self) -> None: ...
