"""The command `replay`: is what was decided still what its own record gives?

The journal alone is read, beside a running daemon or from a copy; nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO, REFUSED
from watchdog.cli.offline import journal
from watchdog.cli.page import Page, clock, plain
from watchdog.cli.shared import AsJson, fail
from watchdog.core.entries import Decided, Recorded
from watchdog.core.replay import StrangeInputs, replayed, verdict_kept
from watchdog.store import Reader

DEFAULT_STATE = "/var/lib/slo-watchdog"


@dataclass(frozen=True, slots=True)
class Again:
    """One decision, made again. `impossible`: why it could not be."""

    decision: str
    seq: int
    at: str
    rule: str
    episode: str
    ruling: str
    identical: bool
    differs: tuple[str, ...] = ()
    impossible: str = ""
    verdict: str = "judged again"  # or why it was not


def replay(
    decision: Annotated[str, typer.Argument(help="A decision's name, as in decisions: D17.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every decision of the journal.")] = False,
    path: Annotated[
        str,
        typer.Option(
            "--journal", help="The state folder, a copy of its journal, or postgresql://..."
        ),
    ] = DEFAULT_STATE,
    as_json: AsJson = False,
) -> None:
    """Decide again from the record: identical, or exactly what differs.

    The verdict is judged anew from the windows or series that the decision stored, and every gate
    is asked once more. Needs no daemon, and reads beside one. With --json one object a line.
    """
    if bool(decision) == every:
        raise typer.BadParameter("name one decision, as in D17, or write --all")
    page, made, well = Page(), 0, True
    with journal(path, "--journal") as reader:
        for again in _made_again(reader, decision):
            made += 1
            well = well and again.identical
            if as_json:
                print(json.dumps(asdict(again)), flush=True)
            elif decision or not again.identical:
                _show(page, again)
        if not made:
            fail(_none(reader, decision, path), REFUSED if decision else NOT_SO)
    if not as_json and every and well:
        many = "1 decision" if made == 1 else f"{made} decisions"
        page.line(plain("identical", "green"), f": {many}, each made again from what it stored")
    if not well:
        raise typer.Exit(NOT_SO)


def _made_again(reader: Reader, decision: str) -> Iterator[Again]:
    for one in reader.read():
        if isinstance(one.entry, Decided) and decision in {"", one.entry.decision}:
            yield made_again(one, one.entry)


def made_again(one: Recorded, decided: Decided) -> Again:
    """Decide it once more."""
    differs: tuple[str, ...] = ()
    impossible = ""
    try:
        differs = replayed(decided)
    except StrangeInputs as strange:
        impossible = str(strange)
    return Again(
        decision=decided.decision,
        seq=one.seq,
        at=one.at.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        rule=decided.rule,
        episode=decided.episode,
        ruling=decided.ruling.value,
        identical=not differs and not impossible,
        differs=differs,
        impossible=impossible,
        verdict=verdict_kept(decided) or "judged again",
    )


def _show(page: Page, again: Again) -> None:
    said = "identical" if again.identical else "DIFFERS" if again.differs else "cannot be replayed"
    page.line(
        plain(again.decision, "bold"),
        f" {clock(again.at, datetime.now(UTC))} {again.ruling} for {again.rule} {again.episode}: ",
        plain(said, "green" if again.identical else "bold red"),
    )
    for line in (again.impossible, *again.differs):
        if line:
            page.line(line, indent=2)
    if not again.impossible:
        page.line(plain(f"its verdict: {again.verdict}", "dim"), indent=2)


def _none(reader: Reader, decision: str, place: str) -> str:
    base = reader.base()
    retired = (
        f" Entries up to {base[0]} were retired, and their decisions with them." if base else ""
    )
    if not decision:
        return f"{place}: no decision was made yet.{retired}"
    return f"{place}: there is no decision {decision}.{retired} See: slo-watchdog decisions"
