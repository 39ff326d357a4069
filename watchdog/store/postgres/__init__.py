"""The store that daemons share, on PostgreSQL: journal, history, and the lease of who leads."""

from watchdog.store.postgres.address import Address
from watchdog.store.postgres.history import PostgresHistory
from watchdog.store.postgres.journal import PostgresJournal
from watchdog.store.postgres.lease import PostgresLease
from watchdog.store.postgres.reader import PostgresReader

__all__ = [
    "Address",
    "PostgresHistory",
    "PostgresJournal",
    "PostgresLease",
    "PostgresReader",
]
