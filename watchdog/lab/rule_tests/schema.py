"""The JSON Schema of test files, from the shapes that judge them: for editors' completion.

Every scalar of a test file is read as it is written, so where a text is taken a number is too, and
a key without a value is what the shapes take it for. A file that can be run satisfies the schema;
one that satisfies it may still name a rule that does not exist.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from watchdog.lab.rule_tests.shapes import FileShape
from watchdog.policy.schema import DIALECT

_SCALAR = ["string", "number", "boolean"]


def tests() -> dict[str, Any]:
    """OWNER/*.test.yaml."""
    _, made = models_json_schema([(FileShape, "validation")], ref_template="#/$defs/{model}")
    shapes = {name: _written(shape) for name, shape in sorted(made["$defs"].items())}
    whole = shapes.pop(FileShape.__name__)
    whole |= {"$schema": DIALECT, "title": "Unit tests of rules", "$defs": shapes}
    first = ("$schema", "title")
    return {key: whole[key] for key in (*first, *(key for key in whole if key not in first))}


def _written(made: Any) -> Any:
    """As it is written in a file: any scalar is a text, and what may be left out may be empty."""
    if isinstance(made, list):
        return [_written(one) for one in made]
    if not isinstance(made, dict):
        return made
    found = {key: value for key, value in made.items() if key not in {"title", "default"}}
    for key in ("properties", "$defs"):
        if key in found:
            found[key] = {name: _written(value) for name, value in found[key].items()}
    for key in ("items", "additionalProperties", "anyOf"):
        if key in found:
            found[key] = _written(found[key])
    return found | _kind(found)


def _kind(made: dict[str, Any]) -> dict[str, Any]:
    match made.get("type"):
        case "string" if "enum" not in made:
            return {"type": _SCALAR}
        case "number":  # .NaN and .Inf are texts to some editors
            return {"type": ["number", "string"]}
        case "boolean":
            return {"type": ["boolean", "string"], "enum": [True, False, "true", "false"]}
        case "array" if "minItems" not in made:
            return {"type": ["array", "null"]}
        case "object" if "properties" not in made:
            return {"type": ["object", "null"]}
        case _:
            return {}
