"""docs/coverage.md names every line of the procedures, and nothing that does not exist."""

from __future__ import annotations

import ast
import json
import re
from functools import cache

import pytest

from tests.house.coverage import PAGE, Row, lines_of, missing, rows_of
from tests.house.tree import REPOSITORY
from watchdog.cli.commands import PLACES
from watchdog.policy import load_folder
from watchdog.web.metrics import CATALOG

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = rows_of(TEXT)
WHO = ("By itself", "On a person's word", "People")
_CODE = re.compile(r"`([^`]+)`")
_WORD = re.compile(r"[a-z][A-Za-z0-9_.-]*")

PROCEDURES = """\
# Procedures

## Rollback
### Pause
```bash
# comments are no commands
tool pause
```
1. **Check the flag**
   - Look twice
#### Words
```
Subject: [X]

Anything else.
Next Update: [Time]
```
**Version**: 1.0
"""


@pytest.fixture(scope="module")
def words() -> frozenset[str]:
    """What a name in the page may be: a word of the rule language, or a name of what is shipped."""
    policy = load_folder(REPOSITORY / "rules", "production").policy
    assert policy is not None
    assert policy.contacts is not None
    named = {name for row in ROWS for name in row.names}
    named |= {*policy.rules, *policy.actions, *policy.playbooks}
    named |= {*policy.contacts.channels, *policy.contacts.audiences}
    named |= {check.name for checks in policy.verification.values() for check in checks}
    named |= {path.stem for path in (REPOSITORY / "watchdog/messages/templates").iterdir()}
    named |= {"mycelia-flags", "ops:tail"}  # Mycelia's tools that no rule of ours names
    for schema in (REPOSITORY / "rules/.schema").glob("*.json"):
        named |= set(_keys(json.loads(schema.read_text())))
    return frozenset(named)


def test_every_line_of_the_procedures_is_named_once() -> None:
    told = [(row.headings, name) for row in ROWS for name in row.names]
    assert len(told) == len(set(told))
    (total,) = re.findall(r"each of their (\d+) lines", TEXT)
    assert len(told) == int(total), "a row came or went: compare it with the procedures once more"


def test_each_row_says_who_and_what_shows_it() -> None:
    for row in ROWS:
        assert row.text.startswith(WHO), f"{row.place}: who does it?"
        assert row.shown, f"{row.place}: no test shows it"


def test_every_test_that_is_named_is_one_that_runs() -> None:
    wrong = [
        f"{row.place}: {test}"
        for row in ROWS
        for test in row.shown
        if test.partition("::")[2] not in run_in(test.partition("::")[0])
    ]
    assert wrong == []


def test_every_place_that_the_page_names_exists(words: frozenset[str]) -> None:
    assert [f"{row.place}: {code}" for row in ROWS for code in _unknown(row, words)] == []


def test_what_is_missing_is_found() -> None:
    page = """\
## Rollback
### Pause
- **Check the flag**, `tool pause`. By itself.
  Shown: `tests/x.py::test_y`
#### Words
- **Subject**. People.
"""
    assert len(lines_of(PROCEDURES)) == 6
    assert [line for _, line in missing(PROCEDURES, page)] == [
        "Look twice", "Next Update", "Version",
    ]  # fmt: skip
    (pause, subject) = rows_of(page)
    assert (pause.headings, pause.shown) == (("Rollback", "Pause"), ("tests/x.py::test_y",))
    assert subject.shown == ()
    elsewhere = page.replace("### Pause", "### Resume")
    assert len(missing(PROCEDURES, elsewhere)) == 6
    with pytest.raises(ValueError, match="3: not"):
        rows_of(page.replace("- **Check", "- Check"))


def test_a_name_that_nothing_has_is_found(words: frozenset[str]) -> None:
    row = Row(1, ("a",), ("b",), "By itself: `pause-redemption`, `pause-nothing`, `docs/no.md`", ())
    assert list(_unknown(row, words)) == ["pause-nothing", "docs/no.md"]


@cache
def run_in(file: str) -> frozenset[str]:
    """Tests of a file that nothing marks to be skipped."""
    path = REPOSITORY / file
    if not path.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any("skip" in ast.unparse(mark) for mark in node.decorator_list)
    )


def _unknown(row: Row, words: frozenset[str]) -> list[str]:
    """What stands in code in a row and is no command, metric, file, option or known word."""
    return [code for code in _CODE.findall(row.text) if not _is_known(code, words)]


def _is_known(code: str, words: frozenset[str]) -> bool:
    if code.startswith("slo-watchdog "):
        return code.split()[1] in PLACES
    if code.startswith("slo_watchdog_"):
        return code.removeprefix("slo_watchdog_") in CATALOG
    if "/" in code or code.endswith(".yaml"):
        return any((folder / code).exists() for folder in (REPOSITORY, REPOSITORY / "rules"))
    first = _WORD.match(code)
    return code.startswith("--") or code in words or (first is not None and first[0] in words)


def _keys(schema: object) -> set[str]:
    """Every property that a JSON Schema knows, however deep."""
    if isinstance(schema, list):
        return set().union(*map(_keys, schema)) if schema else set()
    if not isinstance(schema, dict):
        return set()
    here = (
        set(schema.get("properties", {})) if isinstance(schema.get("properties"), dict) else set()
    )
    return here.union(*map(_keys, schema.values())) if schema else here
