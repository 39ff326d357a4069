"""Things that happen to the sandbox in many stories, in a person's words."""

import asyncio
import time
from pathlib import Path

from watchdog.sandbox.executables import Tool
from watchdog.sandbox.handle import Sandbox

RATIO = "peg.collateralization"


def break_peg(sandbox: Sandbox) -> None:
    """The reserves no longer cover what is out, whatever the redemption flag says."""
    sandbox.set_status(RATIO, 0.9)


def mend_peg(sandbox: Sandbox) -> None:
    sandbox.clear_faults("status")


async def called(tool: Tool, times: int = 1, within: float = 15.0) -> None:
    """Wait until a tool has been called so often."""
    async with asyncio.timeout(within):
        while len(tool.calls()) < times:  # noqa: ASYNC110  # another process calls it
            await asyncio.sleep(0.01)


async def gone(tool: Tool, within: float = 15.0) -> None:
    """Wait until no process of this tool runs any more: nothing of it can still change a flag."""
    ends = time.monotonic() + within
    while any(_runs(tool, call["pid"]) for call in tool.calls()):
        assert time.monotonic() < ends, f"{tool.name} still runs"
        await asyncio.sleep(0.02)


def _runs(tool: Tool, pid: int) -> bool:
    try:
        return tool.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
