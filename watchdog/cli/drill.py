"""The command `drill`: practise a rollback, record it, see what is due."""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import json
import os
import signal
import socket as sockets
import time
from collections.abc import Coroutine
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

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
from watchdog.drill.paper import document, drill_paper, from_document
from watchdog.drill.running import DrillRefused, Result, practise
from watchdog.drill.scenes import SCENES
from watchdog.lab.papers import Clock, markdown

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
            help="For `run`: feature-flag, config or partial. For `record`: a drill's document "
            "(its JSON), or `full` or `disaster`, which people do."
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


def _run(
    what: str, rules: Path | None, into: Path, socket: Path, *, record: bool, as_json: bool
) -> None:
    kinds = [one.value for one in SCENES]
    if what not in kinds:
        raise typer.BadParameter(f"name what is practised: {', '.join(kinds)}", param_hint="WHAT")
    scene = SCENES[DrillKind(what)]
    stem = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{scene.what.value}"
    if into == DEFAULT_DOCUMENTS and into.parent.is_dir() and os.access(into.parent, os.W_OK):
        into.mkdir(mode=0o750, exist_ok=True)
    must_be_writable(into / f"{stem}.json")
    began = time.monotonic()

    def say(line: str) -> None:
        if not as_json:
            console.print(f"{time.monotonic() - began:6.1f} s  {line}", markup=False)

    say(f"{scene.title}: setting the stage, apart from everything")
    try:
        result = asyncio.run(_until_stopped(practise(scene, rules or shipped_rules(), say)))
    except DrillRefused as refused:
        fail(f"The drill was not begun: {refused}", NOT_SO)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("Stopped before its end; nothing is left behind, and nothing is recorded", NOT_SO)
    path, found = _written(result, into / stem)
    _tell(result, path, found, as_json=as_json)
    if record:
        _record(path, socket, as_json=as_json)
    if not result.passed:
        raise typer.Exit(NOT_SO)


async def _until_stopped(work: Coroutine[Any, Any, Result]) -> Result:
    """SIGTERM ends it as Ctrl-C does: with all that it started."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _written(result: Result, stem: Path) -> tuple[Path, dict[str, Any]]:
    """Both forms of the document; the JSON's path and what stands in it."""
    who, host, ours = getpass.getuser(), sockets.gethostname(), version("slo-watchdog")
    found = document(result, who, host, ours)
    path = stem.with_suffix(".json")
    write_whole(path, json.dumps(found, allow_nan=False, indent=1) + "\n")
    paper = drill_paper(result, who, host, ours, Clock())
    write_whole(stem.with_suffix(".md"), markdown(paper))
    return path, found


def _tell(result: Result, path: Path, found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**found, "document": str(path)}, allow_nan=False))
        return
    for one in result.stages:
        took = "never reached" if one.seconds is None else f"{one.seconds:7.2f} s"
        met = "ok  " if one.is_met else "LATE" if one.seconds is not None else "NO  "
        console.print(
            f"  {met} {one.stage.value:10} {took:>10}  within {one.within_seconds:g} s "
            f"({one.bound})",
            markup=False,
        )
    console.print("Passed." if result.passed else "FAILED: " + "; ".join(result.reasons))
    console.print(f"Document: {path.with_suffix('.md')} and {path.name}", markup=False)


def _record(path: Path, socket: Path, *, as_json: bool) -> None:
    """Under the name of whoever runs it. What could not be recorded can be, later."""
    later = f"The result is not recorded. Record it: slo-watchdog drill record {path}"
    if not socket.exists():
        fail(f"{socket} does not exist. {later}", NOT_SO)
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
