"""What the watchdog keeps on disk: the journal, which decides; the history, which may be lost."""

from watchdog.store.journal import SqliteJournal

__all__ = ["SqliteJournal"]
