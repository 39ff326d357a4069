"""Frozen values as JSON data, and texts from outside on one line.

Moments are ISO 8601 in UTC; what JSON has no number for is a text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from watchdog.core.text import number, printable
from watchdog.core.words import Instant


def plain(value: Any) -> Any:  # noqa: PLR0911  # a return a kind
    if isinstance(value, Instant):
        return value.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return number(value)
    return value


def calm(text: str) -> str:
    """On one line; what would move a cursor or turn a line's direction stands escaped."""
    return printable(" ".join(text.split()))
