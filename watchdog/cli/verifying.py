"""The command `verify`: look at what was rolled back by its named checks, now, and say if all hold.

It changes nothing and is not asked about; it stands on the record with who asked. The exit status
is 0 where every check holds and 1 where one fails or is not known.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from watchdog.cli import completing
from watchdog.cli.exits import NOT_SO
from watchdog.cli.page import Page
from watchdog.cli.shared import DEFAULT_SOCKET, AsJson, Socket, daemon
from watchdog.cli.verification_page import show_verification


def verify(
    what: Annotated[
        str,
        typer.Argument(
            help="An episode (E42), or an action's name.",
            autocompletion=completing.episodes_or_actions,
        ),
    ],
    check: Annotated[
        list[str] | None,
        typer.Option(
            "--check",
            help="This check alone; may be given several times.",
            autocompletion=completing.checks,
        ),
    ] = None,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Look at what was rolled back by its named checks, once each. Changes nothing.

    What each says is recorded with your name. Exit status 1 where not all of them hold.
    """
    with daemon(socket) as client:
        done = client.order("/v1/verify", {"what": what, "checks": check or []})
        data = done["data"]
        if as_json:
            print(json.dumps(data, allow_nan=False))
        else:
            page = Page()
            for one in data["verifications"]:
                show_verification(page, one)
        held = bool(data["held"])
    if not held:
        raise typer.Exit(NOT_SO)
