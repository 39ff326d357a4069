"""The command `backup`: a checked copy of the journal, beside a running daemon.

It takes no lock and changes nothing. Putting one back is written in docs/journal.md.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import AsJson, console, fail
from watchdog.ports import JournalError
from watchdog.store import back_up
from watchdog.wire.store_address import is_address

DEFAULT_STATE = "/var/lib/slo-watchdog"


def backup(
    to: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    state_dir: Annotated[
        str, typer.Option("--state-dir", help="The state folder whose journal is copied.")
    ] = DEFAULT_STATE,
    as_json: AsJson = False,
) -> None:
    """Copy the journal into a new folder, and check the copy. The daemon may run meanwhile.

    As root or the daemon's user. A shared store is backed up with pg_dump.
    """
    if is_address(state_dir):
        fail("A server's journal is backed up with pg_dump, as docs/journal.md says", NOT_SO)
    try:
        made = back_up(Path(state_dir), to)
    except (JournalError, OSError) as error:
        fail(str(error), NOT_SO)
    if as_json:
        print(json.dumps({**asdict(made), "file": str(made.file)}))
        return
    console.print(
        f"{made.entries} entries, the last of them {made.seq}, are in {made.file} "
        f"({made.size_bytes} bytes), and were checked.\n"
        f"The last one's hash, to be kept elsewhere: {made.hash or 'none'}",
        markup=False,
        highlight=False,
    )
