"""What a lint is and what it finds. A lint refuses no load; it says what will not work as meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from watchdog.policy.lint.ground import Ground
from watchdog.policy.nodes import Place
from watchdog.policy.problem import Problem


class Level(StrEnum):
    ERROR = "error"  # it can never do what it is for; `check` fails
    WARNING = "warning"  # it loads, and somebody should look


@dataclass(frozen=True, slots=True)
class Hit:
    """One place at which a lint found something."""

    place: Place
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Named:
    """What is said of a lint, however it looks. `why` it matters, in a sentence for people."""

    id: str
    level: Level
    title: str
    why: str

    def finding(self, hit: Hit) -> Finding:
        place = hit.place
        problem = Problem(place.file, place.line, place.column, hit.what, hit.remedy)
        return Finding(problem, self.id, self.level, self.why)


@dataclass(frozen=True, slots=True)
class Lint(Named):
    """One that needs the files alone; all of them, where it says that something is missing."""

    look: Callable[[Ground], Iterator[Hit]]
    judges_absence: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding with its lint; its problem has file, line and column."""

    problem: Problem
    id: str
    level: Level
    why: str
