"""The pages tell of commands that exist, with options that exist."""

import re
from functools import cache
from pathlib import Path

from typer.testing import CliRunner

from tests.house.tree import REPOSITORY, files, name_of
from watchdog.cli import app

PAGES = [path for path in files() if path.suffix == ".md"]
_COMMAND = re.compile(
    r"(?:^    (?:sudo )?|`)(?:\.venv/bin/)?slo-watchdog (?P<command>[a-z][a-z-]*)(?P<rest>[^`\n]*)",
    re.MULTILINE,
)
_MAKE = re.compile(r"(?:^    |`)make (?P<target>[a-z][a-z-]*)", re.MULTILINE)


def commands() -> list[tuple[str, str, tuple[str, ...]]]:
    """Page, subcommand and options of each `slo-watchdog` line or span in a page."""
    return [
        (name_of(page), found["command"], tuple(re.findall(r"(?<=\s)--[a-z-]+", found["rest"])))
        for page in PAGES
        for found in _COMMAND.finditer(page.read_text())
    ]


def targets(page: Path) -> list[str]:
    return [found["target"] for found in _MAKE.finditer(page.read_text())]


def test_the_readme_opens_with_the_two_commands() -> None:
    assert targets(REPOSITORY / "README.md")[:2] == ["demo", "test"]


def test_every_make_target_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    told = {target for page in PAGES for target in targets(page)}
    missing = {target for target in told if not re.search(rf"^{target}:", makefile, re.MULTILINE)}
    assert missing == set()


def test_every_command_exists_with_its_options() -> None:
    wrong = []
    for page, command, options in sorted(set(commands())):
        told = help_of(command)
        if told is None:
            wrong.append(f"{page}: {command} is no command")
            continue
        wrong += [
            f"{page}: {command} {option}"
            for option in options
            if not re.search(rf"(?<![\w-]){option}(?![\w-])", told)
        ]
    assert wrong == []


@cache
def help_of(command: str) -> str | None:
    """What `slo-watchdog COMMAND --help` prints; None where there is no such command."""
    told = CliRunner().invoke(
        app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    )
    return told.stdout if told.exit_code == 0 else None
