"""The command `backtest`: what these rules would have done."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.backtest_page import show
from watchdog.cli.exits import NOT_SO
from watchdog.cli.past import (
    CacheFolder,
    Environment,
    Every,
    From,
    Match,
    NoCache,
    OpenMetrics,
    Past,
    Prometheus,
    To,
    Variables,
    Warm,
    cache_folder,
    known_incidents,
    load_rules,
    pairs,
    policy_of,
    progress_bar,
    rule_names,
    save,
)
from watchdog.cli.shared import AsJson, console, fail, seconds
from watchdog.cli.writing import must_be_writable
from watchdog.core.spec import Policy
from watchdog.core.words import Mode
from watchdog.lab.backtest import Run, Settings, Stage, replay
from watchdog.lab.backtest.against import Comparison, compare
from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.backtest.score import Score, score
from watchdog.lab.history import Bad
from watchdog.lab.history.versions import load_version
from watchdog.lab.report.document import document
from watchdog.lab.report.page import page


def backtest(
    rules: Annotated[Path, typer.Argument(help="The rules folder.")],
    begin: From = None,
    end: To = None,
    prometheus: Prometheus = None,
    openmetrics: OpenMetrics = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule; may be repeated.")] = None,
    incidents: Annotated[
        Path | None, typer.Option(help="Known incidents, YAML or CSV, to score the rules by.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another version of the rules: a folder or a git revision.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a report with plots to this file; needs no network.")
    ] = None,
    declared: Annotated[
        bool, typer.Option("--declared", help="In the modes of the file, not as if armed.")
    ] = False,
    undo_after: Annotated[
        str, typer.Option(help="A person is taken to undo a rollback so long after recovery.")
    ] = "15m",
    warm: Warm = None,
    every: Every = None,
    match: Match = None,
    cache: CacheFolder = None,
    no_cache: NoCache = False,
    environment: Environment = None,
    variable: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Replay rules, gates and would-be actions over the past, and score them by incidents."""
    must_be_writable(html)
    policy = load_rules(rules, environment, pairs(variable))
    folder = cache_folder(cache, none=no_cache)
    past = Past.of(openmetrics, prometheus, begin, end, cache=folder, quiet=as_json, match=match)
    settings = Settings(
        mode=None if declared else Mode.ARMED,
        undo_after_seconds=seconds(undo_after),
        every_seconds=seconds(every),
    )
    names = rule_names(rule, policy)
    stage = Stage.of(policy, settings, only=names, evaluated_here=past.evaluated_here)
    if not stage.policy.rules:
        fail(_nothing(stage), NOT_SO)
    known = known_incidents(incidents, policy, stage) if incidents is not None else None
    warm_seconds = seconds(warm)
    longest = stage.longest_window_seconds if warm_seconds is None else warm_seconds
    try:
        other = None
        if against is not None:
            load, _ = load_version(against, rules, policy.environment, pairs(variable))
            other = policy_of(load, against)
        done = _replay(policy, other, past, replace(settings, warm_seconds=longest), names, known)
    except Bad as error:
        fail(str(error), NOT_SO)
    if html is not None:
        save(html, lambda: page(done.run, done.scored, done.comparison))
    _tell(done, against, html, as_json=as_json)


def _nothing(stage: Stage) -> str:
    """Why there is nothing that history could be asked about."""
    left_out = [f"{name}: {why}" for name, why in stage.left_out.items()]
    return "\n".join(["Nothing can be judged by history:", *left_out])


@dataclass(frozen=True, slots=True)
class _Done:
    run: Run
    scored: Score | None
    comparison: Comparison | None


def _tell(done: _Done, against: str | None, html: Path | None, *, as_json: bool) -> None:
    if as_json:
        found = document(done.run, done.scored)
        if done.comparison is not None:
            found["against"] = {"version": against, **done.comparison.document()}
        print(json.dumps(found, allow_nan=False))
        return
    show(done.run, done.scored, done.comparison)
    if html is not None:
        console.print(f"The report: {html}", markup=False)


def _replay(
    policy: Policy,
    other: Policy | None,
    past: Past,
    settings: Settings,
    names: list[str],
    known: list[Incident] | None,
) -> _Done:
    """Both versions, where there are two, over the same past. Raises Bad."""
    found: list[tuple[Run, Score | None]] = []
    for version in [policy] if other is None else [policy, other]:
        only = [name for name in names if name in version.rules]
        stage = Stage.of(version, settings, only=only, evaluated_here=past.evaluated_here)
        with past.open(version, stage, settings.warm_seconds) as (history, span):
            known_here = known or []
            with progress_bar("Replaying", quiet=past.quiet) as progress:
                run = replay(stage, history, span, settings, known_here, progress)
        scored = None
        if known is not None:
            scored = score(run.firings, known, stage.policy.rules, span)
        found.append((run, scored))
    run, scored = found[0]
    comparison = None
    if other is not None:
        before, old = found[1]
        both = (old, scored) if old is not None and scored is not None else None
        comparison = compare(before, run, both)
    return _Done(run, scored, comparison)
