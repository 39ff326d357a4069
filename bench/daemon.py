"""The real daemon as a process of its own, on a rules folder that a measure has written.

Its journal is created as `slo-watchdog init` does it, then `slo-watchdog run` is started as the
service would be. It is stopped by its own pid.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from watchdog.daemon import init
from watchdog.sandbox.processes import Command, OwnedProcess, ProcessEndedError, start_process
from watchdog.settings import load_settings

ENVIRONMENT = "bench"
OWNER = "bench-team"
_READY_SECONDS = 30.0
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running one; `control` speaks to its control socket."""

    process: OwnedProcess
    control: httpx.AsyncClient
    page: str

    async def status(self) -> Any:
        return (await self.control.get("/v1/status")).raise_for_status().json()

    async def undo(self, what: str) -> None:
        """Undo, as a person who says why. Raises RuntimeError with the reason of a refusal."""
        order = {"what": what, "reason": "the bench makes ready for the next run"}
        answer = await self.control.post("/v1/undo", json=order)
        if not answer.is_success:
            raise RuntimeError(f"undo {what}: {answer.text}")


@dataclass(frozen=True, slots=True)
class Place:
    """A daemon's folder, with its rules, secrets and state."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def settings(self) -> Path:
        return self.folder / "watchdog.toml"

    def lay_out(
        self,
        platform: Mapping[str, Any],
        rules: Mapping[str, Any],
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """Write settings, rules (JSON is YAML too) and secrets."""
        files = {
            "rules/platform.yaml": {"version": 1, "environment": ENVIRONMENT, **platform},
            f"rules/{OWNER}/rules.yaml": {"version": 1, "rules": rules},
        }
        for name, document in files.items():
            _write(self.folder / name, json.dumps(document, indent=1))
        for name, text in (secrets or {}).items():
            _write(self.folder / "secrets" / name, text)
        values = {
            "environment": ENVIRONMENT,
            "rules_dir": str(self.folder / "rules"),
            "state_dir": str(self.state),
            "secrets_dir": str(self.folder / "secrets"),
            "control_socket": str(self.folder / "control.sock"),
            "listen": "127.0.0.1:0",
            "time_sync": "ignore",
            "log_format": "json",
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        _write(self.settings, "\n".join([*lines, "root_is_person = true", ""]))

    def init(self) -> None:
        """Create the journal, as the command `init` does. Raises StartFailed."""
        init(load_settings(self.settings))

    @asynccontextmanager
    async def run(self, within_seconds: float = _READY_SECONDS) -> AsyncIterator[Daemon]:
        """Running and ready inside the block."""
        process = self._start()
        try:
            ready = json.loads(await _ready_line(process, within_seconds))
            transport = httpx.AsyncHTTPTransport(uds=str(self.folder / "control.sock"))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://slo-watchdog", trust_env=False, timeout=30
            ) as control:
                yield Daemon(process, control, f"http://127.0.0.1:{ready['listen']}")
        finally:
            await process.stop(grace_seconds=30.0)

    def _start(self) -> OwnedProcess:
        argv = [sys.executable, "-m", "watchdog", "run", "--config", str(self.settings)]
        log = self.folder / "run.log"
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        return start_process(Command("watchdog run", argv, log, cwd=_ROOT, environment=environment))


async def _ready_line(process: OwnedProcess, within_seconds: float) -> str:
    """The daemon's own word that it is ready. Raises ProcessEndedError with its log's end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_seconds):
            while process.is_running:
                for line in process.command.log.read_text("utf-8", "replace").splitlines():
                    if '"daemon.ready"' in line:
                        return line
                await asyncio.sleep(0.05)
    raise ProcessEndedError(f"the daemon was not ready:\n{process.log_tail()}")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
