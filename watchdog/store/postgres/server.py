"""What a server must be before anything is entrusted to it, and what each session asks of it.

A commit that is answered must be on its disk: not with fsync off, not with a commit that does not
wait, not on a standby. The session's own limits lie below those of the caller, so that a server
that still works gives up first and says so; and a session whose client is gone must not hold the
journal's one lock for hours, so the server is asked to find out soon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchdog.ports import JournalBroken, JournalError, JournalTooNew
from watchdog.store.postgres.line import Session
from watchdog.store.postgres.trouble import lost, missing
from watchdog.store.trouble import Place

OLDEST = 14
SCHEMA = "slo_watchdog"
REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""The schema's steps, oldest first; a store must be at the last."""

_SESSION = """
SET search_path = pg_catalog;
SET default_transaction_isolation = 'read committed';
SET idle_in_transaction_session_timeout = '5s';
SET client_connection_check_interval = '2s';
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '10s'
"""

_FACTS = """
SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),
       current_setting('fsync'), current_setting('synchronous_commit'), pg_is_in_recovery(),
       current_setting('transaction_read_only')
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server says of itself in our session."""

    version: int
    encoding: str
    fsync: str
    synchronous_commit: str
    standby: bool
    read_only: str

    def unfit(self) -> str:
        """Why nothing that must last can be entrusted to it, or nothing."""
        if self.version < OLDEST:
            return f"is PostgreSQL {self.version}; {OLDEST} or newer is needed"
        if self.encoding != "UTF8":
            return f"the database is in {self.encoding}. Make one in UTF8: createdb -E UTF8"
        if self.fsync != "on":
            return "runs with fsync off, so that a crash loses what it said it had. Set fsync = on"
        if self.synchronous_commit not in {"on", "remote_apply"}:
            return f"does not let synchronous_commit be on here; it is {self.synchronous_commit}"
        return ""

    def not_now(self) -> str:
        """Why it cannot be written to at present, though it may be later."""
        if self.standby:
            return "is a standby, which cannot be written to. Name the primary, or both, in `store`"
        if self.read_only != "off":
            return "is read-only (default_transaction_read_only)"
        return ""


def greet(session: Session, place: Place, *, writes: bool) -> None:
    """Set the session up. Raises JournalError where the server is not fit."""
    if session.info.server_version // 10000 < OLDEST:
        raise _unfit(place, Facts(session.info.server_version // 10000, "", "", "", False, ""))  # noqa: FBT003  # never looked at
    session.run(_SESSION)
    if not writes:
        session.run("SET default_transaction_read_only = on")
        return
    facts = _facts(session)
    if facts.synchronous_commit != "remote_apply":
        session.run("SET synchronous_commit = 'on'")
        facts = _facts(session)
    if facts.unfit():
        raise _unfit(place, facts)
    if facts.not_now():
        raise lost(place, facts.not_now())


def check_schema(session: Session, place: Place) -> None:
    """Raises JournalMissing or JournalTooNew unless the schema is the one of this program."""
    found = revision(session)
    if found is None:
        raise missing(place, "there is no journal in this database")
    if found not in REVISIONS:
        raise JournalTooNew(
            f"{place} has schema {found}, and this program knows up to {REVISIONS[-1]}. Install "
            "the slo-watchdog that wrote it, or a newer one."
        )
    if found != REVISIONS[-1]:
        raise missing(
            place,
            f"its schema is {found} and this program needs {REVISIONS[-1]}. Stop the daemons, back "
            "it up, and run `slo-watchdog init`, which brings it up to date",
        )


def revision(session: Session) -> str | None:
    """The schema's present step; None where there is no schema."""
    there = session.one(f"SELECT to_regclass('{SCHEMA}.alembic_version') IS NOT NULL")
    if not (there and there[0]):
        return None
    row = session.one(f"SELECT version_num FROM {SCHEMA}.alembic_version")  # noqa: S608  # our constant
    return None if row is None else str(row[0])


def _facts(session: Session) -> Facts:
    row: tuple[Any, ...] | None = session.one(_FACTS)
    assert row is not None, "a SELECT of constants has one row"  # noqa: S101  # assertions stay on
    return Facts(*row)


def _unfit(place: Place, facts: Facts) -> JournalError:
    return JournalBroken(f"{place}: the server {facts.unfit()}")
