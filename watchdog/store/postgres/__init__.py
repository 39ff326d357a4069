"""The store that daemons share, on PostgreSQL: journal, history, who leads, and who is there."""

from watchdog.store.postgres.address import Address
from watchdog.store.postgres.history import PostgresHistory
from watchdog.store.postgres.journal import PostgresJournal
from watchdog.store.postgres.lease import PostgresLease
from watchdog.store.postgres.peers import PostgresPeers
from watchdog.store.postgres.reader import PostgresReader

__all__ = [
    "Address",
    "PostgresHistory",
    "PostgresJournal",
    "PostgresLease",
    "PostgresPeers",
    "PostgresReader",
]
