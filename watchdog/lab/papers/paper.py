"""What a paper is made of. All of it is plain text: how it is written is the renderers' affair."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.plots import Plot


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph; `quiet` where it only explains."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Name and value, one below the other."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`numbers` are the columns that stand to the right. Without rows `none` is said."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    none: str = "None."
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Output:
    """What a program printed, or what was written in a file: line by line as it stood."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """In a paper that shows none its numbers are told in words."""

    plot: Plot


@dataclass(frozen=True, slots=True)
class Blank:
    """A heading below which people write. `items` are known already."""

    title: str
    hint: str
    items: tuple[str, ...] = ()


Block = Words | Items | Facts | Table | Output | Picture | Blank


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    title: str
    below: tuple[str, ...]  # short lines under the title
    sections: tuple[Section, ...]
