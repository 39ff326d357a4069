"""The commands `notify` and `announce`: try who can be told, and tell the outside."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from watchdog.cli import completing
from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import (
    DEFAULT_SOCKET,
    AsJson,
    Socket,
    Yes,
    confirm,
    daemon,
    give,
    show,
)


class Deed(StrEnum):
    TEST = "test"


class As(StrEnum):
    """The procedure's announcements."""

    ANNOUNCED = "announced"
    UPDATE = "update"
    COMPLETE = "complete"


def notify(
    deed: Annotated[Deed, typer.Argument(help="`test`.")],
    name: Annotated[
        str,
        typer.Argument(
            help="A channel, person, role, audience or status page of the contacts, or on-call.",
            autocompletion=completing.told,
        ),
    ],
    outside: Annotated[
        bool, typer.Option("--outside", help="Also where it reaches somebody outside.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Tell somebody that this is a test, by every line that the name stands for.

    Each line says whether it took it, and why not; exit status 1 where one of them did not.
    Nothing of it is put on the record. People with `outside: true` get none unless you say
    `--outside`, and audiences outside none at all. A status page is only asked whether it could be
    told: the public sees no test.
    """
    del deed
    order = {"name": name, "outside": outside}
    done = give(socket, "/v1/notify/test", order, yes=yes, as_json=as_json)
    if done["data"].get("not_told"):
        raise typer.Exit(NOT_SO)


def announce(
    episode: Annotated[
        str,
        typer.Argument(
            help="An episode's name, as in status: E42.", autocompletion=completing.open_episodes
        ),
    ],
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            help="An audience outside; more than once.",
            autocompletion=completing.outside,
        ),
    ] = None,
    as_: Annotated[
        As | None, typer.Option("--as", help="Which text: by the episode's state when left out.")
    ] = None,
    said: Annotated[str, typer.Option(help="What you add, in your own words.")] = "",
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Tell users, community, partners or media of a rollback: shows the text, then asks.

    Nobody outside is told anything without this. The text that you saw is what goes out.
    """
    order = {
        "episode": episode,
        "audiences": to or [],
        "which": as_.value if as_ else "",
        "said": said,
    }
    with daemon(socket) as client:
        seen = client.order("/v1/announce", {**order, "dry": True})
        if not yes:
            confirm(str(seen["effect"]), str(seen["target"]))
        text = {key: seen["data"][key] for key in ("subject", "body", "which")}
        done = client.order("/v1/announce", {**order, **text})
        show(done, as_json=as_json, text=str(done["effect"]))
