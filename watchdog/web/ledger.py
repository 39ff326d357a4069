"""The newest decisions in brief, so that thousands of them are searched in a moment.

Filled from the journal's entries. What it forgot, and what a brief leaves out, stands in the
journal under the same number.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from watchdog.core.entries import Decided, Recorded
from watchdog.core.naming import is_of

KEPT = 10_000
MOST_WORDS = 8
"""Of one search."""


@dataclass(frozen=True, slots=True)
class Brief:
    """One decision; `wall` is seconds since the epoch, `text` what words are looked for in."""

    seq: int
    wall: float
    decision: str
    episode: str
    rule: str
    action: str
    ruling: str
    world: str
    reason: str
    text: str


_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; what is empty is not asked for. Every word must be found somewhere."""

    words: tuple[str, ...] = ()
    ruling: str = ""
    rule: str = ""

    @classmethod
    def of(cls, text: str, ruling: str = "", rule: str = "") -> Query:
        return cls(tuple(text.casefold().split()[:MOST_WORDS]), ruling, rule)

    def wants(self, one: Brief) -> bool:
        if (self.ruling and one.ruling != self.ruling) or (
            self.rule and not is_of(one.rule, self.rule)
        ):
            return False
        return all(word in one.text for word in self.words)

    def wants_entry(self, entry: Decided) -> bool:
        """The same of a decision as it stands in the journal."""
        return self.wants(brief(0, 0.0, entry))


class Ledger:
    """Oldest first inside; told newest first."""

    def __init__(self) -> None:
        self._briefs: deque[Brief] = deque(maxlen=KEPT)
        self.began = 1  # the number of the first entry that it was told of

    def heard(self, recorded: Recorded) -> None:
        """A recorder's listener."""
        if isinstance(recorded.entry, Decided):
            self._briefs.append(brief(recorded.seq, recorded.at.wall, recorded.entry))

    @property
    def oldest(self) -> int:
        """The number from which on it knows every decision."""
        return self._briefs[0].seq if len(self._briefs) == KEPT else self.began

    def __len__(self) -> int:
        return len(self._briefs)

    def found(self, query: Query, before: int | None, most: int) -> list[Brief]:
        """The newest ones ahead of a number."""
        return list(islice(self._matching(query, before), most))

    async def searched(self, query: Query, before: int | None, most: int) -> list[Brief]:
        """The same, with the loop going on between some and the next."""
        every, found = list(reversed(self._briefs)), list[Brief]()
        for start in range(0, len(every), _AT_ONCE):
            piece = every[start : start + _AT_ONCE]
            found += [
                one for one in piece if (before is None or one.seq < before) and query.wants(one)
            ]
            if len(found) >= most:
                break
            await asyncio.sleep(0)
        return found[:most]

    def of_episode(self, episode: str) -> list[Brief]:
        """Oldest first."""
        return [one for one in self._briefs if one.episode == episode]

    def _matching(self, query: Query, before: int | None) -> Iterator[Brief]:
        for one in reversed(self._briefs):
            if (before is None or one.seq < before) and query.wants(one):
                yield one


def brief(seq: int, wall: float, entry: Decided) -> Brief:
    told = (entry.decision, entry.episode, entry.rule, entry.action, entry.ruling.value)
    return _brief(seq, wall, [*told, entry.world.value, entry.reason])


def brief_of(view: Mapping[str, Any]) -> Brief:
    """Of a decision as the views tell it."""
    told = ("decision", "episode", "rule", "action", "ruling", "world", "reason")
    wall = datetime.fromisoformat(view["at"]).timestamp()
    return _brief(view["seq"], wall, [str(view[key]) for key in told])


def _brief(seq: int, wall: float, told: Sequence[str]) -> Brief:
    decision, episode, rule, action, ruling, world, reason = told
    text = " ".join(told).casefold()
    return Brief(seq, wall, decision, episode, rule, action, ruling, world, reason, text)
