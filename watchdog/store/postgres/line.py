"""One connection to the server: every call on it ends by its deadline, whatever the server does.

The deadline is kept here, on our clock, since a server that hangs, drips or was stopped keeps to
none. A call that ends without an answer drops the connection: what was sent may have been done,
and the next connection will show. Connecting is done beside the caller, since looking up a name
has no deadline at all; while there is no connection a call fails soon and may be made again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen

from watchdog.ports import JournalBroken, JournalError, PortError
from watchdog.store.postgres.address import DIAL_SECONDS, Address
from watchdog.store.postgres.trouble import READ_ONLY, judged, lost, not_reached

CALL_SECONDS = 2.0
"""What the event loop may be held up for by one call."""
READ_SECONDS = 5.0
OPEN_SECONDS = 8.0
"""How long the first connection is waited for."""
PATIENCE_SECONDS = 0.5
"""How long a later one is, once: who was cut off must look after other things meanwhile."""
PAUSE_SECONDS = 0.5
"""Between two attempts to connect."""

_SERVER_SHARE = 0.75  # of a call's deadline; then the server gives up by itself
_LOCK_SHARE = 0.5

T = TypeVar("T")


class Session(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose every wait ends at `until`, on the monotonic clock."""

    until = 0.0
    limit_seconds = 0.0

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        left = max(0.0, self.until - time.monotonic())
        return super().wait(gen, interval, left if timeout is None else min(left, timeout))

    def begin(self, deadline_seconds: float) -> None:
        """A call begins: the server's own limits lie within the caller's."""
        if self.limit_seconds != deadline_seconds:
            self.run(
                f"SET statement_timeout = {round(deadline_seconds * _SERVER_SHARE * 1000)};"
                f"SET lock_timeout = {round(deadline_seconds * _LOCK_SHARE * 1000)}"
            )
            self.limit_seconds = deadline_seconds

    def run(self, query: str, values: Sequence[object] = ()) -> None:
        """One message: the server does all of it when it has the whole, or nothing."""
        self._send(query, values)

    def one(self, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        return self._send(query, values).fetchone()

    def all(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._send(query, values).fetchall()

    def _send(self, query: str, values: Sequence[object]) -> psycopg.ClientCursor[tuple[Any, ...]]:
        cursor = psycopg.ClientCursor(self)
        # As bytes: the text is always ours, and the values are quoted into it by libpq.
        return cursor.execute(query.encode(), values or None)


class Line:
    """A connection that mends itself. Safe to use from several threads, one call at a time."""

    def __init__(self, address: Address, purpose: str, prepare: Callable[[Session], None]) -> None:
        """`prepare` looks at each new connection before it is used; it may raise JournalError."""
        self.place = address.place
        self._address = address
        self._purpose = purpose
        self._prepare = prepare
        self._mutex = threading.RLock()
        self._session: Session | None = None
        self._dialling: Future[Session] | None = None
        self._refused: JournalError | None = None
        self._not_before = 0.0
        self._patience_seconds = OPEN_SECONDS
        self._closed = False

    def ask(self, work: Callable[[Session], T], deadline_seconds: float = CALL_SECONDS) -> T:
        """What `work` answers. Raises CutOff when it was cut off, else another JournalError."""
        until = time.monotonic() + deadline_seconds
        if not self._mutex.acquire(timeout=deadline_seconds):
            raise lost(self.place, "another call has not ended")
        try:
            session = self._connected()
            session.until = max(until, time.monotonic() + deadline_seconds / 2)
            try:
                session.begin(deadline_seconds)
                return work(session)
            except psycopg.Error as error:
                raise self._judged(session, error) from error
            except BaseException:
                self._drop()
                raise
        finally:
            self._mutex.release()

    def close(self) -> None:
        """Never waits for the server."""
        with self._mutex:
            self._closed = True
            self._drop()
            dialling, self._dialling = self._dialling, None
            if dialling is not None:
                dialling.add_done_callback(_hang_up)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside ------------------------------------------------------------------------------------

    def _judged(self, session: Session, error: psycopg.Error) -> JournalError:
        found = judged(error, self.place)
        if not error.sqlstate or session.closed or session.info.transaction_status:
            self._drop()  # no answer, or one that leaves the session in the middle of something
        elif error.sqlstate == READ_ONLY:
            self._drop()  # it is a standby by now; another connection may lead to the primary
        return found

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _connected(self) -> Session:
        """The connection; where there is none, one is made beside us and waited for a little."""
        if self._closed:
            raise JournalBroken(f"{self.place} has been closed")
        if self._session is not None and not self._session.closed:
            return self._session
        if self._dialling is None:
            if self._refused is not None and time.monotonic() < self._not_before:
                raise type(self._refused)(str(self._refused))
            self._dialling = self._dial_beside()
        try:
            self._session = self._dialling.result(timeout=self._patience_seconds)
        except TimeoutError:
            self._patience_seconds = 0.0  # this attempt has been waited for
            raise lost(self.place, "the server does not answer") from None
        except JournalError as error:
            self._dialling = None
            self._patience_seconds = PATIENCE_SECONDS
            self._refused, self._not_before = error, time.monotonic() + PAUSE_SECONDS
            raise type(error)(str(error)) from error
        self._dialling = self._refused = None
        self._patience_seconds = PATIENCE_SECONDS
        return self._session

    def _dial_beside(self) -> Future[Session]:
        future: Future[Session] = Future()

        def dial() -> None:
            try:
                future.set_result(self._dial())
            except JournalError as error:
                future.set_exception(error)
            except PortError as error:
                future.set_exception(lost(self.place, self._of_the_credential(error)))
            except Exception as error:  # noqa: BLE001  # whatever it is, the caller must hear of it
                future.set_exception(
                    JournalBroken(f"{self.place}: {type(error).__name__}: {error}")
                )

        threading.Thread(target=dial, name="reach the store", daemon=True).start()
        return future

    def _of_the_credential(self, error: PortError) -> str:
        told = self._address.credential
        return f"{error} ({told})" if told else str(error)

    def _dial(self) -> Session:
        try:
            session = Session.connect(
                self._address.conninfo(self._purpose), autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            raise not_reached(error, self.place, self._address.credential) from error
        try:
            session.until = time.monotonic() + DIAL_SECONDS
            self._prepare(session)
        except psycopg.Error as error:
            session.close()
            raise judged(error, self.place) from error
        except BaseException:
            session.close()
            raise
        return session


def _hang_up(dialled: Future[Session]) -> None:
    if dialled.exception() is None:
        dialled.result().close()
