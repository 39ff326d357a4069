"""The decisions of the whole journal, a page at a time.

The newest ones are at hand; older ones are read from the journal, forwards or backwards from a
cursor, which is a sequence number. One request reads a bounded number of entries, in pieces
between which the loop goes on: so a page may be short, also empty, and yet not be the last. It is
the last one when it names no cursor to go on from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import takewhile

from watchdog.core.entries import Decided, Recorded
from watchdog.engine import DecisionShape, Views, decisions_of

PIECE_ENTRIES = 500
MOST_ENTRIES = 5000
"""Read of the journal for one request at most."""

Wanted = Callable[[Decided], bool]


@dataclass(slots=True)
class Page:
    """Oldest first. `after` or `before` is where to go on; neither at the journal's end."""

    decisions: list[DecisionShape] = field(default_factory=list)
    after: int | None = None
    before: int | None = None


class Decisions:
    """Reads pages; each method does one request's worth of work. Raises JournalError."""

    def __init__(self, views: Views, most_entries: int = MOST_ENTRIES) -> None:
        self._views = views
        self._piece = min(PIECE_ENTRIES, most_entries)
        self._pieces = most_entries // self._piece

    def newest(self, wanted: Wanted, limit: int) -> Page:
        """Of those at hand; what they do not reach is before the cursor."""
        at_hand = self._views.decided()
        found = _decided(at_hand, wanted)[-limit:]
        if len(found) == limit:
            return Page(list(decisions_of(found)), before=found[0].seq)
        return Page(list(decisions_of(found)), before=at_hand[0].seq if at_hand else None)

    async def after(self, cursor: int, wanted: Wanted, limit: int) -> Page:
        """The first ones behind the cursor."""
        page = Page(after=cursor)
        for _ in range(self._pieces):
            piece = list(self._views.recorded(cursor, self._piece))
            found = _decided(piece, wanted)[: limit - len(page.decisions)]
            page.decisions += decisions_of(found)
            if len(page.decisions) >= limit:
                page.after = found[-1].seq
                return page
            if len(piece) < self._piece:
                page.after = None
                return page
            page.after = cursor = piece[-1].seq
            await asyncio.sleep(0)
        return page

    async def before(self, cursor: int, wanted: Wanted, limit: int) -> Page:
        """The last ones ahead of the cursor."""
        cursor = min(cursor, self._views.last_seq + 1)
        page = Page(before=cursor)
        for _ in range(self._pieces):
            start = max(0, cursor - 1 - self._piece)
            piece = self._between(start, cursor)
            found = _decided(piece, wanted)[-(limit - len(page.decisions)) :]
            page.decisions[:0] = decisions_of(found)
            if len(page.decisions) >= limit:
                page.before = found[0].seq
                return page
            if not piece or piece[0].seq > start + 1 or start == 0:  # what is older was retired
                page.before = None
                return page
            page.before = cursor = start + 1
            await asyncio.sleep(0)
        return page

    def _between(self, after: int, before: int) -> list[Recorded]:
        """The entries between two numbers, of which the older ones may have been retired."""
        piece = self._views.recorded(after, max(0, before - 1 - after))
        return list(takewhile(lambda one: one.seq < before, piece))


def _decided(piece: Iterable[Recorded], wanted: Wanted) -> list[Recorded]:
    return [one for one in piece if isinstance(one.entry, Decided) and wanted(one.entry)]
