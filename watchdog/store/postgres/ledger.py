"""Reading the shared journal, for the daemons that write it and for those who only look.

Each look is one statement, which the server answers from one state; between two looks others may
append or retire. Nothing is handed out that does not follow from what was read before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from watchdog.core.entries import Recorded
from watchdog.core.words import Instant
from watchdog.ports import JournalBusy
from watchdog.store import chain
from watchdog.store.postgres import server
from watchdog.store.postgres.address import Address
from watchdog.store.postgres.line import READ_SECONDS, Line, Session
from watchdog.store.schema import Base, Link, Row

_ENTRIES = """
SELECT (SELECT seq FROM slo_watchdog.base),
       e.seq, e.wall, e.steady, e.kind, e.body, e.prev_hash, e.hash
  FROM slo_watchdog.entries e WHERE e.seq > %s ORDER BY e.seq LIMIT %s
"""
_BASE = "SELECT seq, hash, wall, steady, snapshot, digest FROM slo_watchdog.base"


class Ledger:
    """What can be read of a shared journal."""

    def __init__(self, address: Address, purpose: str, *, writes: bool) -> None:
        self.place = address.place
        self._writes = writes
        self._line = Line(address, purpose, self._prepare)

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Recorded]:
        """Entries above `after` in order, each checked; what the base stands for is gone."""
        for row in chain.walk(self._fetch, self._known(), after, limit, self.place):
            yield chain.recorded(row, self.place)

    def newest(self) -> int:
        """The newest entry's number, whoever wrote it: one row, looked up by its key."""
        return self._head().seq

    def base(self) -> tuple[int, str, bytes] | None:
        """(seq, hash, snapshot) of what stands for the retired entries; None while none are."""
        return chain.stands_for(self._base())

    def verify(self) -> int:
        """Check the whole chain, and that every entry can be understood. Returns their number.

        The server checks its own pages (data checksums, pg_amcheck). Raises JournalCorrupt or
        JournalTooNew.
        """
        base = self._base()
        start, head = Link(base.seq, base.hash), self._head()
        number, end = 0, start
        for row in chain.walk(self._fetch, [start], base.seq, None, self.place):
            chain.recorded(row, self.place)
            number, end = number + 1, row.link
        if end.seq < head.seq or (end.seq == head.seq and end != head):
            raise self.place.corrupt(
                f"it says that it ends with entry {head.seq}: {end.seq} is last"
            )
        return number

    def alive_at(self) -> float:
        """The newest sign of life of any daemon on it, on the server's wall clock; 0 for none."""
        row = self._one(
            "SELECT coalesce(extract(epoch FROM max(saved_at)), 0)::float8 "
            "FROM slo_watchdog.checkpoints"
        )
        return float(row[0])

    def close(self) -> None:
        self._line.close()

    # -- inside ------------------------------------------------------------------------------------

    def _prepare(self, session: Session) -> None:
        server.greet(session, self.place, writes=self._writes)
        server.check_schema(session, self.place)

    def _known(self) -> Sequence[Link]:
        base = self._base()
        return [Link(base.seq, base.hash)]

    def _fetch(self, after: int, at_most: int) -> list[Row]:
        rows = self._line.ask(lambda at: at.all(_ENTRIES, [after, at_most]), READ_SECONDS)
        if rows and after < rows[0][0] < rows[0][1]:
            raise JournalBusy(
                f"{self.place}: entries up to {rows[0][0]} were retired while they were being "
                "read. Run the command again."
            )
        return [Row(*row[1:]) for row in rows]

    def _base(self) -> Base:
        identity, base = self._line.ask(_about, READ_SECONDS)
        if identity is None:
            raise self.place.corrupt("it does not say what it is")
        return chain.sound_base(base, identity, self.place)

    def _head(self) -> Link:
        return Link(*self._one("SELECT seq, hash FROM slo_watchdog.head"))

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._line.ask(lambda session: session.one(query))
        if row is None:
            raise self.place.corrupt("a row is missing that every journal has")
        return row


def _about(session: Session) -> tuple[str | None, Base | None]:
    named = session.one("SELECT identity FROM slo_watchdog.about")
    identity = None if named is None else str(named[0])
    row = session.one(_BASE)
    if row is None:
        return identity, None
    seq, last_hash, wall, steady, snapshot, digest = row
    return identity, Base(seq, last_hash, Instant(wall, steady), bytes(snapshot), digest)
