"""Names with labels: `database-saturated{db="orders"}` is a member of the family of that name.

A name as it is written in the files holds no brace, so what stands before the first one is the
family. A value stands there as JSON text: quotes, blanks and line breaks cannot forge another.
"""

from __future__ import annotations

import json
import re

Values = tuple[tuple[str, str], ...]
"""(label, value) pairs in the order in which the family names its labels."""

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_DECODER = json.JSONDecoder()


def labelled(name: str, values: Values) -> str:
    """`name` itself where there are no values."""
    if not values:
        return name
    inside = ", ".join(f"{label}={json.dumps(text, ensure_ascii=False)}" for label, text in values)
    return f"{name}{{{inside}}}"


def family_of(name: str) -> str:
    """The name before the labels; any other name is its own."""
    return name.partition("{")[0]


def is_of(rule: str, name: str) -> bool:
    """Whether what is kept under `rule` is asked for by `name`: its own, or its family's."""
    return name in {rule, family_of(rule)}


def values_in(name: str) -> Values:
    """The labels behind a name; none where it has none, or is not as `labelled` writes it."""
    family, brace, rest = name.partition("{")
    found = []
    at = 0
    while brace and (label := _LABEL.match(rest, at)) and rest.startswith('="', label.end()):
        try:
            text, at = _DECODER.raw_decode(rest, label.end() + 1)
        except ValueError:
            return ()
        found.append((label[0], str(text)))
        at += 2 if rest.startswith(", ", at) else 0
    values = tuple(found)
    return values if labelled(family, values) == name else ()
