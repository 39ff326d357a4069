"""What status pages have accepted, and which of them fail: on the record, and folded from it.

Entries are made on change alone: what was accepted when it was another state or a promised update,
a failure when it begins. So after a restart, or under another leader, nothing is told twice without
need, and an incident that is open on a page is known to whoever has to close it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from watchdog.core.telling.status_pages import ShownIncident
from watchdog.core.words import Instant

PAGE_KEY = "status-page:"
"""Before a page's name in the key of what people are told about it."""


@dataclass(frozen=True, slots=True)
class StatusShown:
    """A status page has accepted what stands, as `digest` names it."""

    page: str
    digest: str
    condition: str  # the worst of its components
    incidents: tuple[ShownIncident, ...] = ()  # those that are open on it from here on
    update: int = 0  # how often its readers heard again of what stood already
    next_update: Instant | None = None  # when its readers were promised to hear again
    attempts: int = 1
    kind: Literal["aside.status.shown"] = "aside.status.shown"


@dataclass(frozen=True, slots=True)
class StatusNotShown:
    """A status page began to refuse, or not to answer."""

    page: str
    reason: str
    kind: Literal["aside.status.not_shown"] = "aside.status.not_shown"


@dataclass(frozen=True, slots=True)
class Accepted:
    entry: StatusShown
    at: Instant

    def is_due(self, now: Instant) -> bool:
        """Whether its readers are to hear again by now."""
        promised = self.entry.next_update
        return promised is not None and now.steady >= promised.steady


@dataclass(frozen=True, slots=True)
class Failing:
    since: Instant
    reason: str
    paged: bool = False


@dataclass(slots=True)
class PagesTold:
    """Read freely; changed by the book alone."""

    accepted: dict[str, Accepted] = field(default_factory=dict)  # page -> the last that was
    failing: dict[str, Failing] = field(default_factory=dict)

    def incidents(self, page: str) -> tuple[ShownIncident, ...]:
        """Those that are open on the page, as far as the record knows."""
        last = self.accepted.get(page)
        return last.entry.incidents if last is not None else ()

    def take(self, entry: object, at: Instant) -> None:
        """Take one entry in. Most are of no concern here."""
        match entry:
            case StatusShown():
                self.accepted[entry.page] = Accepted(entry, at)
                self.failing.pop(entry.page, None)
            case StatusNotShown():
                self.failing.setdefault(entry.page, Failing(at, entry.reason))
            case _:
                key = str(getattr(entry, "key", ""))
                page = key.removeprefix(PAGE_KEY)
                if page != key and page in self.failing:
                    self.failing[page] = replace(self.failing[page], paged=True)
