"""The daemons on a shared store: who is there, and what one does for another.

The laws are the port's (`ports.Peers`). An errand that waits is handed out with the statement that
marks it as taken, so no two processes have it; and one that nobody took in time is nobody's.
"""

from __future__ import annotations

import math
import secrets
import time

from watchdog.core import capabilities
from watchdog.ports import Errand, JournalError, Presence
from watchdog.store.postgres import server
from watchdog.store.postgres.address import Address
from watchdog.store.postgres.line import Line, Session

GONE_AFTER_SECONDS = 3600.0
KEPT_SECONDS = 3600.0
MOST_AT_ONCE = 20
ALIVE_WITHIN_SECONDS = 1.5
"""Whoever is alive says so four times a second; who does not for so long is taken for dead."""
LOOK_SECONDS = 0.2
TWIN_SECONDS = 60.0
"""For how long a twin is told of after it was noticed last."""
MOST_CHARACTERS = 1024 * 1024

_HERE = """
INSERT INTO slo_watchdog.daemons (name, session, host, version, sees, knows, settings, seen_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp())
ON CONFLICT (name) DO UPDATE
   SET session = excluded.session, host = excluded.host, version = excluded.version,
       sees = excluded.sees, knows = excluded.knows, settings = excluded.settings,
       seen_at = excluded.seen_at
RETURNING (SELECT before.session FROM slo_watchdog.daemons before WHERE before.name = %s)
"""
_NAMESAKE = """
SELECT session, host, extract(epoch FROM seen_at)::float8,
       greatest(0, extract(epoch FROM clock_timestamp() - seen_at))::float8
  FROM slo_watchdog.daemons WHERE name = %s
"""
_PRESENT = """
SELECT name, host, version, sees,
       greatest(0, extract(epoch FROM clock_timestamp() - seen_at))::float8, knows, settings
  FROM slo_watchdog.daemons WHERE seen_at > clock_timestamp() - make_interval(secs => %s)
 ORDER BY name
"""
_TAKE = """
UPDATE slo_watchdog.errands SET taken_by = %s
 WHERE number IN (
       SELECT number FROM slo_watchdog.errands
        WHERE receiver = ANY(%s) AND taken_by IS NULL AND until > clock_timestamp()
        ORDER BY number LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING number, epoch, body, extract(epoch FROM until - clock_timestamp())::float8
"""
_SEND = """
INSERT INTO slo_watchdog.errands (receiver, epoch, body, until)
VALUES (%s, %s, %s, clock_timestamp() + make_interval(secs => %s)) RETURNING number
"""
_FORGET = (
    "DELETE FROM slo_watchdog.errands WHERE until < clock_timestamp() - make_interval(secs => %s)"
)
_ANSWER = "UPDATE slo_watchdog.errands SET answer = %s WHERE number = %s AND taken_by = %s"
_TAKE_BACK = """
UPDATE slo_watchdog.errands SET taken_by = 'nobody' WHERE number = %s AND taken_by IS NULL
RETURNING number
"""
_ANSWERED = "SELECT answer FROM slo_watchdog.errands WHERE number = %s"
_LEAVE = "DELETE FROM slo_watchdog.daemons WHERE name = %s AND session = %s"


class PostgresPeers:
    """`ports.Peers`, on a connection of its own."""

    def __init__(self, address: Address) -> None:
        """Reaches for nothing yet."""
        self.place = address.place
        self._name = address.name
        self._session = secrets.token_hex(8)
        self._line = Line(address, "peers", self._prepare)
        self._here = False  # we have said that we are
        self._twin_at = -math.inf

    def namesake(self, within_seconds: float) -> str:
        """Watches the row of that name: the dead do not write."""
        first = self._line.ask(lambda to: to.one(_NAMESAKE, [self._name]))
        if first is None or first[0] == self._session or first[3] >= within_seconds:
            return ""
        until = time.monotonic() + ALIVE_WITHIN_SECONDS
        while time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            row = self._line.ask(lambda to: to.one(_NAMESAKE, [self._name]))
            if row is None:
                return ""  # it has left
            if row[2] != first[2]:
                return f"a daemon named {self._name} runs on {row[1]} already"
        return ""

    @property
    def twin(self) -> str:
        """Noticed by the row that we wrote last: somebody else has written it since."""
        if time.monotonic() > self._twin_at + TWIN_SECONDS:
            return ""
        return f"another process on this store is named {self._name}, too"

    def meet(self, me: Presence) -> tuple[tuple[Presence, ...], tuple[Errand, ...]]:
        """Say that we are here; who is, and what is to be done on our host."""

        def ask(session: Session) -> tuple[tuple[Presence, ...], tuple[Errand, ...]]:
            knows = capabilities.written(me.knows)
            told = [me.version, me.sees, knows, me.settings]
            about_us = [me.name, self._session, me.host, *told, me.name]
            before = session.one(_HERE, about_us)
            if self._here and before is not None and before[0] not in {None, self._session}:
                self._twin_at = time.monotonic()
            self._here = True
            there = session.all(_PRESENT, [GONE_AFTER_SECONDS])
            taken = session.all(_TAKE, [self._session, list(me.receives), MOST_AT_ONCE])
            return tuple(_presence(*row) for row in there), tuple(
                Errand(*row) for row in sorted(taken)
            )

        return self._line.ask(ask)

    def send(self, to: str, body: str, *, epoch: int, deadline_seconds: float) -> int:
        """Ask it of another daemon. Raises JournalError for one that is too long."""
        if len(body) > MOST_CHARACTERS:
            raise JournalError(f"{self.place}: an errand of {len(body)} characters is too long")

        def ask(session: Session) -> int:
            session.run(_FORGET, [KEPT_SECONDS])
            row = session.one(_SEND, [to, epoch, body, deadline_seconds])
            assert row is not None, "an INSERT returns its row"  # noqa: S101  # assertions stay on
            return int(row[0])

        return self._line.ask(ask)

    def take_back(self, number: int) -> bool:
        """Take back what nobody has taken; False where somebody has."""
        return self._line.ask(lambda session: session.one(_TAKE_BACK, [number])) is not None

    def answer_to(self, number: int) -> str | None:
        """What was answered; None while nothing was."""
        row = self._line.ask(lambda session: session.one(_ANSWERED, [number]))
        return None if row is None else row[0]

    def answer(self, number: int, body: str) -> None:
        """Tell what came of an errand of ours."""
        self._line.ask(lambda session: session.run(_ANSWER, [body, number, self._session]))

    def leave(self) -> None:
        """Say that we are gone."""
        self._line.ask(lambda session: session.run(_LEAVE, [self._name, self._session]))

    def close(self) -> None:
        """Never waits for the server."""
        self._line.close()

    def _prepare(self, session: Session) -> None:
        server.greet(session, self.place, writes=True)
        server.check_schema(session, self.place)


def _presence(
    name: str,
    host: str,
    version: str,
    sees: bool,  # noqa: FBT001  # a row's column
    seconds_ago: float,
    knows: str | None,
    settings: str | None,
) -> Presence:
    known = capabilities.read(knows)
    return Presence(name, host, version, sees, seconds_ago, known, settings or "")
