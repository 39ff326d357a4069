"""The command `demo`."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import console, errors
from watchdog.demo.loading import must_load
from watchdog.demo.stage import StageFailed, shipped_rules, stage
from watchdog.demo.story import WATCHED_SECONDS, Say, Story, tell

STOPPED = "stopped before its end"


def demo(
    once: Annotated[bool, typer.Option("--once", help="End by itself when it is told.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
    rules: Annotated[
        Path | None, typer.Option(help="The rules folder; the shipped one without it.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The page's port; 0 takes a free one.")
    ] = 0,
) -> None:
    """Break redemption in a sandbox and watch it being paused, proven, undone and watched."""
    began = time.monotonic()

    def say(line: str) -> None:
        if not as_json:
            console.print(f"{time.monotonic() - began:6.1f} s  {line}", markup=False)

    told: list[Story] = []
    try:
        asyncio.run(_play(rules or shipped_rules(), port, say, told, stay=not once))
    except StageFailed as error:
        told.append(Story(failed=str(error)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("Stopped; nothing is left behind.")
    story = told[-1] if told else Story(failed=STOPPED)
    if as_json:
        print(json.dumps(story.document(), allow_nan=False))
    if not story.ok:
        errors.print(story.failed, markup=False)
        raise typer.Exit(NOT_SO)


async def _play(rules: Path, port: int, say: Say, told: list[Story], *, stay: bool) -> None:
    task = asyncio.current_task()
    if task is not None:
        # As Ctrl-C: whoever ends the demo ends all that it started.
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a background job of a shell
            loop.add_signal_handler(signal.SIGINT, task.cancel)
    with tempfile.TemporaryDirectory(prefix="slo-watchdog-demo-") as name:
        folder = Path(name)
        say(f"Setting the stage in {folder}")
        watch = f"{WATCHED_SECONDS}s"
        async with stage(folder, rules, watch=watch, port=port, before=must_load(rules)) as set_up:
            story = await tell(set_up, say)
            told.append(story)
            if stay and story.ok:
                say(f"The page stays up until Ctrl-C: {set_up.page}")
                say(f"Try: {command_name()} status --socket {folder / 'control.sock'}")
                await asyncio.Event().wait()


def command_name() -> str:
    """How this very command can be typed: by its path, where no PATH leads to it."""
    called = Path(sys.argv[0])
    found = shutil.which("slo-watchdog")
    if called.name != "slo-watchdog" or not called.exists():
        return "slo-watchdog"
    return "slo-watchdog" if found and called.samefile(found) else str(called)
