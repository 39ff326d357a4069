"""The command `backtest`: what these rules would have done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.backtest_page import show
from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.cli.past import (
    Environment,
    Every,
    From,
    OpenMetrics,
    To,
    Variables,
    file_history,
    load_rules,
    moment,
    pairs,
    progress_bar,
    rule_names,
)
from watchdog.cli.shared import AsJson, fail, seconds
from watchdog.core.words import Mode
from watchdog.lab.backtest import Settings, Stage, replay
from watchdog.lab.backtest.incidents import Incident, read_incidents
from watchdog.lab.backtest.score import score
from watchdog.lab.history import Bad
from watchdog.lab.report.document import document


def backtest(
    rules: Annotated[Path, typer.Argument(help="The rules folder.")],
    begin: From = None,
    end: To = None,
    openmetrics: OpenMetrics = None,
    every: Every = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule; may be repeated.")] = None,
    incidents: Annotated[
        Path | None, typer.Option(help="Known incidents, YAML or CSV, to score the rules by.")
    ] = None,
    declared: Annotated[
        bool, typer.Option("--declared", help="In the modes of the file, not as if armed.")
    ] = False,
    undo_after: Annotated[
        str, typer.Option(help="A person is taken to undo a rollback so long after recovery.")
    ] = "15m",
    environment: Environment = None,
    variable: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Replay rules, gates and would-be actions over the past, and score them by incidents."""
    policy = load_rules(rules, environment, pairs(variable))
    settings = Settings(
        mode=None if declared else Mode.ARMED,
        undo_after_seconds=seconds(undo_after),
        every_seconds=seconds(every),
    )
    stage = Stage.of(policy, settings, only=rule_names(rule, policy))
    known = _incidents(incidents, stage)
    if openmetrics is None:
        fail("Say which past: --openmetrics FILE", WRONG_USAGE)
    try:
        history, span = file_history(
            openmetrics, stage, moment(begin, "--from"), moment(end, "--to"), quiet=as_json
        )
        with progress_bar("Replaying", quiet=as_json) as progress:
            run = replay(stage, history, span, settings, progress)
    except Bad as error:
        fail(str(error), NOT_SO)
    scored = score(run.firings, known, stage.policy.rules, span) if incidents else None
    if as_json:
        print(json.dumps(document(run, scored), allow_nan=False))
    else:
        show(run, scored)


def _incidents(path: Path | None, stage: Stage) -> list[Incident]:
    if path is None:
        return []
    read = read_incidents(path, stage.policy.rules)
    if read.problems:
        fail("\n".join(problem.text for problem in read.problems), NOT_SO)
    return read.found
