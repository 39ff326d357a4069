"""The daemons on a shared store: who is there, and what one does for another.

The laws are the port's (`ports.Peers`). An errand that waits is handed out with the statement that
marks it as taken, so no two processes have it; and one that nobody took in time is nobody's.
"""

from __future__ import annotations

import secrets

from watchdog.core import capabilities
from watchdog.ports import Errand, JournalError, Presence
from watchdog.store.postgres import server
from watchdog.store.postgres.address import Address
from watchdog.store.postgres.line import Line, Session

GONE_AFTER_SECONDS = 3600.0
KEPT_SECONDS = 3600.0
MOST_AT_ONCE = 20
MOST_CHARACTERS = 1024 * 1024

_HERE = """
INSERT INTO slo_watchdog.daemons (name, session, host, version, sees, knows, seen_at)
VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp())
ON CONFLICT (name) DO UPDATE
   SET session = excluded.session, host = excluded.host, version = excluded.version,
       sees = excluded.sees, knows = excluded.knows, seen_at = excluded.seen_at
"""
_PRESENT = """
SELECT name, host, version, sees,
       greatest(0, extract(epoch FROM clock_timestamp() - seen_at))::float8, knows
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

    def meet(self, me: Presence) -> tuple[tuple[Presence, ...], tuple[Errand, ...]]:
        """Say that we are here; who is, and what is to be done on our host."""

        def ask(session: Session) -> tuple[tuple[Presence, ...], tuple[Errand, ...]]:
            knows = capabilities.written(me.knows)
            session.run(_HERE, [me.name, self._session, me.host, me.version, me.sees, knows])
            there = session.all(_PRESENT, [GONE_AFTER_SECONDS])
            receivers = [me.to_host, me.to_daemon]
            taken = session.all(_TAKE, [self._session, receivers, MOST_AT_ONCE])
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
) -> Presence:
    return Presence(name, host, version, sees, seconds_ago, capabilities.read(knows))
