"""The command `report`: how the rollback procedure did over a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from watchdog.cli.incident import DEFAULT_STATE, Journal, Out, Zone, give_out, zone_of
from watchdog.cli.offline import base_of, journal
from watchdog.cli.shared import seconds
from watchdog.cli.writing import must_be_writable
from watchdog.core.words import Instant
from watchdog.lab.papers import Clock, html, markdown, plain
from watchdog.lab.review import Ledger, read_ledger, review, review_paper
from watchdog.lab.review.spreads import Window
from watchdog.lab.review.trends import Step, trend


class Form(StrEnum):
    MD = "md"
    HTML = "html"
    JSON = "json"


def report(
    since: Annotated[str, typer.Option(help="From so long ago until now: 30d, 90d, 365d.")] = "90d",
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.MD,
    out: Out = None,
    zone: Zone = None,
    path: Journal = DEFAULT_STATE,
) -> None:
    """How rollbacks went: how often, how fast, within their SLA or not, who was affected, downtime,
    false actions, blind time, drills, satisfaction, follow-ups, and their trends.

    Made from the journal alone, beside the daemon or from a copy (root or its user). It ends at the
    daemon's last sign of life. The HTML is one file without scripts.
    """
    must_be_writable(out)
    asked, length = zone_of(zone), seconds(since) or 0.0
    with journal(path, "--journal") as reader:
        base = reader.base()
        book = base_of(reader)
        started = (base[0], book) if base is not None and book is not None else None
        ledger = read_ledger(reader.read(base[0] if base else 0), started)
        until = _until(ledger, reader.alive_at(), datetime.now(UTC).timestamp())
    window = Window(until.plus(-length), until)
    found, trends = review(ledger, window), {step: trend(ledger, window, step) for step in Step}
    if form is Form.JSON:
        told = {**plain(found), "trends": plain(trends)}
        give_out(json.dumps(told, allow_nan=False) + "\n", out)
        return
    paper = review_paper(found, trends, Clock(asked or ledger.zone))
    give_out(html(paper) if form is Form.HTML else markdown(paper), out)


def _until(ledger: Ledger, alive_at: float, now: float) -> Instant:
    """The last sign of life: of a time after it nothing is known."""
    last = ledger.last or Instant(now, now)
    return last.plus(max(0.0, min(alive_at, now) - last.wall) + 1e-3)
