"""The command `anchor`: what a system restore will demand of an archive, recorded beforehand."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import AsJson, fail, show
from watchdog.restore.anchor import record
from watchdog.restore.manifest import Head
from watchdog.restore.places import Places
from watchdog.restore.refused import Refused

DEFAULT = Places()


class Deed(StrEnum):
    RECORD = "record"


def anchor(
    deed: Annotated[Deed, typer.Argument(help="`record`.")],  # the only one so far
    archive: Annotated[Path, typer.Argument(help="The archive, as the backup job made it.")],
    root: Annotated[str, typer.Option(help="The folder over which it will be restored.")] = "/",
    privileged: Annotated[
        bool, typer.Option(help="Accept members that give rights to who runs them (set-uid).")
    ] = True,
    most_gigabytes: Annotated[int, typer.Option(min=1, help="The most that it may unpack to.")] = (
        1000
    ),
    state: Annotated[
        Path, typer.Option("--restores", help="Root's folder of restores; the helper's own.")
    ] = DEFAULT.state,
    as_json: AsJson = False,
) -> None:
    """Record an archive's digest and manifest, as root and right after it was made. It is read
    as strictly as a restore reads it: what a restore would refuse is refused here, by name.
    """
    del deed
    if os.geteuid() != 0:
        fail("Run it as root: a restore counts only anchors that root recorded", NOT_SO)
    if not archive.is_file():
        fail(f"{archive} is no file", NOT_SO)
    places = replace(DEFAULT, state=state)
    most = most_gigabytes * 10**9
    try:
        head = record(
            archive, places, root=root, now=time.time(), most_bytes=most, privileged=privileged
        )
    except Refused as refused:
        fail(f"{archive} is not recorded: {refused}", NOT_SO)
    show(asdict(head), as_json=as_json, text=_told(head, places))


def _told(head: Head, places: Places) -> str:
    newest = datetime.fromtimestamp(head.written_at, UTC)
    lines = [
        f"Recorded in {places.anchors}/{head.sha256}.json",
        f"archive   {head.archive}",
        f"sha256    {head.sha256}",
        f"members   {head.members}, {head.bytes} bytes unpacked",
        f"newest    {newest:%Y-%m-%d %H:%M:%SZ}: it can answer for nothing later",
    ]
    if head.privileged:
        lines.append(f"rights    {head.privileged} members give rights to who runs them")
    return "\n".join(lines)
