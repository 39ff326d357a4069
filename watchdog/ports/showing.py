"""The port by which a status page is told what stands. What comes of it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from watchdog.core.telling.status_pages import Component, Condition, Course
from watchdog.core.words import Instant
from watchdog.ports.telling import Delivered


@dataclass(frozen=True, slots=True)
class IncidentSheet:
    """One incident as it is to stand. Told again under the same `revision` it is the same."""

    key: str
    revision: str
    component: Component
    condition: Condition
    course: Course
    title: str
    body: str
    since: Instant | None = None
    estimate: Instant | None = None
    next_update: Instant | None = None
    reference: str = ""  # the page's own name of it, where that is known


@dataclass(frozen=True, slots=True)
class StatusSheet:
    """All that a page is to show: every component, what is open, and what is over."""

    environment: str
    page: str
    identity: str  # of this state: told again it is the same one
    worst: Condition
    components: tuple[tuple[Component, Condition], ...]
    open: tuple[IncidentSheet, ...] = ()
    over: tuple[IncidentSheet, ...] = ()
    at: Instant | None = None

    @property
    def prefix(self) -> str:
        """With which the keys of all its incidents begin."""
        return f"{self.environment}/{self.page}/"


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a telling, or of a look. `references` are (key, the page's name of it)."""

    result: Delivered
    reason: str = ""
    retry_after_seconds: float | None = None
    references: tuple[tuple[str, str], ...] = ()


class StatusBoard(Protocol):
    """One status page."""

    async def show(self, sheet: StatusSheet, *, deadline_seconds: float) -> Shown:
        """Make the page show this, and nothing else of ours. Never raises."""
        ...

    async def look(self, *, deadline_seconds: float) -> Shown:
        """Whether it could be told, found out without changing anything. Never raises."""
        ...
