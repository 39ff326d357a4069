"""The command `plan`: it only looks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

import typer

from watchdog.cli import completing
from watchdog.cli.page import Page
from watchdog.cli.plan_page import show_plan
from watchdog.cli.shared import DEFAULT_SOCKET, AsJson, Socket, daemon


def plan(
    what: Annotated[
        str,
        typer.Argument(
            help="An episode (E42), an action, or a rule.", autocompletion=completing.whatever
        ),
    ],
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """What exactly would run now, against what, and what would be lost; nothing is run.

    With it: what every gate says, who must say yes, what happens afterwards, and the undo.
    """
    with daemon(socket) as client:
        found = dict(client.read(f"/v1/plan/{quote(what, safe='')}"))
        if as_json:
            print(json.dumps(found))
        else:
            show_plan(Page(), found, datetime.now(UTC))
