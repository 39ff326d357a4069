"""The command `incident`: an episode's record, for a post-mortem."""

from __future__ import annotations

import json
import sys
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from watchdog.cli import completing
from watchdog.cli.exits import REFUSED
from watchdog.cli.offline import base_of, journal
from watchdog.cli.shared import errors, fail
from watchdog.cli.writing import must_be_writable, write_whole
from watchdog.lab.incident import document, gather, incident_paper
from watchdog.lab.papers import Clock, html, markdown

DEFAULT_STATE = "/var/lib/slo-watchdog"


class Form(StrEnum):
    MD = "md"
    HTML = "html"
    JSON = "json"


Journal = Annotated[
    str,
    typer.Option("--journal", help="The state folder, a copy of its journal, or postgresql://..."),
]
Out = Annotated[Path | None, typer.Option(help="Write it to this file; stdout when left out.")]
Zone = Annotated[
    str | None,
    typer.Option(
        help="Zone of the local times, like Europe/Zurich; that of contacts.yaml in force."
    ),
]


def incident(
    episode: Annotated[
        str,
        typer.Argument(
            help="An episode's name: E42. It may be long over.", autocompletion=completing.episodes
        ),
    ],
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.MD,
    out: Out = None,
    zone: Zone = None,
    path: Journal = DEFAULT_STATE,
) -> None:
    """An episode's incident record: timeline, plots, impact, decisions with every gate, commands
    and what they printed, messages, and the sections of a post-mortem to fill in.

    Made from the journal alone, beside the daemon or from a copy (root or its user), as long as the
    journal has the episode. The HTML is one file without scripts.
    """
    must_be_writable(out)
    asked = zone_of(zone)
    with journal(path, "--journal") as reader:
        base = reader.base()
        book = base_of(reader)
        started = (base[0], book) if base is not None and book is not None else None
        found = gather(reader.read(base[0] if base else 0), episode, started)
    if found is None:
        retired = f" Entries up to {base[0]} were retired, and their episodes." if base else ""
        fail(f"{path}: there is no episode {episode}.{retired} See: slo-watchdog status", REFUSED)
    if form is Form.JSON:
        text = json.dumps(document(found), allow_nan=False) + "\n"
    else:
        paper = incident_paper(found, Clock(asked or found.zone))
        text = html(paper) if form is Form.HTML else markdown(paper)
    give_out(text, out)


def give_out(text: str, out: Path | None) -> None:
    """To the file, or to stdout."""
    if out is None:
        sys.stdout.write(text)
    else:
        write_whole(out, text)
        errors.print(f"Written: {out}", markup=False)


def zone_of(name: str | None) -> tzinfo | None:
    """The zone by its name; None is that of the policy's people, else this machine's."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(
            f"{name!r} is no zone. Write it like Europe/Zurich", param_hint="--zone"
        ) from None
