"""Entries beside everything that is decided: a program that does not know one goes on without it.

The law: from an entry whose kind begins with `aside.` nothing follows for any verdict, gate or
action; who passes over one tells somebody once more at the most. So an older program, after a
downgrade or beside a newer one on a shared record, passes over one that it cannot read; of any
other kind that it does not know it does not go on. Never give the prefix to an entry that a
decision may come to rest on.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "aside."


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry of that sort which a newer program wrote, as it stands on the record."""

    body: str
    kind: str = ""
