"""The one way to a store, whichever it is: by the setting, SQLite in the state folder or a server.

Nobody else decides where the journal is. The server's adapter is imported when it is asked for:
it takes a good part of a second, which no reader of a file should wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from watchdog.core.entries import Recorded
from watchdog.ports import Clock, History, Journal, JournalError, Lease, Peers
from watchdog.store import folder as files
from watchdog.store.history import SqliteHistory
from watchdog.store.journal import SqliteJournal
from watchdog.store.reader import JournalReader
from watchdog.store.sole import SoleLease

if TYPE_CHECKING:
    from watchdog.store.postgres import Address


def _no_password() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Where:
    """Which store is meant, as the settings say it."""

    state_dir: Path
    url: str = ""  # of a server; empty: SQLite in the state folder
    name: str = "reader"  # this daemon's, among those that share a server
    password: Callable[[], str] = field(default=_no_password, repr=False)
    credential: str = ""  # which one holds it, in words: for who is not let in

    @property
    def address(self) -> Address:
        """Raises JournalError where the URL cannot be one."""
        from watchdog.store.postgres import Address  # noqa: PLC0415  # late on purpose: see above

        try:
            mark = str(self.state_dir / files.SHARED_MARKER)
            return Address(self.url, self.name, self.password, self.credential, mark)
        except ValueError as error:
            raise JournalError(f"the store's address {error}") from None


@dataclass(frozen=True, slots=True)
class Store:
    """What a daemon records to, and by what it knows whether it leads."""

    journal: Journal
    history: History
    lease: Lease
    peers: Peers | None  # None: nobody shares it
    notices: tuple[str, ...]  # what a person should hear of but that stops nothing

    def close(self) -> None:
        if self.peers is not None:
            self.peers.close()
        for part in (self.lease, self.history, self.journal):
            part.close()


class Reader(Protocol):
    """A journal that somebody looks into; it takes no lock and changes nothing."""

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Recorded]: ...

    def base(self) -> tuple[int, str, bytes] | None: ...

    def verify(self) -> int: ...

    def alive_at(self) -> float:
        """The newest sign of a daemon's life, on the wall clock; 0 where there is none."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def create(where: Where) -> str:
    """Make what is missing of an empty store; what was done, in a sentence. Raises JournalError.

    Never over a journal that is there: on SQLite that is refused, and a server's is joined.
    """
    if not where.url:
        SqliteJournal.create(where.state_dir)
        return f"Created the journal in {where.state_dir}"
    from watchdog.store.postgres import setup  # noqa: PLC0415  # late on purpose: see above

    files.make_folder(where.state_dir)
    return setup.create(where.address)


def take_over(folder: Path, where: Where) -> str:
    """Let the journal and the history of a state folder go on, on a server. Raises JournalError.

    Its daemon must be stopped. All of it is there or nothing; the folder's journal is then put
    aside under another name, so that no daemon goes on in both.
    """
    if not where.url:
        raise JournalError("a journal is taken over onto a server: set `store` first")
    from watchdog.store.postgres import PostgresHistory, setup  # noqa: PLC0415  # late on purpose

    files.make_folder(where.state_dir)
    with SqliteJournal.open(folder) as journal, closing(SqliteHistory.open(folder)) as history:
        base, rows = journal.rows()
        setup.create(where.address, setup.Taken(journal.identity, base, rows, journal.last))
        with closing(PostgresHistory.open(where.address)) as there:
            there.save(history.load())
        for name in (files.JOURNAL, files.MARKER, files.HISTORY):
            with suppress(FileNotFoundError):
                (folder / name).rename(folder / f"{name}{files.MOVED}")
        files.sync_folder(folder)
        return f"The journal of {folder} goes on at {where.url}, after entry {journal.last.seq}"


def open_store(where: Where, clock: Clock) -> Store:
    """Verified and ready to append. Raises JournalError."""
    if not where.url:
        journal = SqliteJournal.open(where.state_dir)
        history = SqliteHistory.open(where.state_dir)
        notices = (*journal.notices, *history.notices)
        return Store(journal, history, SoleLease(clock), None, notices)
    return _shared(where, clock)


def _shared(where: Where, clock: Clock) -> Store:
    from watchdog.store.postgres import (  # noqa: PLC0415  # late on purpose: see above
        PostgresHistory,
        PostgresJournal,
        PostgresLease,
        PostgresPeers,
    )

    address = where.address
    journal = PostgresJournal.open(address, where.state_dir)
    history, lease = PostgresHistory.open(address), PostgresLease(address, clock)
    return Store(journal, history, lease, PostgresPeers(address), tuple(journal.notices))


def open_reader(where: Where | Path) -> Reader:
    """Of a folder alone, the SQLite journal in it.

    Raises JournalMissing, JournalCorrupt, JournalTooNew, JournalBroken or JournalLost.
    """
    if isinstance(where, Path):
        where = Where(where)
    if not where.url:
        return JournalReader(where.state_dir)
    from watchdog.store.postgres import PostgresReader  # noqa: PLC0415  # late on purpose: see above

    return PostgresReader(where.address)
