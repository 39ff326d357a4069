"""Status pages: which there are, what they call the parts of the service, and what a part can be.

Plain values of one policy, and the words in which a page is told. What stands of them at one moment
is in `page_state.py`; what a page has accepted is in `pages_told.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from watchdog.core.asking import Endpoint
from watchdog.core.naming import family_of
from watchdog.core.words import Instant

ANY_HOST = "any"


class Condition(StrEnum):
    """How a component does, for those who use it; the worst last."""

    OPERATIONAL = "operational"
    MONITORING = "monitoring"  # switched on again, and watched
    DEGRADED = "degraded"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"
    PAUSED = "paused"  # rolled back, as the read-back has shown


class Course(StrEnum):
    """Where an incident stands."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


COURSE_OF = {
    Condition.OPERATIONAL: Course.RESOLVED,
    Condition.MONITORING: Course.MONITORING,
    Condition.DEGRADED: Course.INVESTIGATING,
    Condition.PARTIAL: Course.INVESTIGATING,
    Condition.MAJOR: Course.INVESTIGATING,
    Condition.PAUSED: Course.IDENTIFIED,
}


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the service as its users know it, and by what we know how it does.

    `burning` is what is shown of trouble that nothing is rolled back for; None shows nothing of it.
    """

    name: str
    title: str
    targets: tuple[str, ...] = ()  # of actions
    rules: tuple[str, ...] = ()
    burning: Condition | None = None
    summary: str = ""  # in the public's words, while it is paused
    impact: str = ""
    estimate_seconds: float | None = None  # how long a pause of it usually lasts
    reference: str = ""  # the page's own name of it
    paused_as: str = "partial_outage"  # where the page has no word for paused

    @property
    def words(self) -> tuple[str, ...]:
        """All that a page is told of it, however it does."""
        return self.name, self.title, self.summary, self.impact, self.reference, self.paused_as


@dataclass(frozen=True, slots=True)
class AtlassianPage:
    """A page of Atlassian Statuspage; the endpoint is the API's base, with the token's header."""

    endpoint: Endpoint
    page: str
    notify: bool = True  # whether it tells its subscribers

    @property
    def place(self) -> str:
        """Where it stands: no two pages stand at one."""
        return f"{self.endpoint.url} {self.page}"

    @property
    def form(self) -> str:
        """How it is written there."""
        return ""


@dataclass(frozen=True, slots=True)
class StatusFile:
    """A JSON document in a file of one host; `fields` are (path, JSON text with ${FIELD})."""

    path: str
    host: str
    fields: tuple[tuple[tuple[str, ...], str], ...]

    @property
    def place(self) -> str:
        """Where it stands: no two pages stand at one."""
        return f"{self.host}:{self.path}"

    @property
    def form(self) -> str:
        """How it is written there."""
        return repr(self.fields)


@dataclass(frozen=True, slots=True)
class StatusCall:
    """An HTTP call with a JSON body, whose texts hold ${FIELD}; `look` is asked to try it."""

    method: str
    endpoint: Endpoint
    body: str
    look: Endpoint | None = None

    @property
    def place(self) -> str:
        """Where it stands: no two pages stand at one."""
        return self.endpoint.url

    @property
    def form(self) -> str:
        """How it is written there."""
        return f"{self.method} {self.body}"


@dataclass(frozen=True, slots=True)
class StatusPage:
    name: str
    how: AtlassianPage | StatusFile | StatusCall
    components: tuple[Component, ...]
    update_seconds: float | None = None  # how often those who read it hear of what goes on
    again_seconds: float | None = None  # how often it is told again what it has accepted
    deadline_seconds: float = 10.0  # total, of one telling
    page_after_seconds: float = 300.0  # for how long it may fail before people are told

    @property
    def host(self) -> str:
        """The one host whose daemon tells it, or `any`."""
        return self.how.host if isinstance(self.how, StatusFile) else ANY_HOST


def public_parts(pages: Iterable[StatusPage], rule: str, target: str) -> tuple[Component, ...]:
    """What the public knows a target as, or else what a rule watches; () where no page names it.

    The components of the first page that has any.
    """
    known = [page.components for page in pages]
    of_target = (tuple(one for one in parts if target in one.targets) for parts in known)
    of_rule = (tuple(one for one in parts if family_of(rule) in one.rules) for parts in known)
    return next((parts for parts in (*of_target, *of_rule) if parts), ())


@dataclass(frozen=True, slots=True)
class ShownIncident:
    """One that a page was told of and not yet told to be over; `reference` is the page's name."""

    key: str
    component: str
    reference: str = ""
    condition: str = ""  # as it was told; "" where an earlier version told it
    since: Instant | None = None

    @property
    def paused_since(self) -> Instant | None:
        """As the page says it; None where it says that nothing is paused."""
        return self.since if self.condition == Condition.PAUSED else None


FIELDS = {
    "status": "the worst condition of all components: operational, monitoring, degraded, "
    "partial_outage, major_outage, paused",
    "components": "an object: component to condition",
    "incidents": "a list of those that are open",
    "notice": "the texts of those that are open, or nothing",
    "updated": "when this was told, in UTC",
    "environment": "of the daemon",
    "identity": "of this state; told again it is the same",
}
"""What may stand as ${FIELD} in a JSON document, and in an HTTP call's body."""

OF_COMPONENT = "component."
"""Before a component's name in a field: its condition."""

OURS = frozenset(condition.value for condition in Condition)
"""Words that we put into a document; any other there is somebody else's."""


def fields_in(text: str) -> tuple[str, ...]:
    """The names of the fields that a text asks for."""
    return tuple(_FIELD.findall(text))


_FIELD = re.compile(r"\$\{([^{}$]*)\}")
