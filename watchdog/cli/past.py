"""What `backtest` and `tune` share: which rules, over which past, and how far it is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from watchdog.cli.exits import NOT_SO, REFUSED, WRONG_USAGE
from watchdog.cli.shared import errors, fail
from watchdog.cli.writing import write_whole
from watchdog.core.promql import Refused, Selector
from watchdog.core.spec import Endpoint, Policy, PrometheusApi
from watchdog.core.text import seconds_of
from watchdog.lab.backtest import Stage
from watchdog.lab.backtest.incidents import Incident, read_incidents
from watchdog.lab.history import (
    Cache,
    History,
    PrometheusHistory,
    Span,
    read_openmetrics,
)
from watchdog.lab.report.page import PlotlyMissing
from watchdog.policy import Load, load_folder
from watchdog.policy.check import environments_of
from watchdog.policy.shape import closest
from watchdog.wire.secrets import FileSecrets

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
Prometheus = Annotated[
    str | None,
    typer.Option(help="Read the past from this API; else from the rules' own Prometheus sources."),
]
Match = Annotated[
    list[str] | None,
    typer.Option(
        help="With --prometheus: which series are an embedded source's, where several jobs share "
        "the API: 'app:job=\"api\"'. Repeatable."
    ),
]
CacheFolder = Annotated[
    Path | None, typer.Option("--cache", help="Where slices of the past are kept for the next run.")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Read the past anew, and keep nothing.")]
Warm = Annotated[
    str | None,
    typer.Option(help="Fill the windows from so long before --from; the longest window."),
]
Every = Annotated[
    str | None, typer.Option(help="Replay at this interval, where the history is coarser: 15s.")
]

_MONTH_SECONDS = 30 * 86_400.0
_LONGEST_SECONDS = 1100 * 86_400.0  # three years; a slip in a date would be replayed for hours
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
    if stop <= start and begin is not None and end is not None:
        fail("--to does not lie after --from", WRONG_USAGE)
    if stop <= start and known is not None:
        first, last = (f"{datetime.fromtimestamp(t, UTC):%FT%TZ}" for t in (known.start, known.end))
        fail(f"The history has samples from {first} to {last}: there is nothing to replay", NOT_SO)
    if stop - start > _LONGEST_SECONDS:
        days = f"{(stop - start) / 86_400:.0f} days; {_LONGEST_SECONDS / 86_400:.0f} are the most"
        fail(f"From begin to end it is {days}. Say which part: --from and --to", WRONG_USAGE)
    return Span(start, stop)


@dataclass(frozen=True, slots=True)
class Past:
    """Which past was asked for, as the options say it."""

    openmetrics: Path | None
    prometheus: str | None
    begin: float | None
    end: float | None
    cache: Path | None
    quiet: bool
    match: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        openmetrics: Path | None,
        prometheus: str | None,
        begin: str | None,
        end: str | None,
        *,
        cache: Path | None,
        quiet: bool,
        match: list[str] | None = None,
    ) -> Past:
        """Ends the command where the options contradict each other."""
        if match and prometheus is None:
            fail("--match narrows what is read by --prometheus: say both", WRONG_USAGE)
        if openmetrics is not None and prometheus is not None:
            fail("Say one past: --openmetrics or --prometheus, not both", WRONG_USAGE)
        if prometheus is not None and not prometheus.startswith(("http://", "https://")):
            fail(
                f"--prometheus {prometheus}: write its address, like http://host:9090", WRONG_USAGE
            )
        begun, ended = moment(begin, "--from"), moment(end, "--to")
        return cls(openmetrics, prometheus, begun, ended, cache, quiet, tuple(match or ()))

    @property
    def evaluated_here(self) -> bool:
        return self.openmetrics is not None

    @contextmanager
    def open(
        self, policy: Policy, stage: Stage, warm_seconds: float
    ) -> Iterator[tuple[History, Span]]:
        """The history and the span, as long as the block lasts. Raises Bad."""
        if self.openmetrics is not None:
            yield self._of_file(self.openmetrics, stage, warm_seconds)
            return
        now = datetime.now(UTC).timestamp()
        begin = now - _MONTH_SECONDS if self.begin is None else self.begin
        span = span_of(begin, now if self.end is None else self.end, None)
        cache = Cache(self.cache) if self.cache is not None else None
        evaluated = _evaluated(policy)
        secrets = FileSecrets.of_service("/etc/slo-watchdog/secrets")
        matching = _matching(self.match, policy, evaluated)
        with PrometheusHistory(
            self._endpoints(policy, stage), evaluated, cache, secrets
        ) as history:
            history.matching |= matching
            yield history, span
        if cache is not None and cache.damaged and not self.quiet:
            errors.print(f"{cache.damaged} damaged slices of the cache were read anew")

    def _of_file(self, path: Path, stage: Stage, warm_seconds: float) -> tuple[History, Span]:
        begin = None if self.begin is None else self.begin - warm_seconds
        wanted = Span(
            float("-inf") if begin is None else begin,
            float("inf") if self.end is None else self.end,
        )
        names = stage.names
        if names is not None:
            names |= {"up", "process_start_time_seconds"}
        with progress_bar(f"Reading {path.name}", quiet=self.quiet) as progress:
            history = read_openmetrics(path, names, wanted, progress)
        return history, span_of(self.begin, self.end, history.span)

    def _endpoints(self, policy: Policy, stage: Stage) -> dict[str, Endpoint]:
        if self.prometheus is not None:
            return dict.fromkeys(policy.sources, Endpoint(self.prometheus))
        found = {}
        for each in stage.wanted:
            how = policy.sources[each.source].how
            if not isinstance(how, PrometheusApi):
                fail(
                    f"{each.source} is no Prometheus and keeps no past. Say where its past is: "
                    "--prometheus URL or --openmetrics FILE",
                    WRONG_USAGE,
                )
            found[each.source] = how.endpoint
        return found


def _evaluated(policy: Policy) -> list[str]:
    """Sources whose expressions a Prometheus evaluates."""
    return [name for name, spec in policy.sources.items() if isinstance(spec.how, PrometheusApi)]


def _matching(texts: Iterable[str], policy: Policy, evaluated: Collection[str]) -> dict[str, str]:
    """`--match` by source, or the end of the command with what is wrong with one."""
    found: dict[str, str] = {}
    for text in texts:
        source, colon, matchers = text.partition(":")
        embedded = [name for name in policy.sources if name not in evaluated]
        if not colon or source not in embedded:
            known = ", ".join(embedded) or "none"
            fail(
                f'--match {text}: write SOURCE:LABEL="VALUE". Embedded sources: {known}',
                WRONG_USAGE,
            )
        try:
            read = Selector.parse(f"x{{{matchers}}}").matchers
        except Refused as error:
            fail(f"--match {text}: {error}", WRONG_USAGE)
        if not read:
            fail(f"--match {text}: it matches everything", WRONG_USAGE)
        found[source] = ",".join([*filter(None, [found.get(source)]), matchers.strip().strip(",")])
    return found


def cache_folder(given: Path | None, *, none: bool) -> Path | None:
    """Where slices are kept: as told, or where this user's caches lie."""
    if none:
        return None
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return given or Path(home).expanduser() / "slo-watchdog" / "history"


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
            fail(f"there is no rule {name}. {closest(name, policy.rules)}", REFUSED)
    return names or []


def known_incidents(path: Path, policy: Policy, stage: Stage) -> list[Incident]:
    """The labelled incidents, or the end of the command with what is wrong with the file.

    One file serves a whole folder: those that concern no rule of the stage are named, not counted.
    """
    read = read_incidents(path, policy.rules)
    if read.problems:
        fail("\n".join(problem.text for problem in read.problems), NOT_SO)
    rules = stage.policy.rules.values()
    found = []
    for each in read.found:
        if any(each.concerns(rule) for rule in rules):
            found.append(each)
        else:
            said = f"{each.where}: not counted: it concerns no rule that is replayed"
            errors.print(said, markup=False)
    return found


def save(path: Path, made: Callable[[], str]) -> None:
    """Write the report, or end the command with why it cannot be."""
    try:
        text = made()
    except PlotlyMissing as error:
        fail(str(error), NOT_SO)
    write_whole(path, text)
