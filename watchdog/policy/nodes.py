"""What a rule file is read into: values and keys, each with its place; and what cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    file: str
    line: int  # from 1
    column: int  # from 1
    set_by: str = field(default="", compare=False)
    """Of a value that came from elsewhere: what set it, and where."""

    @property
    def text(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class BadText(Exception):  # an error is named by what happened, as everywhere here
    """The text cannot be read as a rule file; carries the place, what is wrong, what to do."""

    def __init__(self, place: Place, what: str, remedy: str) -> None:
        super().__init__(f"{place.text}: {what}. {remedy}")
        self.place, self.what, self.remedy = place, what, remedy


@dataclass(slots=True)
class Node:
    """A scalar (`value`), a list (`items`) or a mapping (`entries`: key -> (place, node))."""

    place: Place
    kind: str  # "scalar", "list" or "mapping"
    value: str | int | float | bool | None = None
    text: str = ""  # a scalar as written
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Place, Node]] = field(default_factory=dict)
    size: int = 1  # nodes in it, aliases followed

    def plain(self) -> Any:
        """The value as Python data."""
        if self.kind == "mapping":
            return {key: node.plain() for key, (_, node) in self.entries.items()}
        return [node.plain() for node in self.items] if self.kind == "list" else self.value

    def child(self, step: str | int) -> tuple[Place, Node] | None:
        if isinstance(step, int):
            inside = self.kind == "list" and step < len(self.items)
            return (self.items[step].place, self.items[step]) if inside else None
        return self.entries.get(step)

    def _walk(self, path: tuple[str | int, ...]) -> tuple[Place, Place, bool]:
        node, key, complete = self, self.place, True
        for step in path:
            found = node.child(step)
            complete = found is not None
            if found is not None:  # else a validator's own step, or what is missing
                key, node = found
        return key, node.place, complete

    def value_at(self, path: tuple[str | int, ...]) -> Place:
        return self._walk(path)[1]

    def key_at(self, path: tuple[str | int, ...]) -> Place:
        key, value, complete = self._walk(path)
        return key if complete else value
