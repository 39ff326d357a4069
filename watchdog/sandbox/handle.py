"""The sandbox in the hands of a test, the demo or the bench.

    async with Sandbox.start(folder) as sandbox:
        await sandbox.break_redemption()

Processes are owned by pid: they are stopped when the block ends, however it ends, and the kernel
kills them when the starting thread dies. What a test *counts* is read from the ledger that the app
itself keeps, so it can be asked while the app is dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from watchdog.sandbox import release
from watchdog.sandbox import workload as workloads
from watchdog.sandbox.executables import Tool
from watchdog.sandbox.faults import FaultBook
from watchdog.sandbox.flags import INITIAL, REDEMPTION, Change, changes_in, count_requests
from watchdog.sandbox.processes import Command, OwnedProcess, line_in_log, start_process

if TYPE_CHECKING:
    from types import TracebackType

    from watchdog.sandbox.workload import Workload

_IMPORT_ROOT = Path(__file__).resolve().parents[2]
_CONTROL_DEADLINE_SECONDS = 10.0
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used, since the control port speaks plain HTTP; but making a default one is slow."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a sandbox is set up; ports of 0 take free ones and keep them across restarts."""

    port: int = 0
    rate_per_second: float = 200.0
    metrics_process: bool = False
    """Serve `metrics_url` from a process of its own, beside the app's own /metrics."""
    error_series_from_start: bool = False
    unrelated_series: int = 0


class Sandbox:
    """A running Mycelia stand-in. Make one with `Sandbox.start`."""

    def __init__(self, root: Path, shape: Shape) -> None:
        self.places = release.set_up(root)
        self.root = self.places.root
        self.bin = self.places.bin
        self.shape = shape
        self.faults = FaultBook(self.places.faults)
        self.launchctl = Tool(self.places, "mycelia-launchctl")
        self.flags_tool = Tool(self.places, "mycelia-flags")
        self.attest_tool = Tool(self.places, "mycelia-attest")
        self._ports = {"app": shape.port, "control": 0, "metrics": 0}
        self._serial = itertools.count(1)
        self._app: OwnedProcess | None = None
        self._metrics: OwnedProcess | None = None

    @classmethod
    def start(cls, root: Path | str, **shape: Any) -> Self:
        """A sandbox below `root`, running inside `async with`. The keywords are Shape's fields."""
        return cls(Path(root), Shape(**shape))

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
            await asyncio.gather(*(process.stop() for process in self._processes()))
        finally:
            self._kill_all_now()

    async def reset(self) -> None:
        """As on the first day, with all processes running: for the next test or bench run.

        The release folder is left as it is; the ports stay the same.
        """
        self._kill_grandchildren()
        self.places.tool_faults.unlink(missing_ok=True)
        self.places.tool_calls.unlink(missing_ok=True)
        for process in self._processes():
            process.resume()
        if not self.app.is_running:
            await self.start_app()
        await self._command("POST", "/reset")
        if self._metrics is not None and not self._metrics.is_running:
            await self.start_metrics()

    # --- where it is -------------------------------------------------------------------------

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

    # --- the service it plays ----------------------------------------------------------------

    @property
    def workload(self) -> Workload:
        """The traffic so far; its `counts_at_epoch` tells the counters of any instant."""
        workload = workloads.load(self.places.workload)
        if workload is None:
            raise RuntimeError("the sandbox's app has not been started")
        return workload

    @property
    def errors_began_at(self) -> float | None:
        """Epoch second at which redemptions began to fail; None while they do not."""
        return self.workload.errors_began_at

    async def break_redemption(self, ratio: float = 0.5) -> float:
        """From now on this share of redemptions fails. Returns the instant, in epoch seconds."""
        await self.set_traffic(error_ratio=ratio)
        return self.workload.epoch(self.workload.now.since_monotonic)

    async def mend_redemption(self) -> None:
        await self.set_traffic(error_ratio=0.0)

    async def set_traffic(self, **wanted: float) -> None:
        """Change any of rate_per_second, error_ratio, latency_seconds, from now on."""
        await self._command("POST", "/traffic", wanted)

    async def change_flag_behind_its_back(
        self, flag: str = REDEMPTION, *, enabled: bool, by: str = "somebody-else"
    ) -> None:
        """Somebody changes a flag by a way that no token and no API sees."""
        await self._command("POST", "/flags", {"flag": flag, "enabled": enabled, "by": by})

    async def refuse_connections(self) -> None:
        """Close the app's listener; the process, the control port and the traffic live on."""
        await self._command("POST", "/listener", {"open": False})

    async def accept_connections(self) -> None:
        await self._command("POST", "/listener", {"open": True})

    async def state(self) -> dict[str, Any]:
        """Flags, faults, traffic and counters as the app sees them now."""
        return await self._command("GET", "/state")

    def fault(self, on: str, kind: str, *, times: int | None = None, **numbers: Any) -> None:
        """Put a fault in force from the next request on; faults.py lists places and kinds."""
        document = {"on": on, "kind": kind, **numbers}
        self.faults.add(document if times is None else {**document, "times": times})

    def clear_faults(self, on: str | None = None) -> None:
        """End all faults of the servers, or those of one place."""
        self.faults.clear(on)

    def fail_health(self) -> None:
        self.clear_faults("health")
        self.fault("health", "answer", status=503, body='{"status":"failing"}')

    def heal_health(self) -> None:
        self.clear_faults("health")

    def set_status(self, path: str, value: Any) -> None:
        """Serve `value` at a dotted path of status.json, such as `peg.collateralization`."""
        self.fault("status", "set", path=path, value=value)

    def freeze_metrics(self) -> None:
        """The metrics page shows this instant's numbers from now on."""
        self.fault("metrics", "freeze", at_monotonic=time.monotonic())

    def attest(self, **different: Any) -> Path:
        """Renew `release/mainnet/por.json`; the keywords replace parts of the signed snapshot."""
        return release.attest(self.places, **different)

    # --- what was really done to it ----------------------------------------------------------

    def changes(self, flag: str = REDEMPTION) -> tuple[Change, ...]:
        """Every effective change of a flag since the folder was made, oldest first."""
        return changes_in(self.places.flag_ledger, flag)

    def flag_changes(self, flag: str = REDEMPTION, by: str | None = None) -> int:
        """How many effective changes the target has counted; `by` one caller only."""
        return sum(1 for change in self.changes(flag) if by in {None, change.by})

    def flag_requests(self, flag: str = REDEMPTION, method: str | None = None) -> int:
        return count_requests(self.places.flag_ledger, flag, method)

    def is_enabled(self, flag: str = REDEMPTION) -> bool:
        """The stored value, asked of the ledger and not of the API."""
        changes = self.changes(flag)
        return changes[-1].after if changes else _enabled_at_first(flag)

    async def flag_becomes(
        self, flag: str = REDEMPTION, *, enabled: bool, deadline_seconds: float = 10.0
    ) -> float:
        """Wait until the flag is stored so; the epoch second of that. Raises TimeoutError."""
        async with asyncio.timeout(deadline_seconds):
            while self.is_enabled(flag) != enabled:  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.005)
        changes = self.changes(flag)
        return changes[-1].at if changes else 0.0

    # --- its processes -----------------------------------------------------------------------

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

    async def _command(
        self, method: str, path: str, document: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        # A client for each command: the handle belongs to no event loop.
        async with (
            asyncio.timeout(_CONTROL_DEADLINE_SECONDS),
            httpx.AsyncClient(trust_env=False, verify=_NO_TLS) as client,
        ):
            answer = await client.request(method, self.control_url + path, json=document)
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state

    def _processes(self) -> list[OwnedProcess]:
        return [process for process in (self._app, self._metrics) if process is not None]

    def _kill_all_now(self) -> None:
        for process in self._processes():
            process.kill_now()
        self._kill_grandchildren()

    def _kill_grandchildren(self) -> None:
        # Left by a tool that was told to; each is a sleeper of ours, named by the tool's own note.
        with contextlib.suppress(FileNotFoundError):
            for line in self.places.grandchildren.read_text(encoding="utf-8").split():
                with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                    # A number may have passed on to a stranger: only what runs our tools is ours.
                    if os.fsencode(self.bin) in Path(f"/proc/{line}/cmdline").read_bytes():
                        os.kill(int(line), signal.SIGKILL)
            self.places.grandchildren.unlink()


def _enabled_at_first(flag: str) -> bool:
    return next(one.enabled for one in INITIAL if one.name == flag)
