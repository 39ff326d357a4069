"""What `backtest` prints for people: a table of rules, of episodes, and of incidents."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from watchdog.cli.shared import console
from watchdog.core.naming import is_of
from watchdog.core.text import duration, percent, printable, shortened
from watchdog.core.words import Status
from watchdog.lab.backtest import Firing, Run
from watchdog.lab.backtest.against import Comparison
from watchdog.lab.backtest.score import Figures, Score

_MOST_EPISODES = 50
_MOST_REASON = 160
_WHOLE = 1000  # columns; a table takes what it needs


def show(run: Run, scored: Score | None, comparison: Comparison | None = None) -> None:
    """The whole, on stdout."""
    console.print(Text(f"{clock(run.span.start)} to {clock(run.span.end)}, as the core decides it"))
    for note in run.stage.notes:
        console.print(Text(f"Note: {note}"))
    for name, why in run.stage.left_out.items():
        console.print(Text(f"Left out: {name}: {why}", "yellow"))
    for name, why in run.failures.items():
        console.print(Text(f"A bug of ours: {name}: {why}", "bold red"))
    show_table(_rules(run))
    show_table(_episodes(run, scored), "No episode: no rule was breached in this time.")
    if scored is not None:
        show_table(_incidents(scored), "No incident lies within this time.")
        for each in scored.outside:
            said = f"Not counted, since it reaches beyond the replayed time: {each.where}"
            console.print(Text(said, "yellow"))
        console.print(Text(verdict(scored.overall)))
    if comparison is not None:
        show_table(_comparison(comparison), "The other version fires no otherwise.")


def show_table(table: Table, none: str = "") -> None:
    """Within the terminal's width; whole lines when piped. `none` is said where it has no rows."""
    if not table.row_count and none:
        console.print(Text(none))
        return
    (console if console.is_terminal else Console(highlight=False, width=_WHOLE)).print(table)


def clock(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%m-%d %H:%M:%SZ")


def share(ratio: float | None) -> str:
    return "none to count" if ratio is None else percent(ratio)


def verdict(figures: Figures) -> str:
    """The score in one sentence."""
    p50, p95 = figures.detection_p50_seconds, figures.detection_p95_seconds
    times = (
        ""
        if p50 is None or p95 is None
        else (f" Detection takes {duration(p50)} (median), {duration(p95)} (95 %).")
    )
    return (
        f"Recall {share(figures.recall)} ({figures.detected} of {figures.incidents} incidents), "
        f"precision {share(figures.precision)} ({figures.true} of {figures.fired} firings), "
        f"{figures.false_actions_a_month:.3g} false actions a month.{times}"
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _rules(run: Run) -> Table:
    table = _table("rule", "episodes", "fired", "acted", "breached", "blind", "mostly because")
    for name, trace in run.traces.items():
        own = [each for each in run.firings if is_of(each.rule, name)]
        table.add_row(
            Text(name),
            str(len(own)),
            str(sum(each.fired_at is not None for each in own)),
            str(sum(each.acted_at is not None for each in own)),
            duration(trace.seconds(Status.BREACHED)),
            duration(trace.seconds(Status.BLIND)),
            Text(shortened(printable(trace.mostly_blind()), _MOST_REASON)),
        )
    return table


def _episodes(run: Run, scored: Score | None) -> Table:
    table = _table("episode", "rule", "opened", "fired", "would do", "recovered", "why")
    false = {firing.episode for firing in scored.false} if scored is not None else set()
    for each in run.firings[:_MOST_EPISODES]:
        name = f"{each.episode} false" if each.episode in false else each.episode
        table.add_row(
            name,
            Text(each.rule),
            clock(each.opened_at),
            clock(each.fired_at) or "not",
            Text(_deed(each)),
            clock(each.recovered_at),
            Text(each.reason),
        )
    if len(run.firings) > _MOST_EPISODES:
        table.add_row(f"and {len(run.firings) - _MOST_EPISODES} more: --json has them all")
    return table


def _deed(each: Firing) -> str:
    if each.acted_at is not None:
        return f"{each.action} at {clock(each.acted_at)}"
    return f"nothing: {each.refusal}" if each.refusal else "nothing"


def _incidents(scored: Score) -> Table:
    table = _table("incident", "", "detected after", "by", "budget at fire")
    for each in scored.detections:
        firing = each.firing
        missed = f"not: {each.already} had fired before" if each.already else "not"
        table.add_row(
            clock(each.incident.start),
            Text(f"{each.incident.severity.value} {each.incident.name}"),
            missed if each.seconds is None else duration(each.seconds),
            Text(firing.rule if firing else ""),
            "" if firing is None or firing.budget is None else percent(firing.budget),
        )
    return table


def _comparison(comparison: Comparison) -> Table:
    table = _table("against the other version", "there", "here", "so")
    for change in comparison.changes:
        before, now = change.before.seconds, change.now.seconds
        table.add_row(
            Text(f"{clock(change.incident.start)} {change.incident.name}"),
            "not" if before is None else duration(before),
            "not" if now is None else duration(now),
            change.verdict,
        )
    for firing in comparison.only_before:
        table.add_row(Text(firing.rule), clock(firing.fired_at), "not", "fires no longer")
    for firing in comparison.only_now:
        table.add_row(Text(firing.rule), "not", clock(firing.fired_at), "fires newly")
    return table
