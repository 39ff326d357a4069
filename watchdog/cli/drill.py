"""The command `drill`: practise a rollback, record it, see what is due."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import time
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from watchdog.cli import completing
from watchdog.cli.drills_page import drill_told
from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import (
    DEFAULT_SOCKET,
    AsJson,
    Reason,
    Socket,
    Yes,
    console,
    daemon,
    errors,
    fail,
    give,
)
from watchdog.cli.writing import must_be_writable, write_whole
from watchdog.core.drills import BY_PEOPLE, DrillKind
from watchdog.demo.stage import shipped_rules
from watchdog.drill.apart import practise_apart
from watchdog.drill.paper import View, from_document, papers, stages_met
from watchdog.drill.playing import Say
from watchdog.drill.running import DrillRefused, practise
from watchdog.drill.scenes import SCENES

DEFAULT_DOCUMENTS = Path("/var/lib/slo-watchdog/drills")


class Deed(StrEnum):
    RUN = "run"
    RECORD = "record"
    LIST = "list"


def drill(
    deed: Annotated[Deed, typer.Argument(help="`run`, `record` or `list`.")],
    what: Annotated[
        str,
        typer.Argument(
            help="For `run`: feature-flag, config, partial or, as root, full. For `record`: a "
            "drill's document (its JSON), or `full` or `disaster`, as people did it.",
            autocompletion=completing.drilled,
        ),
    ] = "",
    rules: Annotated[
        Path | None, typer.Option(help="For `run`: the rules folder; the shipped one without it.")
    ] = None,
    into: Annotated[
        Path, typer.Option(help="For `run`: the folder of the documents.")
    ] = DEFAULT_DOCUMENTS,
    unrecorded: Annotated[
        bool, typer.Option("--unrecorded", help="For `run`: write the document, and no record.")
    ] = False,
    failed: Annotated[
        bool,
        typer.Option(
            "--failed", help="For `record full` and `record disaster`: it did not go well."
        ),
    ] = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Practise a rollback end to end where nothing can be hurt: detection, decision, effect,
    read-back, containment and undo, each measured against its SLA, with a document.

    It runs a daemon, a state folder and a target of its own, and touches nothing of production. The
    result goes into the journal of the daemon at the control socket, under your name.
    """
    match deed:
        case Deed.RUN:
            _run(what, rules, into, socket, record=not unrecorded, as_json=as_json)
        case Deed.RECORD:
            order = _of_people(what, reason, failed=failed) if what in BY_PEOPLE else _of_file(what)
            give(socket, "/v1/drill/record", order, yes=yes, as_json=as_json)
        case Deed.LIST:
            _list(socket, as_json=as_json)


def _make(into: Path) -> None:
    """The folder of the documents; where nothing is installed, that is said and no folder made."""
    if into == DEFAULT_DOCUMENTS and not into.parent.is_dir():
        fail(
            f"{into} cannot be made: there is no {into.parent}, so nothing is installed here. "
            "Name a folder for the drill's documents, and let them be all that it leaves: "
            "--into FOLDER --unrecorded",
            NOT_SO,
        )
    try:
        into.mkdir(mode=0o750, parents=into != DEFAULT_DOCUMENTS, exist_ok=True)
    except OSError as error:
        fail(f"{into} cannot be made: {error.strerror}. Name another: --into FOLDER", NOT_SO)


def _run(
    what: str, rules: Path | None, into: Path, socket: Path, *, record: bool, as_json: bool
) -> None:
    kinds = [*(one.value for one in SCENES), DrillKind.FULL.value]
    if what not in kinds:
        raise typer.BadParameter(f"name what is practised: {', '.join(kinds)}", param_hint="WHAT")
    kind = DrillKind(what)
    stem = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{kind.value}"
    if not into.is_dir():
        _make(into)
    must_be_writable(into / f"{stem}.json")
    began = time.monotonic()

    def say(line: str) -> None:
        if not as_json:
            console.print(f"{time.monotonic() - began:6.1f} s  {line}", markup=False)

    say(f"Drill {kind.value}: setting the stage, apart from everything")
    try:
        found, text = asyncio.run(_until_stopped(_practised(kind, rules or shipped_rules(), say)))
    except DrillRefused as refused:
        fail(f"The drill was not begun: {refused}", NOT_SO)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("Stopped before its end; nothing is left behind, and nothing is recorded", NOT_SO)
    path = (into / stem).with_suffix(".json")
    write_whole(path, json.dumps(found, allow_nan=False, indent=1) + "\n")
    write_whole(path.with_suffix(".md"), text)
    _tell(path, found, as_json=as_json)
    if record:
        _record(path, socket, as_json=as_json)
    if not found["passed"]:
        raise typer.Exit(NOT_SO)


async def _practised(kind: DrillKind, rules: Path, say: Say) -> tuple[View, str]:
    """Both forms of its document. A full one has the whole machine in view, and so a room apart."""
    if kind is DrillKind.FULL:
        return await practise_apart(rules, say)
    return papers(await practise(SCENES[kind], rules, say))


async def _until_stopped(work: Coroutine[Any, Any, tuple[View, str]]) -> tuple[View, str]:
    """SIGTERM ends it as Ctrl-C does: with all that it started."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _tell(path: Path, found: View, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**found, "document": str(path)}, allow_nan=False))
        return
    for one in found["stages"]:
        took = "never reached" if one["seconds"] is None else f"{one['seconds']:7.2f} s"
        met = "ok  " if one["met"] else "LATE" if one["seconds"] is not None else "NO  "
        console.print(
            f"  {met} {one['stage']:10} {took:>10}  within {one['within_seconds']:g} s "
            f"({one['bound']})",
            markup=False,
        )
    count = stages_met([one["met"] for one in found["stages"]])
    why = "" if found["passed"] else f": {'; '.join(found['reasons'])}"
    console.print(f"{'Passed' if found['passed'] else 'FAILED'}, {count}{why}.", markup=False)
    console.print(f"Document: {path.with_suffix('.md')} and {path.name}", markup=False)


def _record(path: Path, socket: Path, *, as_json: bool) -> None:
    """Under the name of whoever runs it. What could not be recorded can be, later."""
    later = f"The result is not recorded. Record it: slo-watchdog drill record {path}"
    if not socket.exists():
        fail(
            f"{socket} does not exist: no daemon runs here that would record it. {later}. "
            "Where none is to, let the document be all: drill run --unrecorded",
            NOT_SO,
        )
    try:
        with daemon(socket) as client:
            done = client.order("/v1/drill/record", _of_file(str(path)))
    except typer.Exit:
        errors.print(later, markup=False)
        raise
    if not as_json:
        console.print(str(done["effect"]), markup=False)


def _of_file(name: str) -> dict[str, Any]:
    path = Path(name)
    if not path.is_file():
        fail(
            f"{name!r} is no file. Name a drill's document, the JSON, or `full` or `disaster`",
            NOT_SO,
        )
    text = path.read_bytes()
    try:
        found = json.loads(text)
        return from_document(found, str(path.resolve()), hashlib.sha256(text).hexdigest())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fail(f"{path}: not a drill's document: {error}", NOT_SO)


def _of_people(what: str, reason: str, *, failed: bool) -> dict[str, Any]:
    """What takes a host of its own: people do it, and say how it went."""
    if not reason.strip():
        raise typer.BadParameter("say what was tested and how it went", param_hint="--reason")
    told = {
        "what": what,
        "passed": not failed,
        "ended_at": time.time(),
        "reasons": [reason] if failed else [],
        "note": reason,
    }
    return {"told": told, "reason": reason}


def _list(socket: Path, *, as_json: bool) -> None:
    with daemon(socket) as client:
        found = client.read("/v1/status")["drills"]
        if as_json:
            print(json.dumps(found))
            return
        for one in found:
            console.print(f"{one['drill']:12}  {drill_told(one)}", markup=False)
        if not found:
            console.print("No drill was ever recorded, and none is planned.")
