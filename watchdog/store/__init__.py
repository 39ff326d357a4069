"""What the watchdog keeps on disk: the journal, which decides; the history, which may be lost."""

from watchdog.store.history import SqliteHistory
from watchdog.store.journal import SqliteJournal
from watchdog.store.reader import JournalReader, open_reader
from watchdog.store.sole import SoleLease

__all__ = ["JournalReader", "SoleLease", "SqliteHistory", "SqliteJournal", "open_reader"]
