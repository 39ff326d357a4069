"""Tells a page of Atlassian Statuspage: an incident for each component that is in trouble.

    GET   /v1/pages/PAGE/incidents/unresolved        ours are known by their metadata
    POST  /v1/pages/PAGE/incidents                   {"incident": {name, status, body, ...}}
    PATCH /v1/pages/PAGE/incidents/INCIDENT          with the state of its component

The law: ours is looked for before one is made, so that an answer which was lost makes no second
one; what an incident was told last stands in its metadata, so that it is not told twice. Of ours,
all that do not stand any more are resolved. What people opened there is never touched.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from watchdog.core.telling.status_pages import AtlassianPage, Condition, Course
from watchdog.ports import Delivered, IncidentSheet, Shown, StatusSheet
from watchdog.wire.http import HttpProblem, Wire
from watchdog.wire.taken import shown_by

_LARGEST_ANSWER_BYTES = 4 << 20
_AT_ONCE = 100
_MARK = "slo-watchdog"
_LONGEST_NAME = 250
_GONE = 404

_WORDS = {
    Condition.OPERATIONAL: "operational",
    Condition.MONITORING: "operational",
    Condition.DEGRADED: "degraded_performance",
    Condition.PARTIAL: "partial_outage",
    Condition.MAJOR: "major_outage",
}


class _Failed(Exception):
    """One of the requests was not taken."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(shown.reason)
        self.shown = shown


@dataclass(frozen=True, slots=True)
class _Found:
    """An incident of ours that is open there."""

    reference: str
    key: str
    revision: str


class AtlassianBoard:
    """Implements `ports.StatusBoard`."""

    def __init__(self, how: AtlassianPage, wire: Wire) -> None:
        self._how = how
        self._wire = wire

    async def show(self, sheet: StatusSheet, *, deadline_seconds: float) -> Shown:
        references: dict[str, str] = {}
        loop = asyncio.get_running_loop()
        asking = _Asking(self._how, self._wire, loop.time() + deadline_seconds)
        try:
            there = {one.key: one for one in await asking.unresolved(sheet.prefix)}
            for incident in sheet.open:
                reference = await asking.stands(incident, there.pop(incident.key, None))
                references[incident.key] = reference
            for incident in sheet.over:
                await asking.ended(incident, there.pop(incident.key, None))
            for stray in there.values():  # of a time that the record does not know any more
                await asking.strays(stray)
        except _Failed as failed:
            return replace(failed.shown, references=tuple(references.items()))
        return Shown(Delivered.SENT, references=tuple(references.items()))

    async def look(self, *, deadline_seconds: float) -> Shown:
        """Whether the token opens the page."""
        loop = asyncio.get_running_loop()
        asking = _Asking(self._how, self._wire, loop.time() + deadline_seconds)
        try:
            await asking.unresolved("")
        except _Failed as failed:
            return failed.shown
        return Shown(Delivered.SENT)


class _Asking:
    """The requests of one telling, within one total deadline."""

    def __init__(self, how: AtlassianPage, wire: Wire, ends: float) -> None:
        self._how = how
        self._wire = wire
        self._ends = ends

    async def unresolved(self, prefix: str) -> list[_Found]:
        """Those of ours that are open, of this environment and page."""
        found = await self._ask("GET", f"/incidents/unresolved?per_page={_AT_ONCE}")
        if not isinstance(found, list):
            raise _Failed(Shown(Delivered.NOT_SENT, "it answers with no list of incidents"))
        marked = [one for row in found if (one := _ours(row)) is not None]
        return [one for one in marked if one.key.startswith(prefix)]

    async def stands(self, incident: IncidentSheet, there: _Found | None) -> str:
        """Make it stand as it is; the page's name of it."""
        if there is None and incident.reference:
            there = await self._known(incident)
        if there is None:
            made = await self._ask("POST", "/incidents", self._written(incident, new=True))
            return str(made.get("id", "")) if isinstance(made, dict) else ""
        if there.revision != incident.revision:
            await self._ask("PATCH", f"/incidents/{there.reference}", self._written(incident))
        return there.reference

    async def ended(self, incident: IncidentSheet, there: _Found | None) -> None:
        """Resolve it, where it is open."""
        if there is not None:
            await self._ask("PATCH", f"/incidents/{there.reference}", self._written(incident))

    async def strays(self, there: _Found) -> None:
        body = {"status": Course.RESOLVED.value, "body": "This incident is over."}
        await self._ask("PATCH", f"/incidents/{there.reference}", {"incident": body})

    async def _known(self, incident: IncidentSheet) -> _Found | None:
        """One that was made and is not open: people closed it there, or removed it."""
        try:
            row = await self._ask("GET", f"/incidents/{incident.reference}")
        except _Failed as failed:
            if failed.shown.reason.startswith(f"HTTP {_GONE}"):
                return None
            raise
        return _ours(row)

    def _written(self, incident: IncidentSheet, *, new: bool = False) -> dict[str, Any]:
        component = incident.component
        told: dict[str, Any] = {
            "status": incident.course.value,
            "body": incident.body,
            "deliver_notifications": self._how.notify,
            "metadata": {_MARK: {"key": incident.key, "revision": incident.revision}},
        }
        if component.reference:
            word = _WORDS.get(incident.condition, component.paused_as)
            told["components"] = {component.reference: word}
            told["component_ids"] = [component.reference]
        if new:
            told["name"] = incident.title[:_LONGEST_NAME]
        return {"incident": told}

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        base = self._how.endpoint
        url = f"{base.url.rstrip('/')}/v1/pages/{self._how.page}{path}"
        loop = asyncio.get_running_loop()
        outcome = await self._wire.ask(
            replace(base, url=url),
            method=method,
            body=json.dumps(body) if body is not None else None,
            headers={"accept": "application/json"},
            deadline_seconds=max(0.01, self._ends - loop.time()),
            max_bytes=_LARGEST_ANSWER_BYTES,
        )
        shown = shown_by(outcome, base, self._wire.secrets)
        if isinstance(outcome, HttpProblem) or shown.result is not Delivered.SENT:
            raise _Failed(shown)
        try:
            return json.loads(outcome.body)
        except (ValueError, RecursionError):
            raise _Failed(Shown(Delivered.NOT_SENT, "it answers with no JSON")) from None


def _ours(row: object) -> _Found | None:
    """What the metadata of an incident says; None where it is somebody else's."""
    metadata = row.get("metadata") if isinstance(row, dict) else None
    mark = metadata.get(_MARK) if isinstance(metadata, dict) else None
    if (
        not isinstance(row, dict)
        or not isinstance(mark, dict)
        or not isinstance(row.get("id"), str)
    ):
        return None
    return _Found(row["id"], str(mark.get("key", "")), str(mark.get("revision", "")))
