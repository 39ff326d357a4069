"""One thing that a load would change, in a sentence, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    ARM = "arm"  # something may act, or ask to, that might not before
    WIDEN = "widen"  # something may act more than before
    REMOVE = "remove"  # something no longer judges
    RESET = "reset"  # a rule judges by another text: its `for` clock starts again
    CHANGE = "change"  # anything else that people should know


@dataclass(frozen=True, slots=True)
class Change:
    """One sentence about one thing."""

    effect: Effect
    subject: str  # the rule's, action's or limit's name
    text: str
