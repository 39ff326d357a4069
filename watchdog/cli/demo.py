"""The command `demo`."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from watchdog.cli.shared import NOT_SO, console, fail
from watchdog.demo.stage import StageFailed, stage
from watchdog.demo.story import WATCHED_SECONDS, Say, Story, tell

RULES = Path(__file__).resolve().parents[2] / "rules"


def demo(
    once: Annotated[bool, typer.Option("--once", help="End by itself when it is told.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    rules: Annotated[Path, typer.Option(help="The rules folder.")] = RULES,
    port: Annotated[int, typer.Option(help="The page's port; 0 takes a free one.")] = 0,
) -> None:
    """Break redemption in a sandbox and watch it being paused, proven, undone and watched."""
    began = time.monotonic()

    def say(line: str) -> None:
        if not as_json:
            console.print(f"{time.monotonic() - began:6.1f} s  {line}", markup=False)

    try:
        story = asyncio.run(_play(rules, port, say, stay=not once))
    except StageFailed as error:
        fail(str(error), NOT_SO)
        raise
    except KeyboardInterrupt:
        say("Stopped.")
        return
    if as_json:
        print(json.dumps(story.document(), allow_nan=False))
    if not story.ok:
        raise typer.Exit(NOT_SO)


async def _play(rules: Path, port: int, say: Say, *, stay: bool) -> Story:
    with tempfile.TemporaryDirectory(prefix="slo-watchdog-demo-") as name:
        folder = Path(name)
        say(f"Setting the stage in {folder}")
        async with stage(folder, rules, watch=f"{WATCHED_SECONDS}s", port=port) as set_up:
            story = await tell(set_up, say)
            if stay and story.ok:
                say(f"The page stays up until Ctrl-C: {set_up.page}")
                say(f"Try: slo-watchdog status --socket {folder / 'control.sock'}")
                await asyncio.Event().wait()
            return story
