"""The command `compare`: where our episodes and Prometheus's alerts disagreed, and why."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.compare_page import show_comparison
from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.cli.offline import base_of, journal, state_folder
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
from watchdog.core.spec import Endpoint, PrometheusApi, RuleSpec
from watchdog.lab.compare import (
    QUESTION_SECONDS,
    SAME_NAME,
    Asked,
    Compared,
    How,
    Named,
    Record,
    Sides,
    alert_names,
    ask,
    compare_rule,
    document,
    judged,
    judged_by,
    read_record,
    rules_of,
)
from watchdog.lab.history import Bad, Cache, Span
from watchdog.policy import Load
from watchdog.wire.secrets import FileSecrets

DEFAULT_STATE = Path("/var/lib/slo-watchdog")
_SIGNS_OF_LIFE = ("history.db", "journal.db")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for, as the options say it."""

    span: Span
    rules: Sequence[str]
    given: Mapping[str, str]
    prometheus: str | None
    tolerance_seconds: float | None
    how: How


JournalPath = Annotated[
    Path, typer.Option("--journal", help="The state folder, or a copy of its journal.")
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
    wish = _Wish(
        span,
        rule or [],
        pairs(alert_of),
        prometheus,
        seconds(tolerance),
        How(
            FileSecrets.of_service(secrets),
            Cache(folder) if folder is not None else None,
            pairs(match),
            seconds(step),
            seconds(deadline) or QUESTION_SECONDS,
        ),
    )
    record = _record(path, span.end)
    loads = judged_by(record, pairs(variable))
    try:
        compared, left_out = _compared(record, loads, wish)
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


def _record(path: Path, until: float) -> Record:
    folder = state_folder(path)
    alive = 0.0
    for name in _SIGNS_OF_LIFE:
        with suppress(OSError):
            alive = max(alive, (folder / name).stat().st_mtime)
    with journal(folder) as reader:
        base = base_of(reader)
        record = read_record(base, reader.read(), alive_at=alive, now=until)
    if not record.applied:
        fail(f"{folder}: no policy was in force yet, so there is nothing to compare", NOT_SO)
    return record


def _compared(
    record: Record, loads: Mapping[str, Load], wish: _Wish
) -> tuple[list[Compared], list[tuple[str, str]]]:
    """Rule by rule, and which rules could not be compared. Raises Bad."""
    span = Span(max(wish.span.start, record.span.start), wish.span.end)
    if span.seconds <= 0:
        raise Bad("our record begins after the time that was asked for")
    rules = rules_of(record, loads, span)
    for name in [*wish.rules, *wish.given]:
        if name not in rules:
            unread = [load.errors[0].text for load in loads.values() if load.policy is None]
            raise Bad("\n".join([f"no policy of that time has a rule {name}", *unread[:1]]))
    files = [file for one in record.applied for file in one.files]
    named = alert_names(rules, files, wish.given)
    wanted = [name for name in rules if not wish.rules or name in wish.rules]
    left_out: list[tuple[str, str]] = []
    asked_of: dict[str, list[str]] = {}
    endpoints: dict[str, Endpoint] = {}
    for name in wanted:
        endpoint = _endpoint(rules[name], record, loads, wish)
        if endpoint is None:
            left_out.append((name, "its source is no Prometheus. Name one: --prometheus URL"))
            continue
        endpoints[endpoint.url] = endpoint
        asked_of.setdefault(endpoint.url, []).append(name)
    compared = []
    for url, names in asked_of.items():
        asked = ask(endpoints[url], [named[name].alert for name in names], span, wish.how)
        for name in names:
            if named[name].by == SAME_NAME and _no_such(asked, named[name]):
                left_out.append((name, _nameless(name)))
                continue
            sides = _sides(rules[name], named[name], record, loads, asked)
            notes = _notes(asked, named[name], record, wish.span)
            compared.append(
                compare_rule(sides, named[name].by, span, wish.tolerance_seconds, notes)
            )
    return sorted(compared, key=lambda one: one.rule), sorted(left_out)


def _endpoint(
    rule: RuleSpec, record: Record, loads: Mapping[str, Load], wish: _Wish
) -> Endpoint | None:
    if wish.prometheus is not None:
        return Endpoint(wish.prometheus)
    for one in reversed(record.applied):
        policy = loads[one.sha256].policy
        source = policy.sources.get(rule.source) if policy is not None else None
        if source is not None:
            return source.how.endpoint if isinstance(source.how, PrometheusApi) else None
    return None


def _no_such(asked: Asked, named: Named) -> bool:
    """No alert of this name, as far as Prometheus tells: a rule of ours that it never had."""
    alerts = asked.alerts[named.alert]
    return not alerts.firing and not alerts.pending and not asked.named(named.alert)


def _nameless(name: str) -> str:
    return f"Prometheus has no alert {name}. Say which it is: --map {name}=ALERT"


def _sides(
    rule: RuleSpec, named: Named, record: Record, loads: Mapping[str, Load], asked: Asked
) -> Sides:
    return Sides(
        rule,
        named.alert,
        record,
        judged(record, loads, rule.name),
        asked.alerts[named.alert],
        asked.pulse,
        asked.named(named.alert),
    )


def _notes(asked: Asked, named: Named, record: Record, wanted: Span) -> list[str]:
    found = []
    if record.span.start > wanted.start:
        found.append("compared from where our record begins")
    if asked.untold:
        found.append(f"Prometheus does not tell its rules: {asked.untold}")
    if not asked.pulse.known:
        found.append("Prometheus has no `up`: nothing tells whether it was at work")
    known = asked.named(named.alert) or ()
    if len(known) > 1:
        found.append(f"{len(known)} alerts are named {named.alert}: --match tells them apart")
    if known and asked.alerts[named.alert].step_seconds > max(one.every_seconds for one in known):
        found.append("looked at more rarely than it is evaluated: a short alert may be missed")
    return found
