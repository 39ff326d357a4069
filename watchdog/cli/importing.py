"""The command `import`: rules of others become rules of ours, with a report of what they lost."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO, REFUSED
from watchdog.cli.shared import AsJson, console, errors, fail
from watchdog.policy.importers.importing import Imported, import_texts
from watchdog.policy.reading import Unreadable, text_of
from watchdog.policy.scalars import is_name
from watchdog.policy.tree import MAX_FOREIGN_CHARACTERS

_MAX_BYTES = 4 * MAX_FOREIGN_CHARACTERS  # the longest character of UTF-8 has four


def _name(value: str) -> str:
    if not is_name(value):
        raise typer.BadParameter(f"{value!r}: write small letters, digits and hyphens")
    return value


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="What to import; several files are read as one, so that they may refer to each "
            "other.",
        ),
    ],
    owner: Annotated[
        str, typer.Option(callback=_name, help="Whose rules these are: the folder's name.")
    ] = "imported",
    source: Annotated[
        str, typer.Option(callback=_name, help="The source that the rules read.")
    ] = "prometheus",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="The rules folder, into which OWNER/FILE.yaml is written. Else it is printed.",
        ),
    ] = None,
    partly: Annotated[
        bool, typer.Option("--partly", help="Write what came over in spite of errors.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import rules of Prometheus, its operator, Sloth, Pyrra or OpenSLO, in `observe`.

    Every field that was changed or dropped is told with its place. With errors nothing is written.
    """
    texts: dict[str, str] = {}
    for path in files:
        try:
            texts[str(path)] = text_of(path, _MAX_BYTES)
        except Unreadable as error:
            fail(error.problem.text, NOT_SO)
    imported = import_texts(texts, source)
    ready = bool(imported.rules) and (partly or not imported.errors)
    where = ""
    if output is not None and ready:
        where = _write(imported.rules, output / owner / f"{_stem(files[0])}.yaml")
    if as_json:
        print(imported.json())
    else:
        _tell(imported, where, ready=ready, to_file=output is not None)
    if imported.errors:
        raise typer.Exit(NOT_SO)


def _stem(path: Path) -> str:
    name = path.name.partition(".")[0].lower()
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name).strip("-") or "rules"


def _write(text: str, path: Path) -> str:
    made = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8"):
            made = True
        path.write_text(text, encoding="utf-8")
    except FileExistsError:
        fail(f"{path} exists; nothing was written. Remove it, or name another owner.", REFUSED)
    except OSError as error:
        if made:
            path.unlink(missing_ok=True)
        fail(f"{path} cannot be written: {error.strerror or error}", NOT_SO)
    return str(path)


def _tell(imported: Imported, where: str, *, ready: bool, to_file: bool) -> None:
    """The rules on stdout and the report on stderr; with `-o` the report on stdout."""
    page = console if to_file else errors
    if ready and not to_file:
        sys.stdout.write(imported.rules)
    report = imported.report
    for note in sorted(report.notes):
        page.print(note.text, markup=False)
    for problem in imported.errors:
        errors.print(f"{problem.text}", markup=False)
    for came in report.came:
        page.print(came.text, markup=False)
    count = len(imported.errors)
    rules, notes = len(report.came), len(report.notes)
    said = f"{rules} rule{'s' * (rules != 1)}, {notes} field{'s' * (notes != 1)} changed or dropped"
    if count:
        said += f", {count} error{'s' * (count > 1)}"
    if count and not ready:
        said += ": nothing was written"
    if where:
        said += f"; written to {where}, in observe"
    (errors if count else page).print(said, markup=False)
