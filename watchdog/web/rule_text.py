"""The text of one rule, as it was applied: cut out of its file, with the comment above it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"(?P<file>.+):(?P<line>[0-9]{1,7}):(?P<column>[0-9]{1,5})")
_MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class RuleText:
    """`first` is the number of its first line in the file."""

    file: str
    first: int
    text: str


def rule_text(where: str, files: Mapping[str, str]) -> RuleText | None:
    """`where` is "path:line:column" of a rule's name. None where its text is not known."""
    place = _PLACE.fullmatch(where)
    text = files.get(place["file"]) if place is not None else None
    if place is None or text is None:
        return None
    lines = text.splitlines()
    start, indent = int(place["line"]) - 1, int(place["column"]) - 1
    if not 0 <= start < len(lines):
        return None
    end = start + 1
    while end < min(len(lines), start + _MOST_LINES) and _inside(lines[end], indent):
        end += 1
    while end > start + 1 and _is_between(lines[end - 1], indent):
        end -= 1
    first = start
    while first > 0 and _is_comment(lines[first - 1], indent):
        first -= 1
    shown = [line[indent:] if not line[:indent].strip() else line for line in lines[first:end]]
    return RuleText(place["file"], first + 1, "\n".join(shown))


def _inside(line: str, indent: int) -> bool:
    """Not yet the next rule, nor the end of them."""
    return not line.strip() or line.startswith(" " * (indent + 1)) or _is_comment(line, indent)


def _is_comment(line: str, indent: int) -> bool:
    return line.startswith(" " * indent + "#")


def _is_between(line: str, indent: int) -> bool:
    """What stands before the next rule belongs to that."""
    return not line.strip() or _is_comment(line, indent)
