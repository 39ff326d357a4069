"""What stands, as fields of a JSON document: the one form for files and for HTTP calls.

A text that is one field and nothing else becomes the field's value with its type; inside a longer
text it becomes text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from watchdog.core.telling.status_pages import OF_COMPONENT, fields_in
from watchdog.core.words import Instant
from watchdog.ports import IncidentSheet, StatusSheet


def fields(sheet: StatusSheet) -> Mapping[str, Any]:
    """Every field by its name."""
    components = {component.name: condition.value for component, condition in sheet.components}
    return {
        "status": sheet.worst.value,
        "components": components,
        "incidents": [_incident(one) for one in sheet.open],
        "notice": "\n\n".join(one.body for one in sheet.open),
        "updated": _utc(sheet.at),
        "environment": sheet.environment,
        "identity": sheet.identity,
        **{f"{OF_COMPONENT}{name}": condition for name, condition in components.items()},
    }


def filled(template: Any, found: Mapping[str, Any]) -> Any:
    """The template with its fields. One that is not known is left as it stands."""
    if isinstance(template, Mapping):
        return {key: filled(value, found) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, found) for value in template]
    if not isinstance(template, str):
        return template
    for name in fields_in(template):
        mark = f"${{{name}}}"
        if name in found and template == mark:
            return found[name]
    text = template
    for name in dict.fromkeys(fields_in(template)):
        if name in found:
            value = found[name]
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            text = text.replace(f"${{{name}}}", shown)
    return text


def _incident(one: IncidentSheet) -> dict[str, Any]:
    return {
        "id": one.key,
        "component": one.component.name,
        "title": one.title,
        "status": one.course.value,
        "condition": one.condition.value,
        "message": one.body,
        "since": _utc(one.since),
        "estimatedResolution": _utc(one.estimate),
        "nextUpdate": _utc(one.next_update),
    }


def _utc(at: Instant | None) -> str | None:
    return f"{at.utc:%Y-%m-%dT%H:%M:%SZ}" if at is not None else None
