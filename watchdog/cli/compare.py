"""The command `compare`: where our episodes and Prometheus's alerts disagreed, and why."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.compare_page import show_comparison
from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.cli.offline import base_of, journal
from watchdog.cli.page import Page
from watchdog.cli.past import (
    CacheFolder,
    From,
    NoCache,
    To,
    Variables,
    cache_folder,
    moment,
    pairs,
)
from watchdog.cli.shared import AsJson, fail, seconds
from watchdog.lab.compare import (
    QUESTION_SECONDS,
    How,
    Record,
    Wish,
    compare_all,
    document,
    judged_by,
    read_record,
)
from watchdog.lab.history import Bad, Cache, Span
from watchdog.wire.secrets import FileSecrets

DEFAULT_STATE = "/var/lib/slo-watchdog"


JournalPath = Annotated[
    str,
    typer.Option("--journal", help="The state folder, a copy of its journal, or postgresql://..."),
]
Url = Annotated[str | None, typer.Option(help="Ask this Prometheus; else the source of each rule.")]
Since = Annotated[str, typer.Option(help="How far back from the end, where there is no --from.")]
Rules = Annotated[list[str] | None, typer.Option(help="Only this rule; may be repeated.")]
Map = Annotated[list[str] | None, typer.Option("--map", help="RULE=ALERT; may be repeated.")]
Match = Annotated[
    list[str] | None, typer.Option(help="LABEL=VALUE that the alerts carry; may be repeated.")
]
Tolerance = Annotated[
    str | None, typer.Option(help="How far apart two may be and still be the same.")
]
Step = Annotated[str | None, typer.Option(help="Look at this interval, not at the alerts' own.")]
Deadline = Annotated[str, typer.Option(help="How long Prometheus may take over one question.")]
SecretsDir = Annotated[
    Path, typer.Option("--secrets-dir", help="Where the sources' credentials lie.")
]


def compare(
    path: JournalPath = DEFAULT_STATE,
    prometheus: Url = None,
    since: Since = "7d",
    begin: From = None,
    end: To = None,
    rule: Rules = None,
    alert_of: Map = None,
    match: Match = None,
    tolerance: Tolerance = None,
    step: Step = None,
    secrets: SecretsDir = Path("/etc/slo-watchdog/secrets"),
    deadline: Deadline = "20s",
    cache: CacheFolder = None,
    no_cache: NoCache = False,
    variable: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Where our episodes and Prometheus's ALERTS disagreed over a time, and why.

    Reads the journal, beside a running daemon or without one, and asks Prometheus what fired.
    Exit status 1 where one side saw what the other did not.
    """
    if prometheus is not None and not prometheus.startswith(("http://", "https://")):
        fail(f"--prometheus {prometheus}: write its address, like http://host:9090", WRONG_USAGE)
    span = _span(seconds(since) or 0.0, moment(begin, "--from"), moment(end, "--to"))
    folder = cache_folder(cache, none=no_cache)
    how = How(
        FileSecrets.of_service(secrets),
        Cache(folder) if folder is not None else None,
        pairs(match),
        seconds(step),
        seconds(deadline) or QUESTION_SECONDS,
    )
    wish = Wish(span, how, rule or [], pairs(alert_of), prometheus, seconds(tolerance))
    record = _record(path, span.end).within(span)
    loads = judged_by(record, pairs(variable))
    try:
        compared, left_out = compare_all(record, loads, wish)
    except Bad as error:
        fail(str(error), NOT_SO)
    if as_json:
        print(json.dumps(document(compared, left_out), allow_nan=False))
    else:
        show_comparison(Page(), compared, left_out)
    if not compared or not all(one.agrees for one in compared):
        raise typer.Exit(NOT_SO)


def _span(since_seconds: float, begin: float | None, end: float | None) -> Span:
    now = time.time()
    finish = now if end is None else min(end, now)
    start = finish - since_seconds if begin is None else begin
    if start >= finish:
        fail("--to does not lie after --from", WRONG_USAGE)
    return Span(start, finish)


def _record(path: str, until: float) -> Record:
    with journal(path, "--journal") as reader:
        alive = reader.alive_at()
        base = base_of(reader)
        record = read_record(base, reader.read(), alive_at=alive, now=until)
    if not record.applied:
        fail(f"{path}: no policy was in force yet, so there is nothing to compare", NOT_SO)
    return record
