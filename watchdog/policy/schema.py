"""JSON Schemas of the rule files, from the models that judge them: for editors' completion.

A schema knows form only. The laws across keys, and the languages inside texts, are judged by the
load, so a file that satisfies its schema may still be refused; a file that loads satisfies it.

`slo-watchdog schema --write rules` puts them into a folder's `.schema/`, which no load reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from watchdog.core.words import Severity
from watchdog.policy.base import Shape
from watchdog.policy.contacts_models import (
    AudienceShape,
    ContactChannelShape,
    LadderShape,
    OnCallShape,
    PersonShape,
    RoleShape,
)
from watchdog.policy.document import VERSION
from watchdog.policy.drills import DrillShape
from watchdog.policy.event_models import ChannelShape
from watchdog.policy.platform_models import (
    ActionShape,
    AlertmanagerShape,
    LimitsShape,
    RungShape,
    SourceShape,
    WindowShape,
)
from watchdog.policy.procedure import ProcedureShape
from watchdog.policy.releases_models import ReleaseActionShape
from watchdog.policy.restoring_models import ConfigActionShape, SystemActionShape
from watchdog.policy.rule_models import RuleShape
from watchdog.policy.status_pages_models import StatusPageShape
from watchdog.policy.unleash_models import UnleashActionShape

FOLDER = ".schema"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAME = r"^[a-z][a-z0-9-]*$"
_VARIABLE = {"type": "string", "pattern": r"\{\{.*\}\}"}
_NAMES = {"type": "array", "items": {"type": "string"}}
_ACTIONS = (
    ActionShape,
    UnleashActionShape,
    ConfigActionShape,
    SystemActionShape,
    ReleaseActionShape,
)
Made = dict[str, Any]


def platform() -> Made:
    """platform.yaml."""
    return _file(
        "The platform's file: sources, actions, playbooks, and who may use them",
        {
            "environment": {"type": "string", "pattern": _NAME},
            "environments": {**_NAMES, "minItems": 1},
            "sources": _named(_ref(SourceShape)),
            "events": _named(_ref(ChannelShape)),
            "actions": _named({"anyOf": [_ref(shape) for shape in _ACTIONS]}),
            "playbooks": _named({"type": "array", "items": _ref(RungShape), "minItems": 1}),
            "grants": _named(_NAMES),
            "maintenance": _named(_ref(WindowShape)),
            "limits": _ref(LimitsShape),
            "alertmanager": _ref(AlertmanagerShape),
            "procedure": _ref(ProcedureShape),
            "drills": _named(_ref(DrillShape)),
        },
        (
            SourceShape,
            ChannelShape,
            *_ACTIONS,
            RungShape,
            WindowShape,
            LimitsShape,
            AlertmanagerShape,
            ProcedureShape,
            DrillShape,
        ),
    )


def contacts() -> Made:
    """contacts.yaml."""
    told = {"type": "array", "items": {"type": ["string", "object"]}, "minItems": 1}
    made = _file(
        "Who is told: channels, people, roles, audiences, and who is told next",
        {
            "channels": _named(_ref(ContactChannelShape)),
            "people": _named(_ref(PersonShape)),
            "roles": _named(_ref(RoleShape)),
            "on-call": _ref(OnCallShape),
            "audiences": _named(_ref(AudienceShape)),
            "escalation": {
                "type": "object",
                "propertyNames": {"enum": list(Severity)},
                "additionalProperties": _ref(LadderShape),
            },
            "zone": {"type": "string"},
            "link": {"type": "string"},
            "status-pages": _named(_ref(StatusPageShape)),
        },
        (
            ContactChannelShape,
            PersonShape,
            RoleShape,
            OnCallShape,
            AudienceShape,
            LadderShape,
            StatusPageShape,
        ),
        ("audiences",),
    )
    for shape, key in (("AudienceShape", "to"), ("EscalationStepShape", "tell")):
        made["$defs"][shape]["properties"][key] |= told
    return made


def rules() -> Made:
    """An owner's file of rules."""
    made = _file("One owner's rules", {"rules": _named(_ref(RuleShape))}, (RuleShape,), ("rules",))
    rule = made["$defs"]["RuleShape"]
    rule["required"].remove("severity")  # which an alert that is read in place brings along
    rule["anyOf"] = [{"required": ["severity"]}, {"required": ["from"]}]
    return made


def variables() -> Made:
    """vars/ENVIRONMENT.yaml."""
    return {
        "$schema": DIALECT,
        "title": "What differs between environments: variables for {{ name }}",
        "type": "object",
        "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,62}$"},
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    }


SCHEMAS: Mapping[str, Callable[[], Made]] = {
    "platform": platform,
    "contacts": contacts,
    "rules": rules,
    "vars": variables,
}
"""File kind -> its schema, kept as `.schema/KIND.json`."""


def text_of(kind: str, schemas: Mapping[str, Callable[[], Made]] = SCHEMAS) -> str:
    return json.dumps(schemas[kind](), indent=2, ensure_ascii=False) + "\n"


def _file(
    title: str, keys: Made, shapes: tuple[type[Shape], ...], required: tuple[str, ...] = ()
) -> Made:
    _, found = models_json_schema(
        [(shape, "validation") for shape in shapes], ref_template="#/$defs/{model}"
    )
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "properties": {"version": {"const": VERSION}, **keys},
        "required": ["version", *required],
        "additionalProperties": False,
        "$defs": {name: _written(made) for name, made in sorted(found["$defs"].items())},
    }


def _ref(shape: type[Shape]) -> Made:
    return {"$ref": f"#/$defs/{shape.__name__}"}


def _named(value: Made) -> Made:
    return {
        "type": "object",
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": value,
    }


def _written(made: Any, *, inside_any: bool = False) -> Any:
    """As it is written in a file: no null, no titles, and a variable for any scalar."""
    if isinstance(made, list):
        return [_written(one) for one in made]
    if not isinstance(made, dict):
        return made
    found = {key: value for key, value in made.items() if key not in {"title", "default"}}
    if "anyOf" in found:
        options = [one for one in found.pop("anyOf") if one.get("type") != "null"]
        written = [_written(one, inside_any=True) for one in options]
        found = {**written[0], **found} if len(written) == 1 else {"anyOf": written, **found}
        return _or_variable(found)
    for key in ("properties", "$defs"):
        if key in found:
            found[key] = {name: _written(value) for name, value in found[key].items()}
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(found.get(key), dict):
            found[key] = _written(found[key]) if key != "propertyNames" else found[key]
    return found if inside_any else _or_variable(found)


def _or_variable(found: Made) -> Made:
    """Where no text is taken, a text with a variable is: it takes the variable's own type."""
    options = found.get("anyOf", [found])
    if any(_takes_text(one) for one in options) or all(_is_compound(one) for one in options):
        return found
    described = {key: found[key] for key in ("description",) if key in found}
    rest = {key: value for key, value in found.items() if key != "description"}
    return {"anyOf": [*(rest.get("anyOf") or [rest]), _VARIABLE], **described}


def _takes_text(one: Made) -> bool:
    kind = one.get("type")
    text = kind == "string" or (isinstance(kind, list) and "string" in kind)
    return not one or (text and not {"enum", "const"} & one.keys()) or _anything(one)


def _anything(one: Made) -> bool:
    return not {"type", "anyOf", "$ref", "enum", "const", "allOf", "oneOf"} & one.keys()


def _is_compound(one: Made) -> bool:
    return "$ref" in one or one.get("type") in {"object", "array"}
