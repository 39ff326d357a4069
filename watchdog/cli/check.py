"""The command `check`: would these rules load, and do they mean what they should?"""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import AsJson, console
from watchdog.cli.tools import unfound
from watchdog.policy.check import check as check_folder
from watchdog.policy.check import grounds
from watchdog.policy.lint.here import here_findings
from watchdog.policy.lint.live import live_findings


def check(
    rules: Annotated[Path, typer.Argument(help="The rules folder.")],
    environment: Annotated[
        str | None, typer.Option(help="One environment; all that the folder names without it.")
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option("--var", help="NAME=VALUE, before the vars file's.")
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Ask sources and actions, look for credentials; changes nothing."
        ),
    ] = False,
    secrets: Annotated[
        Path | None, typer.Option("--secrets-dir", help="With --live: where credentials lie.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for warnings too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a rules folder: what is refused, and what would load and not do what it is for.

    Every finding has its file, line and column, why it matters and what to write.
    """
    report = check_folder(rules, environment, variables=pairs(variable))
    clean = report.clean  # a pipeline's host need not have the tools: its warnings do not count
    for name, ground in grounds(report, rules).items() if not live else ():
        missing = unfound(ground.policy, socket.gethostname(), os.environ)
        report = report.with_findings(name, here_findings(ground, missing))
    if live:  # whose preflight looks for the tools as well
        # Late on purpose: sources and actions take half a second to import, and need not be asked.
        from watchdog.cli.asking import ask  # noqa: PLC0415  # see above

        for name, ground in grounds(report, rules).items():
            said = asyncio.run(ask(ground, secrets))
            report = report.with_findings(name, live_findings(ground, said))
        clean = report.clean
    if as_json:
        print(report.json())
    else:
        console.print(report.text(), markup=False)
    if not (clean and report.ok if strict else report.ok):
        raise typer.Exit(NOT_SO)


def pairs(texts: list[str] | None) -> dict[str, str]:
    """What `--var NAME=VALUE` gave."""
    return dict(_pair(text) for text in texts or [])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE")
    return name, value
