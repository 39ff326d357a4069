"""The command `tune`: one rule's numbers, tried over the past, and the edit for a chosen set."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from watchdog.cli.backtest_page import share, show_table
from watchdog.cli.exits import NOT_SO, REFUSED, WRONG_USAGE
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
    progress_bar,
    save,
)
from watchdog.cli.shared import AsJson, console, fail, seconds
from watchdog.cli.writing import must_be_writable
from watchdog.core.spec import Policy, RuleSpec
from watchdog.core.text import duration, number
from watchdog.core.words import Mode
from watchdog.lab.backtest import Settings, Stage, replay
from watchdog.lab.backtest.score import score
from watchdog.lab.history import Bad
from watchdog.lab.report.page import page
from watchdog.lab.tune import Edit, Grid, Point, Sweep, edited, sweep, variants
from watchdog.lab.tune.variants import MOST

RuleName = Annotated[str, typer.Argument(help="The rule's name.")]
RulesFolder = Annotated[Path, typer.Option(help="The rules folder.")]
Incidents = Annotated[
    Path | None, typer.Option(help="Known incidents, YAML or CSV: what is to be detected.")
]
Factors = Annotated[str, typer.Option(help="Bounds to try, as multiples of the rule's own.")]
Windows = Annotated[str, typer.Option(help="Windows to try, as multiples of the rule's own.")]
Fors = Annotated[
    str | None, typer.Option("--for", help="Values of `for` to try: 1m,5m; its own else.")
]
MinimumEvents = Annotated[
    str | None, typer.Option(help="Values of `minimum_events` to try: 10,100; its own else.")
]
Choose = Annotated[
    int | None, typer.Option(help="Show the edit of the rule file for this variant.")
]
Write = Annotated[
    bool, typer.Option("--write", help="With --choose: make that edit. Applies nothing.")
]
Html = Annotated[
    Path | None, typer.Option(help="Write a report with plots to this file; needs no network.")
]


def tune(
    rule: RuleName,
    rules: RulesFolder = Path("rules"),
    begin: From = None,
    end: To = None,
    prometheus: Prometheus = None,
    openmetrics: OpenMetrics = None,
    incidents: Incidents = None,
    factors: Factors = "0.5,1,2",
    windows: Windows = "0.5,1,2",
    fors: Fors = None,
    minimum_events: MinimumEvents = None,
    choose: Choose = None,
    write: Write = False,
    html: Html = None,
    warm: Warm = None,
    every: Every = None,
    match: Match = None,
    cache: CacheFolder = None,
    no_cache: NoCache = False,
    environment: Environment = None,
    variable: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Sweep a rule's bounds, windows, `for` and minimum events over the past: the trade-off."""
    if incidents is None:
        fail("What is to be detected? Name the known incidents: --incidents FILE", WRONG_USAGE)
    if write and choose is None:
        fail("--write needs --choose: say which variant", WRONG_USAGE)
    must_be_writable(html)
    policy = load_rules(rules, environment, pairs(variable))
    _known(rule, policy, rules)
    folder = cache_folder(cache, none=no_cache)
    past = Past.of(openmetrics, prometheus, begin, end, cache=folder, quiet=as_json, match=match)
    asked = _Asked(
        rule,
        policy,
        Settings(mode=Mode.ARMED, every_seconds=seconds(every)),
        _grid(factors, windows, fors, minimum_events),
        incidents,
        seconds(warm),
        html,
    )
    try:
        found = _swept(asked, past)
        edit = None
        if choose is not None:
            chosen = _as_declared(_chosen(choose, found.points), policy.rules[rule])
            edit = edited(rules, policy, chosen, pairs(variable))
    except Bad as error:
        fail(str(error), NOT_SO)
    if edit is not None and write:
        _write(edit)
    if as_json:
        document = {**found.document(), "diff": edit.diff if edit else None}
        print(json.dumps(document, allow_nan=False))
        return
    _show(found, edit, wrote=write)


@dataclass(frozen=True, slots=True)
class _Asked:
    rule: str
    policy: Policy
    settings: Settings
    grid: Grid
    incidents: Path
    warm_seconds: float | None
    html: Path | None


def _swept(asked: _Asked, past: Past) -> Sweep:
    """The sweep, and the report where one is asked for. Raises Bad."""
    rule, policy, settings = asked.rule, asked.policy, asked.settings
    company = [rule, *policy.rules[rule].corroborate]
    stage = Stage.of(policy, settings, only=company, evaluated_here=past.evaluated_here)
    if rule in stage.left_out:
        fail(stage.left_out[rule], NOT_SO)
    known = known_incidents(asked.incidents, policy, stage)
    tried, refused = variants(stage.policy.rules[rule], asked.grid)
    warm_seconds = asked.warm_seconds
    if warm_seconds is None:
        warm_seconds = max(_longest(stage, variant.rule) for variant in tried)
    settings = replace(settings, warm_seconds=warm_seconds)
    with past.open(policy, stage, warm_seconds) as (history, span):
        with progress_bar(f"Trying {len(tried)} variants", quiet=past.quiet) as progress:
            points = sweep(stage, tried, history, span, settings, known, progress)
        found = Sweep(rule, points, tuple(refused))
        if asked.html is not None:
            run = replay(stage, history, span, settings, known)
            scored = score(run.firings, known, stage.policy.rules, span)
            save(asked.html, lambda: page(run, scored, sweep=found.document()))
    return found


def _known(rule: str, policy: Policy, folder: Path) -> None:
    if rule not in policy.rules:
        known = ", ".join(sorted(policy.rules)[:8])
        fail(f"{folder}: there is no rule {rule}. The rules are {known}", REFUSED)


def _chosen(number: int, points: Sequence[Point]) -> RuleSpec:
    if not 0 <= number < len(points):
        fail(f"--choose {number}: the variants are 0 to {len(points) - 1}", WRONG_USAGE)
    return points[number].variant.rule


def _as_declared(variant: RuleSpec, declared: RuleSpec) -> RuleSpec:
    """The variant's numbers in the rule as the file has it."""
    return replace(
        declared,
        signal=variant.signal,
        for_seconds=variant.for_seconds,
        minimum_events=variant.minimum_events,
    )


def _longest(stage: Stage, variant: RuleSpec) -> float:
    policy = replace(stage.policy, rules={**stage.policy.rules, variant.name: variant})
    return replace(stage, policy=policy).longest_window_seconds


def _grid(factors: str, windows: str, fors: str | None, minimum_events: str | None) -> Grid:
    grid = Grid(
        _numbers(factors, "--factors"),
        _numbers(windows, "--windows"),
        tuple(seconds(text.strip()) for text in fors.split(",")) if fors else (None,),
        _numbers(minimum_events, "--minimum-events") if minimum_events else (None,),
    )
    if grid.size > MOST:
        fail(f"{grid.size} combinations are too many; {MOST} are the most", WRONG_USAGE)
    return grid


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        found = tuple(float(each) for each in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < each < 1e9 for each in found):
        raise typer.BadParameter(f"{text!r}: write positive numbers, 0.5,1,2", param_hint=option)
    return found


def _write(edit: Edit) -> None:
    """Whole or not at all, with the mode that the file has."""
    part = edit.path.with_name(f".{edit.path.name}.{os.getpid()}~")
    try:
        if edit.path.read_text(encoding="utf-8") != edit.before:
            fail(f"{edit.path} was changed meanwhile: nothing is written", NOT_SO)
        part.write_text(edit.after, encoding="utf-8")
        part.chmod(edit.path.stat().st_mode & 0o7777)
        part.replace(edit.path)
    except OSError as error:
        part.unlink(missing_ok=True)
        fail(f"{edit.path}: {error.strerror}: nothing is written", NOT_SO)


def _show(found: Sweep, edit: Edit | None, *, wrote: bool) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = ("", "variant", "recall", "precision", "median", "95 %", f"{found.counts} a month")
    for column in columns:
        table.add_column(column, overflow="fold")
    for point in found.points:
        table.add_row(*_row(point), style="bold" if point.variant.present else "")
    show_table(table)
    console.print(f"* beaten by none in recall, {found.counts} and detection time together")
    for why in found.refused:
        console.print(Text(f"Not tried: {why}"))
    if edit is not None:
        console.print(Text(edit.diff or "This is what stands in the file."))
        if wrote and edit.diff:
            console.print(Text(f"Written to {edit.path}. Nothing is applied yet."))
    elif len(found.points) > 1:
        console.print(Text("The edit for one of them: --choose NUMBER"))
    else:
        said = "Nothing else was tried: widen --factors, --windows, --for or --minimum-events"
        console.print(Text(said))


def _row(point: Point) -> tuple[Text, ...]:
    figures = point.figures
    p50, p95 = figures.detection_p50_seconds, figures.detection_p95_seconds
    cells = (
        f"{point.number}{'*' if point.best else ''}",
        point.variant.text or "as it stands",
        share(figures.recall),
        share(figures.precision),
        "none" if p50 is None else duration(p50),
        "none" if p95 is None else duration(p95),
        number(point.false_a_month),
    )
    return tuple(Text(cell) for cell in cells)
