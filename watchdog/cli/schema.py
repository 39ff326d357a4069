"""The command `schema`: JSON Schemas of the rule files and of their tests, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.cli.shared import console, fail
from watchdog.lab.rule_tests.schema import tests
from watchdog.policy.schema import FOLDER, text_of
from watchdog.policy.schema import SCHEMAS as OF_RULES

SCHEMAS = {**OF_RULES, "tests": tests}
_LINES = {
    "platform": f"# yaml-language-server: $schema={FOLDER}/platform.json",
    "contacts": f"# yaml-language-server: $schema={FOLDER}/contacts.json",
    "rules": f"# yaml-language-server: $schema=../{FOLDER}/rules.json",
    "vars": f"# yaml-language-server: $schema=../{FOLDER}/vars.json",
    "tests": f"# yaml-language-server: $schema=../{FOLDER}/tests.json",
}


def schema(
    kind: Annotated[
        str | None, typer.Argument(help="platform, contacts, rules, vars or tests; all without it.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(help=f"A rules folder: write them into its {FOLDER}/, which no load reads."),
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of rule file, or write all for an editor's completion."""
    if kind is not None and kind not in SCHEMAS:
        fail(f"There is no schema {kind}. Write one of {', '.join(SCHEMAS)}", WRONG_USAGE)
    kinds = list(SCHEMAS) if kind is None else [kind]
    if write is None:
        print(text_of(kind, SCHEMAS) if kind else json.dumps({k: SCHEMAS[k]() for k in kinds}))
        return
    if not write.is_dir():
        fail(f"{write} is no folder. Name the rules folder", NOT_SO)
    try:
        (write / FOLDER).mkdir(exist_ok=True)
        for one in kinds:
            (write / FOLDER / f"{one}.json").write_text(text_of(one, SCHEMAS), encoding="utf-8")
    except OSError as error:
        fail(f"{write / FOLDER} cannot be written: {error.strerror or error}", NOT_SO)
    for one in kinds:
        console.print(f"{write / FOLDER / one}.json   first line of its files: {_LINES[one]}",
                      markup=False)  # fmt: skip
