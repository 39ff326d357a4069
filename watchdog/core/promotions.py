"""The journal's entries of what rules earn and lose; `entries.py` takes them in with the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ShadowBegan:
    """From here on the rule watches in shadow. `sha256` is of its text without its mode."""

    rule: str
    sha256: str
    kind: Literal["shadow.began"] = "shadow.began"


@dataclass(frozen=True, slots=True)
class ShadowEnded:
    rule: str
    sha256: str
    reason: str  # how far it goes from here on, and by whom
    kind: Literal["shadow.ended"] = "shadow.ended"


@dataclass(frozen=True, slots=True)
class RuleTested:
    """What a rule's unit tests said of this text, told with an `apply`."""

    rule: str
    sha256: str
    passed: bool
    reason: str
    actor: str
    kind: Literal["rule.tested"] = "rule.tested"


@dataclass(frozen=True, slots=True)
class RulePromoted:
    """It may act from here on: it has earned it, or other words in `armed_because` say so."""

    rule: str
    sha256: str
    reason: str
    kind: Literal["rule.promoted"] = "rule.promoted"


@dataclass(frozen=True, slots=True)
class RuleDemoted:
    """It keeps to shadow from here on. `episode` is set where that one was a false action."""

    rule: str
    sha256: str
    reason: str
    actor: str = ""
    episode: str = ""
    armed_because: str = ""  # which does not count any more
    kind: Literal["rule.demoted"] = "rule.demoted"
