"""Who belongs to which family, folded from the journal's entries with the book.

`take` is the only thing that changes it. Those that were let go of lately are remembered for
people: nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdog.core import entries as e
from watchdog.core.words import Instant

MOST_RETIRED = 500


@dataclass(slots=True)
class Members:
    """Read freely; changed by the book alone."""

    retired: dict[str, tuple[str, Instant]] = field(default_factory=dict)  # name -> why, and when
    families: dict[str, dict[str, Instant]] = field(default_factory=dict)

    def of(self, family: str) -> Mapping[str, Instant]:
        """Their names, and since when they are known."""
        return self.families.get(family, {})

    def take(self, entry: e.Entry, at: Instant) -> None:
        """Take one entry in, in the journal's order. Most are of no concern here."""
        match entry:
            case e.MemberTaken():
                self.families.setdefault(entry.rule, {})[entry.member] = at
                self.retired.pop(entry.member, None)
            case e.MemberRetired():
                self.families.get(entry.rule, {}).pop(entry.member, None)
                self.retired[entry.member] = entry.reason, at
                if len(self.retired) > MOST_RETIRED:
                    del self.retired[next(iter(self.retired))]
            case e.PolicyApplied():
                for rule in entry.removed:
                    self.families.pop(rule, None)
            case _:
                pass
