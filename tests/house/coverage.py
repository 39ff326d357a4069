"""Holds a page of who does what against written procedures: is every line of them named?

python -m tests.house.coverage PROCEDURES.md [PAGE.md]

A line is a list item, a command, a field of a template, or a note such as `**Version**: 1.0`. It is
named under the same headings. The page's own lines: docs/coverage.md says who may do what.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"

_HEADING = re.compile(r"(?P<depth>#+) (?P<title>.+)")
_ITEM = re.compile(r"\s*(?:[-*]|\d+\.) (?P<text>.+)")
_NOTE = re.compile(r"\*\*(?P<text>[^*:]+)\*\*: ")
_FIELD = re.compile(r"(?P<text>[A-Z][A-Za-z ]*): ")
_NAMES = re.compile(r"- (?P<names>(?:\*\*[^*]+\*\*|`[^`]+`)(?:, (?:\*\*[^*]+\*\*|`[^`]+`))*)\. ")
_NAME = re.compile(r"\*\*([^*]+)\*\*|`([^`]+)`")
_SHOWN = re.compile(r"`(tests/[^`]+)`")

Line = tuple[tuple[str, ...], str]
"""The headings above it, without the document's title, and what it says."""


@dataclass(frozen=True)
class Row:
    """Some lines of the procedures, who does them and how, and the tests that show it."""

    place: int  # line of the page, from 1
    headings: tuple[str, ...]
    names: tuple[str, ...]
    text: str
    shown: tuple[str, ...]


def lines_of(procedures: str) -> list[Line]:
    """Every line that somebody must do, know or fill in; once under each heading."""
    return list(dict.fromkeys(_lines(procedures)))


def rows_of(page: str) -> list[Row]:
    """Every row of the page; raises where one does not begin with what it is about."""
    found, headings = [], Headings()
    lines = page.splitlines()
    for number, line in enumerate(lines, start=1):
        if headings.take(line) or not line.startswith("- ") or not headings.path:
            continue
        head = _NAMES.match(line)
        if head is None:
            raise ValueError(f"{number}: not `- **LINE**, `COMMAND`. Who and how.`: {line}")
        names = tuple(bold or code for bold, code in _NAME.findall(head["names"]))
        below = lines[number] if number < len(lines) else ""
        tests = tuple(_SHOWN.findall(below)) if below.startswith("  Shown: ") else ()
        found.append(Row(number, headings.path, names, line[head.end() :], tests))
    return found


def missing(procedures: str, page: str) -> list[Line]:
    """Lines of the procedures that the page does not name under the same headings."""
    named = {(row.headings, name) for row in rows_of(page) for name in row.names}
    return [line for line in lines_of(procedures) if line not in named]


class Headings:
    """Where in a document we are."""

    def __init__(self) -> None:
        self.path: tuple[str, ...] = ()

    def take(self, line: str) -> bool:
        """Whether the line is a heading; the document's title is none of the path."""
        found = _HEADING.fullmatch(line)
        if found is None:
            return False
        depth = len(found["depth"])
        if depth > 1:
            self.path = (*self.path[: depth - 2], found["title"])
        return True


def _lines(procedures: str) -> Iterator[Line]:
    headings, fence = Headings(), ""
    for raw in procedures.splitlines():
        line = raw.strip()
        if line.startswith("```"):
            fence = "" if fence else line.removeprefix("```") or "template"
        elif fence == "template":
            if field := _FIELD.match(line):
                yield headings.path, field["text"]
        elif fence:
            if line and not line.startswith("#"):
                yield headings.path, line
        elif not headings.take(raw):
            if item := _ITEM.fullmatch(raw):
                bold = re.match(r"\*\*([^*]+)\*\*", item["text"])
                yield headings.path, bold[1] if bold else item["text"]
            elif note := _NOTE.match(raw):
                yield headings.path, note["text"]


def main() -> int:
    if not 2 <= len(sys.argv) <= 3:
        sys.stderr.write(__doc__ or "")
        return 2
    procedures, page = Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else PAGE
    lacking = missing(procedures.read_text("utf-8"), page.read_text("utf-8"))
    for headings, line in lacking:
        sys.stdout.write(f"{' > '.join(headings)}: {line}\n")
    total = len(lines_of(procedures.read_text("utf-8")))
    sys.stdout.write(f"{total - len(lacking)} of {total} lines are named in {page.name}\n")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
