"""The command `handover`: what the next person on call must know."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from watchdog.cli.handing_over import document, matters, text
from watchdog.cli.shared import DEFAULT_SOCKET, Socket, daemon


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


def handover(
    form: Annotated[Form, typer.Option("--format", help="How it is printed.")] = Form.TEXT,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """What the next person on call must know: holds, silences, open episodes and who looks at
    them, what is frozen, not ready, demoted, blind or overdue. Text to be pasted.
    """
    with daemon(socket) as client:
        status = client.read("/v1/status")
        now = datetime.now(UTC)
        found = matters(status, now)
        if form is Form.JSON:
            print(json.dumps(document(status, found, now)))
        else:
            print(text(status, found, now))
