"""The processes of one sandbox: started, restarted on their ports, stopped by their pids."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from watchdog.sandbox.processes import Command, OwnedProcess, line_in_log, start_process

if TYPE_CHECKING:
    from types import TracebackType

    from watchdog.sandbox.places import Places

_IMPORT_ROOT = Path(__file__).resolve().parents[2]
_CONTROL_DEADLINE_SECONDS = 30.0  # a busy machine is slow, only a stuck one takes longer
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used, since the control port speaks plain HTTP; but making a default one is slow."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a sandbox is set up; ports of 0 take free ones and keep them across restarts."""

    port: int = 0
    or_free_port: bool = False
    """Take a free port when the wanted one is taken."""
    rate_per_second: float = 200.0
    metrics_process: bool = False
    """Serve `metrics_url` from a process of its own, beside the app's own /metrics."""
    error_series_from_start: bool = False
    unrelated_series: int = 0


class Running:
    """An app process, and a metrics process where one is wanted, of one sandbox's folder."""

    def __init__(self, places: Places, shape: Shape) -> None:
        self.places = places
        self.root = places.root
        self.bin = places.bin
        self.shape = shape
        self._ports = {"app": shape.port, "control": 0, "metrics": 0}
        self._serial = itertools.count(1)
        self._app: OwnedProcess | None = None
        self._metrics: OwnedProcess | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start_app()
            if self.shape.metrics_process:
                await self.start_metrics()
        except BaseException:
            self._kill_all_now()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await asyncio.gather(*(process.stop() for process in self.processes()))
        finally:
            self._kill_all_now()

    @property
    def url(self) -> str:
        """The app, as `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._ports['app']}"

    @property
    def metrics_url(self) -> str:
        """The metrics page, of the process of its own where there is one."""
        port = self._ports["metrics"] or self._ports["app"]
        return f"http://127.0.0.1:{port}/metrics"

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self._ports['control']}/sandbox"

    @property
    def token(self) -> str:
        return self.places.governance_token.read_text(encoding="utf-8").strip()

    @property
    def environment(self) -> dict[str, str]:
        """The present environment with the sandbox's executables first on PATH."""
        return {**os.environ, "PATH": f"{self.bin}:{os.environ.get('PATH', os.defpath)}"}

    @property
    def app(self) -> OwnedProcess:
        """The app process: pid, pause (SIGSTOP), resume, kill, stop."""
        if self._app is None:
            raise RuntimeError("the app has not been started")
        return self._app

    @property
    def metrics(self) -> OwnedProcess:
        """The metrics process of its own: pid, pause (SIGSTOP), resume, kill, stop."""
        if self._metrics is None:
            raise RuntimeError("started without metrics_process=True")
        return self._metrics

    async def start_app(self) -> None:
        """Start the app, on the port it had before; its counters begin at zero."""
        ports = ("--port", str(self._ports["app"]), "--control-port", str(self._ports["control"]))
        options = [*ports, "--rate", str(self.shape.rate_per_second)]
        options += ["--unrelated-series", str(self.shape.unrelated_series)]
        if self.shape.error_series_from_start:
            options.append("--error-series-from-start")
        if self.shape.or_free_port:
            options.append("--or-free-port")
        self._app, ready = await self._launch("app", options)
        self._ports.update(app=ready["port"], control=ready["control_port"])

    async def restart_app(self) -> None:
        await self.app.stop()
        await self.start_app()

    async def start_metrics(self) -> None:
        """Start the metrics process, on the port it had before."""
        self._metrics, ready = await self._launch(
            "metrics", ["--port", str(self._ports["metrics"])]
        )
        self._ports["metrics"] = ready["port"]

    async def revive(self) -> None:
        """Let every process run that is stopped or has ended."""
        for process in self.processes():
            process.resume()
        if not self.app.is_running:
            await self.start_app()
        if self._metrics is not None and not self._metrics.is_running:
            await self.start_metrics()

    async def restart_metrics(self) -> None:
        await self.metrics.stop()
        await self.start_metrics()

    async def _launch(self, name: str, options: list[str]) -> tuple[OwnedProcess, dict[str, Any]]:
        module = f"watchdog.sandbox.{name}"
        process = start_process(
            Command(
                name=module,
                argv=[sys.executable, "-m", module, "--root", str(self.root), *options],
                log=self.places.state / f"{name}-{next(self._serial)}.log",
                cwd=self.root,
                environment={**os.environ, "PYTHONPATH": str(_IMPORT_ROOT)},
            )
        )
        try:
            return process, json.loads(await line_in_log(process, "{"))
        except BaseException:
            process.kill_now()
            raise

    async def command(
        self, method: str, path: str, document: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """One request to the control port, and its answer."""
        # A client for each command: the handle belongs to no event loop.
        async with (
            asyncio.timeout(_CONTROL_DEADLINE_SECONDS),
            # The deadline above is the only one: httpx's own 5 s for each step would be shorter.
            httpx.AsyncClient(trust_env=False, timeout=None, verify=_NO_TLS) as client,  # noqa: S113
        ):
            answer = await client.request(method, self.control_url + path, json=document)
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state

    def processes(self) -> list[OwnedProcess]:
        return [process for process in (self._app, self._metrics) if process is not None]

    def _kill_all_now(self) -> None:
        for process in self.processes():
            process.kill_now()
        self.kill_grandchildren()

    def kill_grandchildren(self) -> None:
        """End what a tool left behind because it was told to, by the pid that it noted."""
        with contextlib.suppress(FileNotFoundError):
            for line in self.places.grandchildren.read_text(encoding="utf-8").split():
                with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                    # A number may have passed on to a stranger: only what runs our tools is ours.
                    if os.fsencode(self.bin) in Path(f"/proc/{line}/cmdline").read_bytes():
                        os.kill(int(line), signal.SIGKILL)
            self.places.grandchildren.unlink()
