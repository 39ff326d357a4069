"""What is wrong with a rule file: where, what, and what to do about it.

A problem is a value, never an exception at the caller: a load collects all of them, so that an
operator mends a file once. Every problem has a place; a line and column count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdog.core.text import printable
from watchdog.policy.nodes import Node, Place

PLATFORM = "platform"
"""The name of the platform's own part; no owner may be called so."""

MAX_PROBLEMS = 200
"""Of one part; after so many nobody reads on, and looking for more would take its time."""

Path = tuple[str | int, ...]
"""Where a value stands inside its file: ("rules", "peg", "for") or ("playbooks", "p", 0)."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One error or advice. Its text is `file:line:column: what. remedy`."""

    file: str
    line: int
    column: int
    what: str
    remedy: str

    @property
    def text(self) -> str:
        end = "" if self.what.endswith((".", "!", "?")) else "."
        text = f"{self.file}:{self.line}:{self.column}: {self.what}{end} {self.remedy}".rstrip()
        return printable(text)  # names and values of the file may stand in it

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Findings:
    """Collects the problems of one part. `advice` refuses nothing."""

    errors: list[Problem] = field(default_factory=list)
    advice: list[Problem] = field(default_factory=list)
    unknown: set[Place] = field(default_factory=set)
    """Values that hold an unknown variable: what else is wrong with them only follows from it."""
    lacking: set[str] = field(default_factory=set)
    """Variables that are used beside no file that could define them."""

    @property
    def full(self) -> bool:
        return len(self.errors) > MAX_PROBLEMS

    def refuse(self, place: Place, what: str, remedy: str) -> None:
        if place not in self.unknown:
            self._add(self.errors, place, what, remedy)

    def advise(self, place: Place, what: str, remedy: str) -> None:
        self._add(self.advice, place, what, remedy)

    @staticmethod
    def _add(to: list[Problem], place: Place, what: str, remedy: str) -> None:
        if len(to) > MAX_PROBLEMS:
            return
        said = f"{what} ({place.set_by})" if place.set_by else what
        problem = Problem(place.file, place.line, place.column, said, remedy)
        if len(to) == MAX_PROBLEMS:
            problem = Problem(
                place.file, place.line, place.column, "and more from here on", "Mend these first."
            )
        if problem not in to:
            to.append(problem)


@dataclass(frozen=True, slots=True)
class Entry:
    """One named thing of a file (a rule, a source) with the text tree behind it."""

    name: str
    key: Place
    node: Node

    def at(self, *path: str | int) -> Place:
        """The place of the value at `path`, or of the nearest thing around it that exists."""
        return self.node.value_at(path)

    def key_at(self, *path: str | int) -> Place:
        """The place of the key that `path` ends in, or of the nearest thing around it."""
        return self.node.key_at(path)
