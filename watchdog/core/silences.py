"""Silences that people make in Alertmanager: what they say, and whom they cover.

A silence covers a set of labels when all of its matchers do, by Alertmanager's own rules: a label
that is not there is empty, and a regular expression must match the whole value. A matcher that
cannot be judged here counts as matching: a person asked for quiet, and in doubt they get it.

What was read is on the record, so that it stands after a restart and while Alertmanager is
silent, until its own end. Times are those of Alertmanager's clock, put onto ours when it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from watchdog.core.promql.faults import Refused
from watchdog.core.promql.regex import Pattern
from watchdog.core.words import Instant

SAME_END_SECONDS = 5.0
"""By how much two readings of one end may differ: two clocks, and whole seconds in a header."""


MOST_STATES = 500_000
"""Of all the regular expressions of one answer together; making a state takes microseconds."""


class Patterns:
    """Each is made once and kept, since every silence is asked at every pass: as many as one answer
    may hold, however small they are. Where more come, all are made anew.
    """

    def __init__(self, most_states: int = 2 * MOST_STATES) -> None:
        self._most_states = most_states
        self._made: dict[str, Pattern | None] = {}
        self._size = 0

    def of(self, text: str) -> Pattern | None:
        """None where it is beyond what is known here."""
        if text in self._made:
            return self._made[text]
        try:
            made = Pattern(text)
        except Refused:
            made = None
        size = made.size if made is not None else 1
        if self._size + size > self._most_states:
            self._made, self._size = {}, 0
        self._made[text] = made
        self._size += size
        return made


_pattern = Patterns().of


@dataclass(frozen=True, slots=True)
class Matching:
    """One matcher of a silence."""

    label: str
    value: str
    regex: bool = False
    equal: bool = True

    def matches(self, value: str) -> bool:
        if not self.regex:
            return (value == self.value) is self.equal
        pattern = _pattern(self.value)
        return pattern is None or pattern.matches(value) is self.equal

    @property
    def is_understood(self) -> bool:
        return not self.regex or _pattern(self.value) is not None

    @property
    def size(self) -> int:
        """What it takes to judge by it, counted in states of a regular expression."""
        pattern = _pattern(self.value) if self.regex else None
        return pattern.size if pattern is not None else 1

    @property
    def text(self) -> str:
        operator = ("=~" if self.equal else "!~") if self.regex else ("=" if self.equal else "!=")
        return f'{self.label}{operator}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence as Alertmanager told it. `wall` of its instants is as written there."""

    id: str
    matchers: tuple[Matching, ...]
    starts: Instant
    ends: Instant
    author: str
    comment: str

    def stands(self, now: Instant) -> bool:
        return self.starts.steady <= now.steady < self.ends.steady

    def is_over(self, now: Instant) -> bool:
        return now.steady >= self.ends.steady

    def covers(self, labels: Mapping[str, str], open_: frozenset[str] = frozenset()) -> bool:
        """Of the names in `open_` any value may come up, so that any matcher of them may fit."""
        return all(
            one.label in open_ or one.matches(labels.get(one.label, "")) for one in self.matchers
        )

    def is_as(self, other: Silence) -> bool:
        """Whether it says what the other said; the clocks that it was read by may differ a bit."""
        return (
            (self.id, self.matchers, self.author, self.comment)
            == (other.id, other.matchers, other.author, other.comment)
            and (self.starts.wall, self.ends.wall) == (other.starts.wall, other.ends.wall)
            and abs(self.ends.steady - other.ends.steady) <= SAME_END_SECONDS
            and abs(self.starts.steady - other.starts.steady) <= SAME_END_SECONDS
        )

    @property
    def text(self) -> str:
        doubt = "" if all(one.is_understood for one in self.matchers) else (
            ", whose regular expression is not known here and counts as matching"
        )  # fmt: skip
        until = f"{self.ends.utc:%Y-%m-%d %H:%M:%SZ}"
        said = f": {self.comment}" if self.comment else ""
        return f"a silence in Alertmanager by {self.author} until {until}{doubt}{said} ({self.id})"


@dataclass(frozen=True, slots=True)
class SilenceSeen:
    """A silence that may concern us is there, or says something else than before."""

    silence: Silence
    kind: Literal["alertmanager.silence_seen"] = "alertmanager.silence_seen"


@dataclass(frozen=True, slots=True)
class SilenceEnded:
    silence: str  # its id
    reason: str
    kind: Literal["alertmanager.silence_ended"] = "alertmanager.silence_ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """A silence in the book, and since when we know of it."""

    silence: Silence
    seen: Instant


class Concern:
    """Which silences may concern any of our alerts: each matcher alone fits some label value.

    Necessary and not sufficient, and cheap with many rules; what it lets through is judged by
    `covers` when it matters. `labels` are the sets that our alerts carry. Of the names in `open_`
    any value may come up (a family's members, which nobody knows beforehand).
    """

    def __init__(
        self, labels: Iterable[Mapping[str, str]], open_: frozenset[str] = frozenset()
    ) -> None:
        self._values: dict[str, set[str]] = {}
        self._open = open_
        self._lacking: dict[str, int] = {}
        count = 0
        for one in labels:
            count += 1
            for name, value in one.items():
                self._values.setdefault(name, set()).add(value)
                self._lacking[name] = self._lacking.get(name, 0) + 1
        for name, having in self._lacking.items():
            if having < count:
                self._values[name].add("")
        self._any = count > 0

    def has(self, silence: Silence) -> bool:
        return self._any and all(self._fits(one) for one in silence.matchers)

    def _fits(self, one: Matching) -> bool:
        if one.label in self._open:
            return True
        values = self._values.get(one.label, {""})
        if not one.regex and one.equal:
            return one.value in values
        return any(one.matches(value) for value in values)
