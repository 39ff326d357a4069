"""Starts a full drill in a room of its own, and brings its documents out.

Law: where a room cannot be made, nothing is begun, and it is said why and what to do instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from watchdog.demo.stage import StageFailed, copied_rules
from watchdog.drill.inside import REFUSED
from watchdog.drill.paper import View
from watchdog.drill.playing import Say
from watchdog.drill.room import SYSTEMCTL
from watchdog.drill.running import DrillRefused

_PROGRAMS = ("/usr/bin/setpriv", "/usr/bin/ssh-keygen", "/usr/bin/tar", str(SYSTEMCTL))
"""What the helper runs, where it looks for it."""

_PLAYS = "watchdog.drill.inside"
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child")
_OTHERWISE = "Or test it by hand on a spare host, and: slo-watchdog drill record full --reason TEXT"
_MOST_SAID = 2000


async def practise_apart(rules: Path, say: Say) -> tuple[View, str]:
    """Both forms of its document. Raises DrillRefused."""
    if why_not := await asyncio.to_thread(why_no_room):
        raise DrillRefused(f"{why_not}. {_OTHERWISE}")
    with tempfile.TemporaryDirectory(prefix="slo-watchdog-drill-") as name:
        folder = Path(name)
        for made in ("root", "out"):
            (folder / made).mkdir()
        try:
            copied_rules(rules, folder / "out/rules")
        except StageFailed as failed:
            raise DrillRefused(str(failed)) from None
        status, said = await _run(folder, say)
        try:
            text = (folder / "out/drill.md").read_text(encoding="utf-8")
            return dict(json.loads((folder / "out/drill.json").read_bytes())), text
        except FileNotFoundError:
            why = said if status == REFUSED else f"its room ended with {status}: {said}"
            raise DrillRefused(why) from None


def why_no_room() -> str:
    """Why this machine cannot make a room; "" where it can."""
    if os.geteuid() != 0:
        return (
            "a full drill restores files with their owners, in a room that only root can make: "
            "run it as root, like sudo slo-watchdog drill run full"
        )
    missing = [one for one in _PROGRAMS if not Path(one).exists()]
    missing += [one for one in ("unshare", "pivot_root") if shutil.which(one) is None]
    if missing:
        return f"{', '.join(missing)} is not there, which a restore needs: see docs/restore.md"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if tried.returncode != 0:
        why = tried.stderr.strip() or f"unshare ended with {tried.returncode}"
        return (
            f"this machine makes no namespaces for it ({why}): a container must be allowed to "
            "(CAP_SYS_ADMIN), or run it on a host"
        )
    return ""


async def _run(folder: Path, say: Say) -> tuple[int, str]:
    """Its exit status, and the last that it said in trouble. Nothing of it outlives this."""
    process = await asyncio.create_subprocess_exec(
        # Killed, be it by the kernel's last resort, we take the room with us.
        *("setpriv", "--pdeathsig", "KILL", *UNSHARE, "--"),
        *(sys.executable, "-m", "watchdog.drill.room", str(folder), _PLAYS),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None  # noqa: S101  # asked for as a pipe
    assert process.stderr is not None  # noqa: S101  # as above
    trouble = asyncio.create_task(process.stderr.read())
    try:
        async for line in process.stdout:
            say(line.decode("utf-8", "replace").rstrip())
        said = (await trouble).decode("utf-8", "replace").strip()
        return await process.wait(), said[-_MOST_SAID:]
    finally:
        trouble.cancel()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
