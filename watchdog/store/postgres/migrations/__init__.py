"""The schema's history. A released step is never changed: what is to be otherwise is a new step."""

from __future__ import annotations

from alembic import op

from watchdog.store.postgres.line import Session


def here() -> Session:
    """The session in whose transaction the steps are taken.

    They are written in the server's own words, functions and triggers, which no table object says.
    """
    session = op.get_bind().connection.driver_connection
    assert isinstance(session, Session), "setup.py made the engine on one"  # noqa: S101  # assertions stay on
    return session
