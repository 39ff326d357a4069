"""Where a key stands in TOML text, for people: the parser that we have tells values alone.

One law: a place is told only where the text itself proves it. A line is the key's when all before
it is whole TOML without the key, and it, with what its value still needs, brings the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

MOST_LINES = 2_000
"""Of longer files no place is told: every candidate is proven by parsing."""

_MOST_CANDIDATES = 20
_MOST_VALUE_LINES = 100


def place_of(text: str, path: Sequence[str]) -> tuple[int, int] | None:
    """Line and column, from 1, of the key that `path` leads to, or of the innermost one above it
    that has a line of its own. None where none is found.
    """
    lines = text.splitlines(keepends=True)
    if len(lines) > MOST_LINES:
        return None
    for depth in range(len(path), 0, -1):
        for number, column in islice(_candidates(lines, path[depth - 1]), _MOST_CANDIDATES):
            if _brings(lines, number, path[:depth]):
                return number + 1, column + 1
    return None


def fault_place(message: str) -> tuple[str, str]:
    """A parser's message without its place, and the place as `:line:column`, if it has one."""
    found = re.search(r" \(at line (\d+), column (\d+)\)\Z", message)
    return (message, "") if found is None else (message[: found.start()], f":{found[1]}:{found[2]}")


def _candidates(lines: Sequence[str], key: str) -> Iterator[tuple[int, int]]:
    """Lines that may be about the key: `key =`, `table.key =`, `[key]`, `[table.key]`."""
    wanted = re.compile(rf"(?:^|[\s.\[\"']){re.escape(key)}(?=[\"']?\s*[=.\]])")
    for number, line in enumerate(lines):
        found = wanted.search(line.partition("=")[0] + "=" if "=" in line else line)
        if found is not None:
            yield number, found.end() - len(key)


def _brings(lines: Sequence[str], number: int, path: Sequence[str]) -> bool:
    before = "".join(lines[:number])
    known = _parsed(before)
    if known is None or _has(known, path):
        return False
    for last in range(number + 1, min(len(lines), number + _MOST_VALUE_LINES) + 1):
        found = _parsed(before + "".join(lines[number:last]))
        if found is not None:
            return _has(found, path)
    return False


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _has(value: Any, path: Sequence[str]) -> bool:
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True
