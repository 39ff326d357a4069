"""What the YAML parser complains of, in an author's words: line, column, what, what to do."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

# `breach_when: > 5%`: without quotes YAML takes `>` for the beginning of a folded text
_BARE_BOUND = re.compile(r":\s+[<>]=?\s*[0-9.]")

_TEXT_AFTER_QUOTE = re.compile(r":\s+(['\"]).*\1\s*[^\s#]")

_MEANT = (
    (
        re.compile(r"found character '(.)' that cannot start any token"),
        "a value begins with {0}, which YAML keeps for itself",
        "Put quotes around the value.",
    ),
    (
        re.compile(r"mapping values are not allowed here"),
        "a colon stands where no key can end",
        'Put quotes around a value that holds ": "; or does the line before lack colon or spaces?',
    ),
    (
        re.compile(r"found unexpected end of stream"),
        "a quote is opened{opened} and not closed",
        "Close it where its text ends.",
    ),
    (
        re.compile(r"expected ',' or '([]}])', but got .*"),
        "a list or mapping in brackets is opened{opened} and not closed",
        "Close it with `{0}`, or put the comma that is missing.",
    ),
    (
        re.compile(r"found unknown escape character '(.)'"),
        "\\{0} is nothing that double quotes know",
        "Write \\\\ for a backslash, or put single quotes around the text.",
    ),
    (
        re.compile(r"expected the node content, but found '([^<].*)'"),
        "`{0}` stands where a value is wanted",
        "Remove it, or put quotes around the value.",
    ),
)
"""What the parser says, what an author did, and what to do about it."""

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
    meant = _meant(problem, error)
    if "\t" in line[:column] or "\\t" in problem:
        problem, remedy = "a tab where YAML wants spaces", "Indent with spaces."
    elif "{{" in line:
        remedy = 'Put quotes around a value that holds a variable: "{{ app }}/metrics".'
    elif "<block" in problem and _TEXT_AFTER_QUOTE.search(line):
        problem = "something stands behind a quote that ends a text"
        remedy = "Put quotes around the whole value; within single quotes a quote is doubled."
    elif "<block" in problem:  # the parser's words for it say nothing to an author
        problem = "the line is not indented like the ones that it belongs to"
        remedy = "Give keys of one mapping the same number of spaces."
    elif _BARE_BOUND.search(line):
        remedy = 'Put quotes around a bound: "> 5%".'
    elif meant is not None:
        problem, remedy = meant
    elif at >= len(lines):
        remedy = "The file seems cut off here: was it saved whole?"
    return at, column, f"not YAML: {problem}", remedy


def _meant(problem: str, error: MarkedYAMLError) -> tuple[str, str] | None:
    """What an author did, of what happens often, and what to do about it."""
    begun = error.context_mark
    opened = f" in line {begun.line + 1}" if begun is not None else ""
    for pattern, what, remedy in _MEANT:
        found = pattern.fullmatch(problem)
        if found is not None:
            words = found.groups()
            return what.format(*words, opened=opened), remedy.format(*words)
    return None
