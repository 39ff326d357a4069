"""A file a reader can hold in the head, a function that fits a screen, a name that says much."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.tree import findings, name_of, python_files

FILE_LINES = 350
FUNCTION_LINES = 60
EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "misc"})

# Where an exception stands: after its code, or in a comment on the line above.
_EXCEPTION = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)$")
_CODES_AND_REASON = re.compile(
    r"^(?::\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*|\[[a-z-]+(?:,\s*[a-z-]+)*\])\s*(?P<reason>.*)$"
)


def too_long(text: str) -> Iterator[str]:
    """What of a module is longer than it may be: itself, or a function in it."""
    if (lines := len(text.splitlines())) > FILE_LINES:
        yield f"has {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{node.name} has {lines} lines"


def unexplained_exceptions(text: str) -> Iterator[str]:
    """`line: text` of each `noqa` and `type: ignore` that lacks its code or its reason."""
    above = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _EXCEPTION.search(line):
            parts = _CODES_AND_REASON.match(found["rest"])
            explained = parts is not None and (
                re.search(r"^(#|-)\s+\S+", parts["reason"]) or above.lstrip().startswith("#")
            )
            if not explained:
                yield f"{number}: {line.strip()}"
        above = line


def test_a_module_can_be_held_in_the_head() -> None:
    assert findings(python_files("watchdog"), too_long) == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    ours = python_files("watchdog", "tests", "bench", "deploy")
    assert [name_of(path) for path in ours if path.stem in EMPTY_NAMES] == []


def test_every_exception_from_a_check_has_its_reason() -> None:
    ours = python_files("watchdog", "tests", "bench", "deploy")
    assert findings(ours, unexplained_exceptions) == {}


def test_what_is_too_long_is_seen() -> None:
    fits = "def fits():\n" + "    pass\n" * (FUNCTION_LINES - 1)
    assert list(too_long(fits)) == []
    assert list(too_long(fits + "    pass\n")) == ["fits has 61 lines"]
    assert list(too_long("x = 1\n" * FILE_LINES)) == []
    assert list(too_long("x = 1\n" * (FILE_LINES + 1))) == ["has 351 lines"]


@pytest.mark.parametrize("line", ["", ": S101", ": S101, S603", ": because I say so"])
def test_an_exception_without_a_reason_is_seen(line: str) -> None:
    marker = "# no" + "qa"
    assert list(unexplained_exceptions(f"x = 1  {marker}{line}")) != []
    assert list(unexplained_exceptions("x = 1  # type" + ": ignore")) != []


def test_an_exception_with_its_reason_is_none() -> None:
    marker = "# no" + "qa"
    assert list(unexplained_exceptions(f"x = 1  {marker}: S101  # stays on")) == []
    assert list(unexplained_exceptions(f"x = 1  {marker}: S101, E501 - stays on")) == []
    assert list(unexplained_exceptions(f"# it stays on\nx = 1  {marker}: S101")) == []
