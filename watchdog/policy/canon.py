"""SHA-256 over meaning: the same meaning has the same hash, however it is written.

Hashes are taken of checked values, not of text, so comments, order, blanks and the way a duration
is written change nothing. Dataclasses become sorted JSON; anything unknown raises.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import time
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

_ONLY_WHERE_SAID = frozenset(
    {
        ("RuleSpec", "each"),
        ("RuleSpec", "limit"),
        ("RuleSpec", "forget_gone"),
        ("RuleSpec", "member"),
        ("RuleSpec", "impact"),
        ("Playbook", "each"),
        ("Rung", "approvals"),
        ("Rung", "approve_within_seconds"),
        ("Rung", "attribute_within_seconds"),
        ("Limits", "deploy_max_seconds"),
        ("Channel", "targets"),
        ("ActionSpec", "verify"),
        ("ActionSpec", "publish"),
        ("ActionSpec", "anchor_margin_seconds"),
        ("ActionSpec", "ready_when"),
        ("ActionSpec", "drilled_within_seconds"),
        ("Endpoint", "given"),
    }
)
"""Fields that came later: what does not have them has the hash that it had before they came."""


def plain(value: Any, leave_out: frozenset[str] = frozenset()) -> Any:  # noqa: PLR0911  # a return a kind
    """The value as JSON data; `leave_out` names fields of the outermost dataclass."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        inner = {
            f.name: plain(getattr(value, f.name))
            for f in fields(value)
            if f.name not in leave_out
            and (getattr(value, f.name) != f.default or (kind, f.name) not in _ONLY_WHERE_SAID)
        }
        return {"is": kind, **inner}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, str | int):  # a bool is an int
        return value
    if isinstance(value, time | ZoneInfo):
        return str(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")


def sha256(value: Any, leave_out: frozenset[str] = frozenset()) -> str:
    text = json.dumps(
        plain(value, leave_out), sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()
