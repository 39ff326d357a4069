"""Puts the files of `new` on disk: checked and tested first, and never over what is there."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from watchdog.cli.exits import NOT_SO, REFUSED
from watchdog.cli.shared import fail
from watchdog.lab.rule_tests import Report, files_at, run_files
from watchdog.policy.check import check
from watchdog.policy.folder import read_folder
from watchdog.policy.load import load_files

SETTINGS = "watchdog.toml"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written: into the rules folder, and beside it."""

    into: Path
    rules: Mapping[str, str]
    beside: Mapping[str, str]
    settings: str
    environment: str

    def paths(self) -> dict[Path, str]:
        parent = self.into.resolve().parent
        found = {self.into / path: text for path, text in self.rules.items()}
        return found | {parent / path: text for path, text in self.beside.items()}


@dataclass(frozen=True, slots=True)
class Put:
    """What was written. `settings` is the file that the daemon is started with, ours or theirs."""

    written: tuple[str, ...]
    settings: Path
    kept_settings: str  # what is to be said of settings that were there before


def put_down(wanted: Wanted) -> Put:
    """All of it, or the end of the command with nothing written."""
    paths = wanted.paths()
    there = [str(path) for path in paths if os.path.lexists(path)]
    if there:
        listed = "\n".join(f"  {path}" for path in there)
        fail(
            f"These exist, and nothing is overwritten; nothing was written:\n{listed}\n"
            "Name another folder with --into, and take over what you want of it.",
            REFUSED,
        )
    _beside_what_is_there(wanted)
    _proven(wanted)
    settings = wanted.into.resolve().parent / SETTINGS
    kept = ""
    if settings.exists():
        kept = _fits(settings, wanted)
    else:
        paths[settings] = wanted.settings
    written: list[Path] = []
    try:
        for path, text in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        fail(f"{error.filename}: {error.strerror}. Nothing was written", NOT_SO)
    return Put(tuple(str(path) for path in written), settings, kept)


def _beside_what_is_there(wanted: Wanted) -> None:
    """An existing folder must still load with what is put into it."""
    if not wanted.into.exists():
        return
    there = read_folder(wanted.into)
    if not there.files and there.whole:
        return
    problems = list(there.problems)
    if not problems:
        both = {**there.files, **{p: t for p, t in wanted.rules.items() if "test" not in p}}
        problems = list(load_files(both, wanted.environment).errors)
    if problems:
        listed = "\n".join(f"  {wanted.into}/{problem.text}" for problem in problems)
        fail(
            f"With what lies in {wanted.into} already it would not load; nothing was written:\n"
            f"{listed}\nName another folder with --into.",
            REFUSED,
        )


def _proven(wanted: Wanted) -> None:
    """What we write, we have checked and tested. It failing is a bug of ours, told as one."""
    with tempfile.TemporaryDirectory(prefix="slo-watchdog-") as private:
        folder = Path(private) / "rules"
        for path, text in wanted.rules.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        report = check(folder)
        tests = Report(run_files(files_at(folder)))
        if not report.clean or not tests.passed:
            told = report.text() if not report.clean else tests.text()
            fail(f"A fault of slo-watchdog itself; nothing was written:\n{told}", NOT_SO)


def _fits(settings: Path, wanted: Wanted) -> str:
    """What settings that are there already lack for these rules."""
    try:
        said = tomllib.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"{settings} was there and is left as it is; it cannot be read as settings"
    lacks = []
    if said.get("environment") != wanted.environment:
        lacks.append(f'environment = "{wanted.environment}"')
    rules = said.get("rules_dir")
    here = wanted.into.resolve()
    if not isinstance(rules, str) or (settings.parent / rules).resolve() != here:
        lacks.append(f'rules_dir = "{here}"')
    left = f"{settings} was there and is left as it is"
    return f"{left}; these rules need in it: {', '.join(lacks)}" if lacks else left
