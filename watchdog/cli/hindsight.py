"""The commands `impact` and `follow-up`: what people find out, and what is to be done about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from watchdog.cli import completing
from watchdog.cli.lessons_page import show_follow_up
from watchdog.cli.page import Page
from watchdog.cli.shared import DEFAULT_SOCKET, AsJson, Reason, Socket, Yes, daemon, give
from watchdog.core.hindsight import LEAST_CONTENT, MOST_CONTENT, Task
from watchdog.core.text import seconds_of

View = dict[str, Any]


class Deed(StrEnum):
    ADD = "add"
    CLOSE = "close"
    LIST = "list"


def impact(
    episode: Annotated[
        str,
        typer.Argument(
            help="An episode's name: E42. It may be long over.", autocompletion=completing.episodes
        ),
    ],
    tickets: Annotated[int | None, typer.Option(help="Support tickets about it.", min=0)] = None,
    affected: Annotated[
        float | None, typer.Option(help="How many were affected, by your own count.", min=0)
    ] = None,
    of: Annotated[str, typer.Option(help="What --affected counts; users when left out.")] = "",
    satisfaction: Annotated[
        float | None,
        typer.Option(
            help="How content users are: 1 (not at all) to 5.", min=LEAST_CONTENT, max=MOST_CONTENT
        ),
    ] = None,
    feedback: Annotated[str, typer.Option(help="What users say.")] = "",
    community: Annotated[str, typer.Option(help="What community channels say.")] = "",
    metrics: Annotated[str, typer.Option(help="What other metrics of the system show.")] = "",
    data_loss: Annotated[
        str, typer.Option(help="What is lost; `none` when you looked and nothing is.")
    ] = "",
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Record what people found out of an episode's impact on users, with who says it.

    May be said in parts and again: of each thing the newest counts, and everything stays on the
    record. `incident` and `report` show it.
    """
    said = {
        "tickets": tickets, "affected": affected, "of": of, "satisfaction": satisfaction,
        "feedback": feedback, "community": community, "metrics": metrics, "data_loss": data_loss,
    }  # fmt: skip
    order = {"episode": episode, **{k: v for k, v in said.items() if v not in {None, ""}}}
    give(socket, "/v1/impact", order, yes=yes, as_json=as_json)


def follow_up(
    deed: Annotated[Deed, typer.Argument(help="`add`, `close` or `list`.")],
    what: Annotated[
        str,
        typer.Argument(
            help="For `add` the episode, E42; for `close` the follow-up, F3.",
            autocompletion=completing.followed,
        ),
    ] = "",
    text: Annotated[str, typer.Argument(help="For `add`: what is to be done.")] = "",
    kind: Annotated[Task | None, typer.Option(help="For `add`: what it is for.")] = None,
    owner: Annotated[str, typer.Option(help="For `add`: who does it.")] = "",
    due: Annotated[
        str, typer.Option(help="For `add`: the day by whose end it is done, 2026-12-01 or 14d.")
    ] = "",
    reason: Reason = "",
    only_open: Annotated[bool, typer.Option("--open", help="For `list`: open ones only.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """What is to be done so that an episode's cause stays away: fix, test, procedure, training.

    Each has an owner and a day until it is closed with a reason; what is overdue stands in status,
    handover and the metrics.
    """
    match deed:
        case Deed.LIST:
            _list(socket, only_open=only_open, as_json=as_json)
        case Deed.ADD:
            if not what or not text or kind is None or not owner or not due:
                raise typer.BadParameter(
                    "say all of it: follow-up add EPISODE --kind fix --owner NAME --due 14d TEXT"
                )
            order = {
                "episode": what, "task": kind, "owner": owner, "due": _day(due), "text": text,
            }  # fmt: skip
            give(socket, "/v1/follow-up/add", order, yes=yes, as_json=as_json)
        case Deed.CLOSE:
            if not what:
                raise typer.BadParameter("say which: follow-up close F3 --reason TEXT")
            order = {"follow_up": what, "reason": reason}
            give(socket, "/v1/follow-up/close", order, yes=yes, as_json=as_json)


def _day(due: str) -> str:
    """A date as it stands, or that of so much later."""
    later = seconds_of(due)
    return str((datetime.now(UTC) + timedelta(seconds=later)).date()) if later else due


def _list(socket: Socket, *, only_open: bool, as_json: bool) -> None:
    with daemon(socket) as client:
        found = [one for one in client.read("/v1/follow-ups") if one["open"] or not only_open]
        if as_json:
            print(json.dumps(found))
            return
        page = Page()
        for one in found:
            show_follow_up(page, one)
        if not found:
            page.line("No follow-up.")
