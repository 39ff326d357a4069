"""From operations to the document: schemas by name, their titles left out, every number as told.

Answers may hold numbers that JSON lacks, as texts; so what is a number to the code is a `Number`
to whoever reads an answer. Keys may be added to answers: no schema of them closes that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from watchdog.web.openapi.operations import JSON, OPERATIONS, Answers, Operation
from watchdog.web.parameters import NAME_SCHEMA, told

_REF = "#/components/schemas/{model}"
_NUMBER = "Number"
_PATH_PARAMETER = re.compile(r"\{([a-z]+)\}")
_ABOUT = (
    "The read-only port of the SLO watchdog, made from its code. Every GET answers HEAD as well. "
    "What the addresses mean: docs/api.md."
)
_HEADERS = {
    "Link": "The next page's address, where there may be one.",
    "Retry-After": "Seconds.",
    "WWW-Authenticate": "Bearer.",
}
_SECURITY = {
    "token": {"type": "http", "scheme": "bearer"},
    "channel": {"type": "apiKey", "in": "header", "name": "X-Watchdog-Channel"},
    "timestamp": {"type": "apiKey", "in": "header", "name": "X-Watchdog-Timestamp"},
    "signature": {"type": "apiKey", "in": "header", "name": "X-Watchdog-Signature"},
}

Schema = dict[str, Any]


def written() -> str:
    """The document as a file."""
    return json.dumps(document(), indent=1) + "\n"


def document() -> Schema:
    """The whole."""
    schemas: Schema = {_NUMBER: {"anyOf": [{"type": "number"}, {"enum": ["NaN", "+Inf", "-Inf"]}]}}
    paths: dict[str, Schema] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(path, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "SLO watchdog", "version": "v1", "description": _ABOUT},
        "servers": [{"url": "http://127.0.0.1:9847"}],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": _SECURITY},
    }


def _operation(path: str, one: Operation, schemas: Schema) -> Schema:
    found: Schema = {
        "operationId": one.name,
        "summary": one.about,
        "parameters": [*_in_path(path), *told(one.parameters)],
        "responses": {
            str(status): _answers(answers, schemas)
            for status, answers in sorted(one.answers.items())
        },
    }
    if one.body is not None:
        schema = _schema(one.body, "validation", schemas)
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    if one.security:
        found["security"] = [{name: [] for name in one.security}]
    return found


def _in_path(path: str) -> Iterator[Schema]:
    for name in _PATH_PARAMETER.findall(path):
        schema = {"type": "integer", "minimum": 1} if name == "seq" else dict(NAME_SCHEMA)
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _answers(answers: Answers, schemas: Schema) -> Schema:
    found: Schema = {
        "description": answers.about,
        "content": {
            form: {"schema": _numbers(_schema(shape, "serialization", schemas))}
            if shape is not None
            else {"schema": {"type": "string"}}
            for form, shape in answers.forms.items()
        },
    }
    if answers.headers:
        found["headers"] = {
            name: {"description": _HEADERS[name], "schema": {"type": "string"}}
            for name in answers.headers
        }
    return found


def _schema(kind: Any, mode: JsonSchemaMode, schemas: Schema) -> Schema:
    """Its schema; what it is made of goes to the components, under the names of the code."""
    made = TypeAdapter(kind).json_schema(mode=mode, ref_template=_REF)
    parts = made.pop("$defs", {})
    for name, part in parts.items():
        _keep(name, part, mode, schemas)
    name = str(made.get("title", ""))
    if "properties" not in made or not name:
        cleaned: Schema = _cleaned(made)
        return cleaned
    _keep(name, made, mode, schemas)
    return {"$ref": _REF.format(model=_short(name))}


def _keep(name: str, part: Schema, mode: JsonSchemaMode, schemas: Schema) -> None:
    cleaned = _cleaned(part)
    if mode == "serialization":
        cleaned = _numbers(cleaned)
    if schemas.setdefault(_short(name), cleaned) != cleaned:
        raise ValueError(f"two schemas are named {_short(name)}")


def _short(name: str) -> str:
    return name.removesuffix("Shape")


def _cleaned(value: Any) -> Any:
    """Without titles, and with the names that the components have here."""
    if isinstance(value, Mapping):
        return {
            key: inner.removesuffix("Shape") if key == "$ref" else _cleaned(inner)
            for key, inner in value.items()
            if not (key == "title" and isinstance(inner, str))
        }
    return [_cleaned(inner) for inner in value] if isinstance(value, list) else value


def _numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get("type") == "number":
            return {"$ref": _REF.format(model=_NUMBER)}
        return {key: _numbers(inner) for key, inner in value.items()}
    return [_numbers(inner) for inner in value] if isinstance(value, list) else value
