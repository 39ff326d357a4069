"""What `backtest` and `tune` share: which rules, over which past, and how far it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.cli.shared import errors, fail
from watchdog.core.spec import Policy
from watchdog.core.text import seconds_of
from watchdog.lab.backtest import Stage
from watchdog.lab.history import History, Span, read_openmetrics
from watchdog.policy import Load, load_folder
from watchdog.policy.check import environments_of

Environment = Annotated[
    str | None, typer.Option(help="Which environment's rules, where the folder names several.")
]
Variables = Annotated[
    list[str] | None, typer.Option("--var", help="NAME=VALUE, before the vars file's.")
]
From = Annotated[
    str | None,
    typer.Option("--from", help="Begin: 2026-10-01, 2026-10-01T12:00Z, or 30d (ago)."),
]
To = Annotated[str | None, typer.Option("--to", help="End, written in the same way.")]
OpenMetrics = Annotated[
    Path | None, typer.Option(help="The past as an OpenMetrics text file with timestamps.")
]
Every = Annotated[
    str | None, typer.Option(help="Replay at this interval, where the history is coarser: 15s.")
]

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?\Z", re.ASCII)


def policy_of(load: Load, folder: str) -> Policy:
    """The policy, or the end of the command with what is wrong with it."""
    if load.errors or load.policy is None:
        lines = [f"{folder}/{problem.text}" for problem in load.errors]
        fail("\n".join(lines) or f"{folder}: there are no rules", NOT_SO)
    return load.policy


def load_rules(folder: Path, environment: str | None, variables: Mapping[str, str]) -> Policy:
    names = environments_of(folder)
    if environment is None and len(names) > 1:
        fail(f"{folder} names {', '.join(names)}. Say which: --environment {names[0]}", WRONG_USAGE)
    load = load_folder(folder, environment or names[0], variables=variables)
    return policy_of(load, str(folder).rstrip("/"))


def moment(text: str | None, option: str) -> float | None:
    """Seconds since the epoch of a time as people write it; UTC where it names no zone."""
    if text is None:
        return None
    ago = seconds_of(text)
    if ago:
        return datetime.now(UTC).timestamp() - ago
    if _ISO.match(text):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is not None:
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    raise typer.BadParameter(
        f"{text!r} is no time. Write 2026-10-01, 2026-10-01T12:00Z, or 30d for so long ago",
        param_hint=option,
    )


@contextmanager
def progress_bar(what: str, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """A bar on stderr where that is a terminal; nothing otherwise."""
    if quiet or not errors.is_terminal:
        yield lambda _share: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def span_of(begin: float | None, end: float | None, known: Span | None) -> Span:
    """The asked span, as far as the history is known to reach."""
    if known is None and (begin is None or end is None):
        fail("The history holds no sample that these rules look at", NOT_SO)
    start = begin if begin is not None else known.start if known else 0.0
    stop = end if end is not None else known.end if known else 0.0
    if stop <= start:
        fail("--to does not lie after --from", WRONG_USAGE)
    return Span(start, stop)


def file_history(
    path: Path, stage: Stage, begin: float | None, end: float | None, *, quiet: bool
) -> tuple[History, Span]:
    """The file's samples, and the span that is asked for."""
    settings_span = None
    if begin is not None or end is not None:
        settings_span = Span(
            (begin if begin is not None else float("-inf")) - stage.longest_window_seconds,
            end if end is not None else float("inf"),
        )
    names = stage.names
    if names is not None:
        names |= {"up", "process_start_time_seconds"}
    with progress_bar(f"Reading {path.name}", quiet=quiet) as progress:
        history = read_openmetrics(path, names, settings_span, progress)
    return history, span_of(begin, end, history.span)


def pairs(texts: list[str] | None) -> dict[str, str]:
    """NAME=VALUE options."""
    found = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r}: write NAME=VALUE")
        found[name] = value
    return found


def rule_names(names: list[str] | None, policy: Policy) -> list[str]:
    for name in names or []:
        if name not in policy.rules:
            raise typer.BadParameter(f"there is no rule {name}", param_hint="--rule")
    return names or []
