"""Commands that only look: status, decisions, why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from watchdog.cli import completing
from watchdog.cli.client import Client
from watchdog.cli.page import Page, clock, plain, word
from watchdog.cli.shared import DEFAULT_SOCKET, AsJson, Socket, daemon
from watchdog.cli.status_page import show_status
from watchdog.cli.why_page import show_why

View = Mapping[str, Any]

FOLLOW_EVERY_SECONDS = 1.0

StateDir = Annotated[
    str | None,
    typer.Option(
        "--state-dir",
        help="Read this journal: a state folder or postgresql://...; needs no daemon (root or its "
        "user).",
    ),
]


def status(
    as_json: AsJson = False, state_dir: StateDir = None, socket: Socket = DEFAULT_SOCKET
) -> None:
    """Is it watching, is it stopped, what burns, what is ready."""
    if state_dir is not None:
        _only_text(as_json=as_json)
        # Late on purpose: the store takes most of a second, and only a dead daemon needs it.
        from watchdog.cli.offline import journal, show_record  # noqa: PLC0415  # see above

        with journal(state_dir) as reader:
            show_record(Page(), reader, _now())
        return
    with daemon(socket) as client:
        found = client.read("/v1/status")
        if as_json:
            print(json.dumps(found))
        else:
            show_status(Page(), found, _now())


def decisions(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they are made.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Every decision with its reason, also those not to act; newest last.

    The daemon has the newest thousand at hand; --state-dir reads all that the journal holds. With
    --json one object a line.
    """
    page = Page()

    def show(one: View) -> None:
        if as_json:
            print(json.dumps(one), flush=True)
        else:
            _decision(page, one)

    try:
        if state_dir is not None:
            # Late on purpose: the store takes most of a second, and only a dead daemon needs it.
            from watchdog.cli.offline import decisions_after, journal  # noqa: PLC0415  # see above

            with journal(state_dir) as reader:
                _tell(lambda after: decisions_after(reader, after), show, follow=follow)
        else:
            with daemon(socket) as client:
                _tell(lambda after: client.read("/v1/decisions", after=after), show, follow=follow)
    except KeyboardInterrupt:
        return


def _tell(
    ask: Callable[[int], Iterator[View]], show: Callable[[View], None], *, follow: bool
) -> None:
    seen = 0
    while True:
        for one in ask(seen):
            seen = max(seen, one["seq"])
            show(one)
        if not follow:
            return
        time.sleep(FOLLOW_EVERY_SECONDS)


def _decision(page: Page, one: View) -> None:
    page.line(
        clock(one["at"], _now()),
        "  ",
        plain(one["decision"], "bold"),
        " ",
        word(one["ruling"]),
        f"  {one['rule']} {one['episode']} {one['action']}: {one['reason']}",
    )


def why(
    rule: Annotated[str, typer.Argument(help="The rule's name.", autocompletion=completing.rules)],
    as_json: AsJson = False,
    state_dir: StateDir = None,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """The last verdict with every number, gate and reason, also for not acting.

    What "clear" and "assumed good" mean: docs/episode.md.
    """
    if state_dir is not None:
        _only_text(as_json=as_json)
        # Late on purpose: the store takes most of a second, and only a dead daemon needs it.
        from watchdog.cli.offline import journal, show_last_decision  # noqa: PLC0415  # see above

        with journal(state_dir) as reader:
            show_last_decision(Page(), reader, rule, _now())
        return
    with daemon(socket) as client:
        found = rule_of_daemon(client, rule)
        if as_json:
            print(json.dumps(found))
        else:
            show_why(Page(), found, _now())


def rule_of_daemon(client: Client, rule: str) -> View:
    """What it says of one rule. Raises Refused, with the nearest name where there is none."""
    return dict(client.read(f"/v1/why/{quote(rule, safe='')}"))


def _only_text(*, as_json: bool) -> None:
    if as_json:
        raise typer.BadParameter("--json here only without --state-dir; decisions has both")


def _now() -> datetime:
    return datetime.now(UTC)
