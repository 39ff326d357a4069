"""PromQL out of what a provider says: names only where they are names, values always quoted.

The law: whatever stands in a label comes out as that text and nothing else, in PromQL, and through
it in YAML. So a quoted value is printable ASCII without the braces that our files give a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}\Z", re.ASCII)
LONGEST_VALUE = 200

Condition = tuple[str, str, str]  # label, operator, value


def is_metric(name: object) -> bool:
    """A name that PromQL reads without quotes."""
    return isinstance(name, str) and _NAME.match(name) is not None


def quoted(text: str) -> str:
    """A PromQL string of printable ASCII that holds exactly `text`."""
    return '"' + "".join(_character(c) for c in text) + '"'


def _character(c: str) -> str:
    number = ord(c)
    if c in '"\\':
        return "\\" + c
    if 32 <= number < 127 and c not in "{}":
        return c
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def selector(name: str, conditions: Iterable[Condition]) -> str:
    """`name{label="value"}`."""
    inner = ",".join(f"{label}{operator}{quoted(value)}" for label, operator, value in conditions)
    return f"{name}{{{inner}}}" if inner else name
