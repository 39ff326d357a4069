"""One server for all of this folder, a database for each test, and both kinds of store."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.real_parts.postgres import RealPostgres
from watchdog.clock import SystemClock
from watchdog.ports import FIRST_EPOCH
from watchdog.store import Reader, Store, Where, create, open_reader, open_store

_NUMBERS = itertools.count(1)
_TRIGGERS = ("entries_stay", "entries_retire", "entries_follow", "base_moves_on", "base_stays")


@pytest.fixture(scope="session")
def server() -> Iterator[RealPostgres]:
    with RealPostgres() as running:
        yield running


@pytest.fixture(scope="session")
def migrated(server: RealPostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with an empty journal, to copy."""
    server.database("migrated")
    create(Where(tmp_path_factory.mktemp("init"), server.url("migrated"), "init"))
    return "migrated"


@pytest.fixture
def empty(server: RealPostgres) -> str:
    """An empty database."""
    name = f"empty{next(_NUMBERS)}"
    server.database(name)
    return name


@pytest.fixture
def database(server: RealPostgres, migrated: str) -> str:
    """A database with an empty journal."""
    name = f"test{next(_NUMBERS)}"
    server.database(name, "TEMPLATE", migrated)
    return name


@dataclass
class Home:
    """A store that is there, and how its daemons are started on it."""

    folder: Path
    url: str = ""
    opened: list[Store] = field(default_factory=list)

    def where(self, name: str = "alpha") -> Where:
        folder = self.folder if not self.url else self.folder / name
        if self.url:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Where(folder, self.url, name)

    def start(self, name: str = "alpha", *, leads_for: float | None = 60.0) -> Store:
        """A daemon's store; it leads unless `leads_for` is None."""
        store = open_store(self.where(name), SystemClock())
        self.opened.append(store)
        if leads_for is not None:
            assert store.lease.ask(name, leads_for).mine
        return store

    def stop(self, store: Store) -> None:
        """In order, as a daemon ends: the lease is given up."""
        store.lease.yield_()
        store.close()
        self.opened.remove(store)

    def look(self) -> Reader:
        return open_reader(self.where())

    def edit(self, *statements: str) -> None:
        """What somebody with a shell does to the tables, without asking the triggers."""
        if not self.url:
            with sqlite3.connect(self.folder / "journal.db") as shell:
                for name in _TRIGGERS:
                    shell.execute(f"DROP TRIGGER IF EXISTS {name}")
                for statement in statements:
                    shell.execute(statement)
            shell.close()
            return
        with psycopg.connect(self.url) as session:
            session.execute("SET search_path = slo_watchdog")
            session.execute("SET session_replication_role = replica")
            for statement in statements:
                session.execute(statement.replace("x'00'", "'\\x00'").encode())

    def close(self) -> None:
        for store in self.opened:
            store.close()


@pytest.fixture
def shared(server: RealPostgres, database: str, tmp_path: Path) -> Iterator[Home]:
    """A store on the server."""
    home = Home(tmp_path / "hosts", server.url(database))
    yield home
    home.close()


@pytest.fixture(params=["sqlite", "postgres"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A store of either kind."""
    if request.param == "postgres":
        found: Home = request.getfixturevalue("shared")
        yield found
        return
    create(Where(tmp_path / "state"))
    home = Home(tmp_path / "state")
    yield home
    home.close()


@pytest.fixture
def epoch() -> int:
    """Of whoever leads first."""
    return FIRST_EPOCH


Start = Callable[..., Store]
