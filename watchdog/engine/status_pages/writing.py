"""From what stands to what a page is told: each incident with its text, and all of it together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from watchdog.core.spec import Policy
from watchdog.core.telling.page_state import ComponentNow, PageState
from watchdog.core.telling.status_pages import Component, Condition, Course, ShownIncident
from watchdog.core.words import Instant
from watchdog.messages import STATUS, Message, compose
from watchdog.ports import IncidentSheet, StatusSheet

HEADINGS = {
    Condition.OPERATIONAL: "resolved",
    Condition.MONITORING: "available again, and watched",
    Condition.DEGRADED: "degraded",
    Condition.PARTIAL: "partly out of order",
    Condition.MAJOR: "out of order",
    Condition.PAUSED: "paused",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """One state of one page on its way; `update` counts how often what stood was told anew.

    `after` is when the page accepted what it was told before: nothing yet where it is None.
    """

    state: PageState
    update: int
    next_update: Instant | None
    at: Instant  # when it was first told so
    after: Instant | None = None

    @property
    def revision(self) -> str:
        """One for what is shown, whenever it is."""
        return f"{self.state.digest}-{self.update}"

    @property
    def identity(self) -> str:
        """One for each change, however often it is tried: what stood before may come back."""
        after = round(self.after.wall * 1000) if self.after is not None else 0
        return f"{self.revision}-{after}"


def sheet(telling: Telling, policy: Policy) -> StatusSheet:
    """All that a page is to show."""
    state = telling.state
    by_name = {one.component.name: one.component for one in state.components}
    return StatusSheet(
        environment=policy.environment,
        page=state.page.name,
        identity=f"{policy.environment}/{state.page.name}/{telling.identity}",
        worst=state.worst,
        components=tuple((one.component, one.condition) for one in state.components),
        open=tuple(_open(one, telling, policy) for one in state.open),
        over=tuple(_over(one, by_name, telling, policy) for one in state.ended),
        at=telling.at,
    )


def _open(one: ComponentNow, telling: Telling, policy: Policy) -> IncidentSheet:
    written = _written(one.component, one, telling.next_update, policy)
    return IncidentSheet(
        key=one.incident,
        revision=f"{one.digest}-{telling.update}",  # of this one alone: others may change
        component=one.component,
        condition=one.condition,
        course=one.course,
        title=written.subject,
        body=written.body,
        since=one.since,
        estimate=one.estimate,
        next_update=telling.next_update,
        reference=one.reference,
    )


def _over(
    ended: ShownIncident, by_name: dict[str, Component], telling: Telling, policy: Policy
) -> IncidentSheet:
    """Also of a component that the policy does not name any more."""
    component = by_name.get(ended.component) or Component(ended.component, ended.component)
    now = ComponentNow(component, Condition.OPERATIONAL)
    written = _written(component, now, None, policy)
    return IncidentSheet(
        key=ended.key,
        revision=telling.revision,
        component=component,
        condition=Condition.OPERATIONAL,
        course=Course.RESOLVED,
        title=written.subject,
        body=written.body,
        reference=ended.reference,
    )


def _written(
    component: Component, one: ComponentNow, next_update: Instant | None, policy: Policy
) -> Message:
    own = dict(policy.contacts.templates) if policy.contacts is not None else {}
    fields: dict[str, Any] = {
        "environment": policy.environment,
        "component": component.title,
        "condition": one.condition.value,
        "heading": HEADINGS[one.condition],
        "summary": component.summary,
        "impact": component.impact,
        "began_at": clock(one.since),
        "verified_at": clock(one.since) if _is_verified(one) else "",
        "estimate": clock(one.estimate),
        "late": one.late,
        "next_update_at": clock(next_update),
    }
    message = compose(STATUS, fields, own.get(STATUS))
    if message.problem:
        structlog.get_logger().error("status.template", problem=message.problem)
    return message


def _is_verified(one: ComponentNow) -> bool:
    return one.condition is Condition.PAUSED and not one.doubted


def clock(at: Instant | None) -> str:
    """As 2026-11-23 14:05 UTC."""
    return f"{at.utc:%Y-%m-%d %H:%M} UTC" if at is not None else ""
