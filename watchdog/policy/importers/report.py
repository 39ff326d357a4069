"""What became of every field of a foreign file: carried over, changed, dropped, or an error.

Law: nothing is lost in silence. Each note has the place of what it speaks of; an error is what
could not be understood, and where one stands nothing is written unless it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from watchdog.policy.nodes import Place
from watchdog.policy.problem import Findings, Problem


class Fate(StrEnum):
    """What happened to a field."""

    CHANGED = "changed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One field that did not come over as it was. `field` is its path in the foreign file."""

    file: str
    line: int
    column: int
    fate: Fate
    field: str
    what: str
    remedy: str

    @property
    def text(self) -> str:
        end = "" if self.what.endswith((".", "!", "?")) else "."
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.fate}: {self.field}: {self.what}{end} {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class Came:
    """A rule of ours and what it was made from."""

    rule: str
    of: str
    place: Place

    @property
    def text(self) -> str:
        return f"{self.rule} <- {self.of} ({self.place.text})"


@dataclass(slots=True)
class Report:
    """Collects while an import goes on."""

    notes: dict[Note, None] = field(default_factory=dict)  # in the order of finding them
    came: list[Came] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)

    def changed(self, place: Place, name: str, what: str, remedy: str = "") -> None:
        self._note(place, Fate.CHANGED, name, what, remedy)

    def dropped(self, place: Place, name: str, what: str, remedy: str = "") -> None:
        self._note(place, Fate.DROPPED, name, what, remedy)

    def error(self, place: Place, what: str, remedy: str) -> None:
        self.findings.refuse(place, what, remedy)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(sorted(self.findings.errors))

    def _note(self, place: Place, fate: Fate, name: str, what: str, remedy: str) -> None:
        self.notes[Note(place.file, place.line, place.column, fate, name, what, remedy)] = None
