"""In which zone the people of a policy live, by the record: papers tell times as messages do."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from watchdog.core.book import Book
from watchdog.policy.contacts import zone_in


def zone_of(book: Book) -> ZoneInfo | None:
    """That of the `contacts.yaml` in force; None where there is none."""
    if book.policy is None or book.started is None:
        return None
    return zone_in(dict(book.policy.files), book.started.environment)
