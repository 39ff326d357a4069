"""The command `test`: do the rules do what their unit tests say?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.cli.shared import AsJson, console, fail
from watchdog.cli.writing import must_be_writable, write_whole
from watchdog.lab.rule_tests import Loader, Report, Unreadable, files_at, run_files


def run_tests(
    file: Annotated[
        list[Path], typer.Argument(help="Test files; of a folder, every *.test.yaml in it.")
    ],
    environment: Annotated[
        str | None, typer.Option(help="Load the rules for it, whatever the files say.")
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option("--var", help="NAME=VALUE, before the vars file's.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="Write the results as JUnit XML to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run unit tests of rules: promtool's format, and ours for episodes, gates and actions.

    The rules are judged by what judges at night; nothing is asked and nothing is changed.
    """
    must_be_writable(junit)
    variables = dict(_pair(text) for text in variable or [])
    try:
        found = tuple(dict.fromkeys(path for given in file for path in files_at(given)))
    except Unreadable as error:
        fail(error.problem.text, WRONG_USAGE)
    missing = next((path for path in found if not path.exists()), None)
    if missing is not None:
        fail(f"There is no {missing}", WRONG_USAGE)
    if not found:
        fail(f"There is no *.test.yaml in {', '.join(map(str, file))}", WRONG_USAGE)
    report = Report(run_files(found, Loader(environment, variables)))
    if junit is not None:
        write_whole(junit, report.junit())
    if as_json:
        print(report.json())
    else:
        console.print(report.text(), markup=False)
    if not report.passed:
        raise typer.Exit(NOT_SO)


test = run_tests  # the command's name; a function of that name would look like a test of ours


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE")
    return name, value
