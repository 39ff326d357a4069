"""The kinds of JSON values, as people call them; what lies inside one; values as they are told."""

from __future__ import annotations

import json
import math

SHOWN_CHARACTERS = 4000
"""How much of a value, and of what was seen in all, is told. Whoever shows it hides secrets
first, and shortens it then."""

Scalar = bool | int | float | str
SCALARS = frozenset({"true or false", "a number", "text"})


def kind_of(value: object) -> str:
    """The type as JSON has it, and as people call it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "not a finite number"
    # bool before int: Python takes the one for the other.
    return next((name for types, name in _KINDS if isinstance(value, types)), "an object")


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    (list, "a list"),
)


def written(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # JSON may hold half of a surrogate pair, which no later encoding would take.
    return shortened(text.encode("utf-8", "replace").decode())


def shortened(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."


def inside(value: object, key: str | int) -> object:
    """The value under a name or an index; None for null, and where there is nothing."""
    if isinstance(key, str):
        return value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list) and -len(value) <= key < len(value):
        return value[key]
    return None


def step_text(key: str | int) -> str:
    """A name or an index as it stands in a path."""
    if isinstance(key, int):
        return f"[{key}]"
    plain = key.isascii() and key.isidentifier()
    return f".{key if plain else json.dumps(key, ensure_ascii=False)}"
