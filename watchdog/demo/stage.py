"""Sets the stage: a folder, a sandbox, and the daemon running on the shipped rules.

The daemon is a process of its own, started as the service would be, with `root_is_person` set,
since the one who runs a demo may be root. It is stopped by its own pid.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from watchdog.sandbox.handle import Sandbox

READY_SECONDS = 20.0
STOP_SECONDS = 30.0


class StageFailed(Exception):
    """A part of the demo did not come up; the message holds what it printed."""


@dataclass(slots=True)
class Stage:
    """What the story plays on."""

    folder: Path
    sandbox: Sandbox
    daemon: asyncio.subprocess.Process
    control: httpx.AsyncClient
    page: str

    async def read(self, path: str) -> Any:
        answer = await self.control.get(path)
        return answer.raise_for_status().json()

    async def order(self, path: str, **body: Any) -> dict[str, Any]:
        """Give an order; a refusal raises StageFailed with its reason."""
        answer = await self.control.post(path, json=body)
        told = dict(answer.json())
        if not answer.is_success:
            raise StageFailed(str(told.get("refused") or told.get("wrong")))
        return told


@asynccontextmanager
async def stage(folder: Path, rules: Path, *, watch: str, port: int = 0) -> AsyncIterator[Stage]:
    """Everything up and ready; everything stopped again, however the block ends."""
    async with Sandbox.start(folder / "mycelia") as sandbox:
        settings = write_settings(folder, sandbox, rules, watch=watch, port=port)
        await _once(folder, "init", "--config", str(settings))
        daemon = await _start(folder, "run", "--config", str(settings))
        transport = httpx.AsyncHTTPTransport(uds=str(folder / "control.sock"))
        try:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://slo-watchdog", trust_env=False, timeout=60
            ) as control:
                page = await _ready(folder, daemon)
                yield Stage(folder, sandbox, daemon, control, page)
        finally:
            await _stop(daemon)


def write_settings(
    folder: Path, sandbox: Sandbox, rules: Path, *, watch: str, port: int = 0
) -> Path:
    """The process settings of the demo; the policy's variables point at the sandbox."""
    file = folder / "watchdog.toml"
    values = {
        "environment": "sandbox",
        "rules_dir": str(rules),
        "state_dir": str(folder / "state"),
        "control_socket": str(folder / "control.sock"),
        "listen": f"127.0.0.1:{port}",
        "time_sync": "ignore",
        "log_format": "json",
    }
    variables = {
        "app": sandbox.url,
        "mycelia": str(sandbox.root),
        "launchctl": str(sandbox.bin / "mycelia-launchctl"),
        "watch": watch,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    lines += ["root_is_person = true", "preflight_every = 5.0", "", "[variables]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in variables.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


async def _once(folder: Path, *arguments: str) -> None:
    process = await _start(folder, *arguments)
    if await process.wait() != 0:
        raise StageFailed(f"slo-watchdog {' '.join(arguments)} failed:\n{_log(folder)}")


async def _start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """The real command, in a session of its own, its output in a file."""
    with (folder / "daemon.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "watchdog",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )


async def _ready(folder: Path, daemon: asyncio.subprocess.Process) -> str:
    """Wait for the daemon's own word that it is ready; gives the page's address."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                for line in _log(folder).splitlines():
                    if '"daemon.ready"' in line:
                        return f"http://127.0.0.1:{json.loads(line)['listen']}/"
                if daemon.returncode is not None:
                    raise StageFailed(f"the daemon ended:\n{_log(folder)}")
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise StageFailed(f"the daemon was not ready in time:\n{_log(folder)}") from None


def _log(folder: Path) -> str:
    return (folder / "daemon.log").read_text(encoding="utf-8", errors="replace")


async def _stop(daemon: asyncio.subprocess.Process) -> None:
    if daemon.returncode is not None:
        return
    daemon.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await daemon.wait()
    except TimeoutError:
        daemon.kill()
        await daemon.wait()
