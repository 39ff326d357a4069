"""Checkpoints on PostgreSQL, each daemon's under its own name.

The law is the port's: losing this costs warm-up time, never a decision. So nothing here is fatal:
a save that fails is made in full by the next one, and `problem` says meanwhile what is wrong. Safe
to use from a worker thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from watchdog.ports import JournalError
from watchdog.store import pieces
from watchdog.store.pieces import Change, Digests
from watchdog.store.postgres import server
from watchdog.store.postgres.address import Address
from watchdog.store.postgres.line import Line, Session

SAVE_SECONDS = 10.0
LOAD_SECONDS = 30.0

_KEY = """
INSERT INTO slo_watchdog.checkpoints VALUES (%s, %s, %s, %s, clock_timestamp())
ON CONFLICT (daemon, key) DO UPDATE
   SET pieces = excluded.pieces, digest = excluded.digest, saved_at = excluded.saved_at
"""
_PIECE = """
INSERT INTO slo_watchdog.pieces VALUES (%s, %s, %s, %s)
ON CONFLICT (daemon, key, piece) DO UPDATE SET body = excluded.body
"""
_SHORTEN = "DELETE FROM slo_watchdog.pieces WHERE daemon = %s AND key = %s AND piece >= %s"
_DROP = """
DELETE FROM slo_watchdog.pieces WHERE daemon = %s AND key = ANY(%s);
DELETE FROM slo_watchdog.checkpoints WHERE daemon = %s AND key = ANY(%s)
"""
_LOAD = """
SELECT c.key, c.pieces, c.digest, p.body
  FROM slo_watchdog.checkpoints c
  LEFT JOIN slo_watchdog.pieces p ON p.daemon = c.daemon AND p.key = c.key
 WHERE c.daemon = %s ORDER BY c.key, p.piece
"""


class PostgresHistory:
    """`ports.History`. `notices` are to be logged once; `problem` is empty while saving works."""

    def __init__(self, address: Address) -> None:
        """What `open` does."""
        self._place = address.place
        self._name = address.name
        self._line = Line(address, "history", self._prepare)
        self._mutex = threading.Lock()
        self._known: dict[str, Digests] = {}  # what is on the server, as we wrote or read it
        self.notices: list[str] = []
        self.problem = ""

    @classmethod
    def open(cls, address: Address) -> Self:
        """Always succeeds; where the server cannot be used, `problem` will say why."""
        return cls(address)

    def save(self, items: Mapping[str, bytes]) -> bool:
        """Write what has changed, all or nothing, and say whether it stands. See `problem`."""
        with self._mutex, self._troubled():
            news = {key: pieces.digests_of(value) for key, value in items.items()}
            changes = {
                key: pieces.change(items[key], self._known.get(key), digests)
                for key, digests in news.items()
                if digests != self._known.get(key)
            }
            if changes:
                self._line.ask(lambda session: self._write(session, changes), SAVE_SECONDS)
            self._known.update(news)
            self.problem = ""
        return not self.problem

    def load(self) -> Mapping[str, bytes]:
        """What was saved last; a value that is not whole is left out, with a notice."""
        whole: dict[str, bytes] = {}
        with self._mutex, self._troubled():
            bodies: dict[str, list[bytes]] = {}
            about: dict[str, tuple[int, bytes]] = {}
            rows = self._line.ask(
                lambda session: session.execute(_LOAD, [self._name], binary=True).fetchall(),
                LOAD_SECONDS,
            )
            for key, count, digest, body in rows:
                about[key] = count, digest
                bodies.setdefault(key, []).extend([] if body is None else [body])
            for key, (count, digest) in about.items():
                found = pieces.joined(bodies[key], count, digest)
                if found is None:
                    self.notices.append(
                        f"{self._place}: {key} is not whole; its window warms up again"
                    )
                else:
                    whole[key], self._known[key] = found
        return whole

    def drop(self, keys: Iterable[str]) -> None:
        """Forget these. Never raises: see `problem`."""
        gone = list(keys)
        if not gone:
            return
        with self._mutex, self._troubled():
            self._line.ask(lambda session: session.run(_DROP, [self._name, gone] * 2))
            for key in gone:
                self._known.pop(key, None)

    def close(self) -> None:
        self._line.close()

    # -- inside ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _troubled(self) -> Iterator[None]:
        """Whatever goes wrong becomes `problem`; what stands on the server is unknown then."""
        try:
            yield
        except JournalError as error:
            self.problem = str(error)
            self._known.clear()

    def _write(self, session: Session, changes: Mapping[str, Change]) -> None:
        name = self._name
        with session.transaction(), session.cursor() as cursor:
            for key, change in changes.items():
                cursor.execute(_KEY, [name, key, change.count, change.digest])
                cursor.execute(_SHORTEN, [name, key, 0 if change.anew else change.count])
            cursor.executemany(
                _PIECE,
                [
                    (name, key, number, body)
                    for key, change in changes.items()
                    for number, body in change.pieces
                ],
            )

    def _prepare(self, session: Session) -> None:
        server.greet(session, self._place, writes=True)
        server.check_schema(session, self._place)
