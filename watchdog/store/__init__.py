"""What the watchdog keeps on record: the journal, which decides; the history, which may be lost."""

from watchdog.store.backup import Backup, back_up
from watchdog.store.history import SqliteHistory
from watchdog.store.journal import SqliteJournal
from watchdog.store.opening import Reader, Store, Where, create, open_reader, open_store, take_over
from watchdog.store.sole import SoleLease

__all__ = [
    "Backup",
    "Reader",
    "SoleLease",
    "SqliteHistory",
    "SqliteJournal",
    "Store",
    "Where",
    "back_up",
    "create",
    "open_reader",
    "open_store",
    "take_over",
]
