"""A paper as Markdown that can be pasted into a ticket.

Every text is escaped, so that it reads as it is in CommonMark and in GitHub's dialect: no emphasis,
no link, no picture, no table cell, no heading and no HTML comes out of it. What a program printed
stands in a fence longer than any in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import singledispatch

from watchdog.core.text import printable
from watchdog.lab.papers.paper import (
    Blank,
    Block,
    Facts,
    Items,
    Output,
    Paper,
    Picture,
    Table,
    Words,
)
from watchdog.lab.papers.plain import calm
from watchdog.plots.svg import told

_SPECIAL = re.compile(r"[\\`*\[\]|~#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BEGINS_A_BLOCK = re.compile(r"(?=[-+=])|(?<=\d)(?=[.)])")
_RUN = re.compile("`+")


def markdown(paper: Paper) -> str:
    lines = [f"# {inline(paper.title)}", ""]
    lines += [f"{inline(line)}  " for line in paper.below]
    for section in paper.sections:
        lines += ["", f"## {inline(section.title)}"]
        for block in section.blocks:
            lines += ["", *_written(block)]
    return "\n".join(lines).rstrip() + "\n"


def inline(text: str) -> str:
    """On one line, and nothing but text."""
    line = calm(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _SPECIAL.sub(lambda found: "\\" + found[0], line)
    head, rest = line[:12], line[12:]
    if re.match(r"[-+=]|\d{1,9}[.)](?= |$)", head):
        head = _BEGINS_A_BLOCK.sub(r"\\", head, count=1)
    return head + rest


def fenced(text: str) -> list[str]:
    """Line by line; the fence is longer than any run of its sign in the text."""
    lines = [printable(line) for line in text.splitlines()]
    longest = max((len(run) for line in lines for run in _RUN.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence]


@singledispatch
def _written(block: Block) -> Iterator[str]:
    raise TypeError(f"{type(block).__name__} is no block")


@_written.register
def _words(block: Words) -> Iterator[str]:
    yield f"*{inline(block.text)}*" if block.quiet else inline(block.text)


@_written.register
def _items(block: Items) -> Iterator[str]:
    yield from (f"- {inline(item)}" for item in block.items)


@_written.register
def _facts(block: Facts) -> Iterator[str]:
    yield from _table(("", ""), tuple((name, value) for name, value in block.rows), frozenset())


@_written.register
def _rows(block: Table) -> Iterator[str]:
    if block.rows:
        yield from _table(block.head, block.rows, block.numbers)
    else:
        yield inline(block.none)


@_written.register
def _output(block: Output) -> Iterator[str]:
    yield f"{inline(block.label)}:"
    yield ""
    yield from fenced(block.text)


@_written.register
def _picture(block: Picture) -> Iterator[str]:
    yield inline(told(block.plot))


@_written.register
def _blank(block: Blank) -> Iterator[str]:
    yield f"### {inline(block.title)}"
    yield ""
    yield from (f"- {inline(item)}" for item in block.items)
    if block.items:
        yield ""
    yield f"*{inline(block.hint)}*"


def _table(
    head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], numbers: frozenset[int]
) -> Iterator[str]:
    yield _row(head)
    yield "|" + "|".join("---:" if i in numbers else "---" for i in range(len(head))) + "|"
    yield from map(_row, rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(inline, cells)) + " |"
