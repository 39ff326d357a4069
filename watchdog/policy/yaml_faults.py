"""What the YAML parser complains of, in an author's words: line, column, what, what to do."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

# `breach_when: > 5%`: without quotes YAML takes `>` for the beginning of a folded text
_BARE_BOUND = re.compile(r":\s+[<>]=?\s*[0-9.]")

Fault = tuple[int, int, str, str]
"""Line and column from 1, what is wrong, what to do."""


def unreadable(error: ReaderError, text: str) -> Fault:
    """A character that is no text."""
    index = next((i for i, c in enumerate(text) if ord(c) == error.character), 0) if isinstance(
        error.character, int
    ) else 0  # fmt: skip
    before = text[:index]
    code = f"U+{error.character:04X}" if isinstance(error.character, int) else "a byte"
    return (
        before.count("\n") + 1,
        index - (before.rfind("\n") + 1) + 1,
        f"the file contains {code}, which is no text",
        "It is binary or damaged: restore it.",
    )


def syntax(error: MarkedYAMLError, text: str) -> Fault:
    """The place at which the parser gave up, and what an author most likely did there."""
    mark = error.problem_mark or error.context_mark
    at, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    line = lines[at - 1] if at <= len(lines) else ""
    problem = " ".join(str(error.problem or error.context or "it cannot be parsed").split())
    remedy = "Correct the YAML there, or the line before it."
    if "\t" in line[:column] or "\\t" in problem:
        problem, remedy = "a tab where YAML wants spaces", "Indent with spaces."
    elif "{{" in line:
        remedy = 'Put quotes around a value that holds a variable: "{{ app }}/metrics".'
    elif "<block" in problem:  # the parser's words for it say nothing to an author
        problem = "the line is not indented like the ones that it belongs to"
        remedy = "Give keys of one mapping the same number of spaces."
    elif _BARE_BOUND.search(line):
        remedy = 'Put quotes around a bound: "> 5%".'
    elif at >= len(lines):
        remedy = "The file seems cut off here: was it saved whole?"
    return at, column, f"not YAML: {problem}", remedy
