"""The lease on PostgreSQL: one row, changed under its own lock, by the server's clock.

The laws are the port's (`ports.Lease`). A process is told from another of the same name by a word
of its own, made at random: so a daemon that starts anew never goes on in the epoch of the one that
it replaces, and two that are called the same by mistake cannot both lead.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import replace

from watchdog.ports import Clock, Lead
from watchdog.store.postgres import server
from watchdog.store.postgres.address import Address
from watchdog.store.postgres.line import Line, Session

MOST_SECONDS = 3600.0

_FIELDS = """
    holder, session, epoch,
    greatest(0, extract(epoch FROM expires_at - clock_timestamp()))::float8,
    steady, greatest(0, extract(epoch FROM clock_timestamp() - asked_at))::float8
"""
_ASK = f"SELECT {_FIELDS} FROM slo_watchdog.ask_lease(%s, %s, %s, %s)"  # noqa: S608  # our constant
_LOOK = f"SELECT {_FIELDS} FROM slo_watchdog.lease"  # noqa: S608  # our constant
_YIELD = "UPDATE slo_watchdog.lease SET expires_at = 'epoch' WHERE session = %s"


class PostgresLease:
    """`ports.Lease`, on a connection of its own: no long read or pruning delays it."""

    def __init__(self, address: Address, clock: Clock) -> None:
        """Reaches for nothing yet."""
        self.place = address.place
        self._clock = clock
        self._session = secrets.token_hex(8)
        self._line = Line(address, "lease", self._prepare)

    def ask(self, holder: str, lease_seconds: float) -> Lead:
        """Take the lease where it is free, lengthen it where it is ours, else say whose it is."""
        if not (math.isfinite(lease_seconds) and 0 < lease_seconds <= MOST_SECONDS):
            raise ValueError(f"a lease runs for at most {MOST_SECONDS:.0f} s, not {lease_seconds}")
        if not holder:
            raise ValueError("who holds the lease needs a name")
        steady = self._clock.now().steady
        lead = self._told(_ASK, [holder, self._session, lease_seconds, steady])
        if not lead.mine:
            return lead
        # Not what the server has left: its clock may run on differently, and ours counts longer.
        return replace(lead, asked_at=steady, valid_for_seconds=lease_seconds)

    def look(self) -> Lead:
        """Who leads, without taking anything."""
        return self._told(_LOOK, [])

    def yield_(self) -> None:
        """Give it up at once. Nothing where it is not ours."""
        self._line.ask(lambda session: session.run(_YIELD, [self._session]))

    def close(self) -> None:
        """Never waits for the server; the lease runs out by itself."""
        self._line.close()

    def _told(self, query: str, values: list[object]) -> Lead:
        asked_at = self._clock.now().steady
        row = self._line.ask(lambda session: session.one(query, values))
        if row is None:
            raise self.place.corrupt("its lease is missing")
        holder, session, epoch, seconds, steady, silent = row
        now = None if steady is None else steady + silent
        mine = session == self._session
        return Lead(
            holder, epoch, asked_at, seconds, mine, steady=now, silent_seconds=silent or 0.0
        )

    def _prepare(self, session: Session) -> None:
        server.greet(session, self.place, writes=True)
        server.check_schema(session, self.place)
