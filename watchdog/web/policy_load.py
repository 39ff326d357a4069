"""How the rules folder compares with what is in force, as the faces tell it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PolicyLoad:
    pending: bool = False  # the folder says something else
    errors: tuple[str, ...] = ()
    failing_since: float | None = None  # steady
