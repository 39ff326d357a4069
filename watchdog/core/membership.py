"""The journal's entries of who belongs to a family; `entries.py` takes them in with the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MemberTaken:
    """A label set of a rule with `each` was seen, and is a rule of its own from here on."""

    rule: str  # the family
    member: str  # its name: database-saturated{db="orders"}
    kind: Literal["member.taken"] = "member.taken"


@dataclass(frozen=True, slots=True)
class MemberRetired:
    """Its label set was gone for so long that nothing it measured counts any more."""

    rule: str
    member: str
    reason: str
    kind: Literal["member.retired"] = "member.retired"
