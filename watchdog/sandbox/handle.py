"""The sandbox in the hands of a test, the demo or the bench.

    async with Sandbox.start(folder) as sandbox:
        await sandbox.break_redemption()

Processes are owned by pid: they are stopped when the block ends, however it ends, and the kernel
kills them when the starting thread dies. What a test *counts* is read from the ledger that the app
itself keeps, so it can be asked while the app is dead.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from watchdog.sandbox import ed25519, release
from watchdog.sandbox import workload as workloads
from watchdog.sandbox.executables import Tool
from watchdog.sandbox.faults import FaultBook
from watchdog.sandbox.flags import INITIAL, REDEMPTION, Change, changes_in, count_requests
from watchdog.sandbox.running import Running, Shape

if TYPE_CHECKING:
    from watchdog.sandbox.workload import Workload


class Sandbox(Running):
    """A running Mycelia stand-in. Make one with `Sandbox.start`."""

    def __init__(self, root: Path, shape: Shape) -> None:
        super().__init__(release.set_up(root), shape)
        self.faults = FaultBook(self.places.faults)
        self.launchctl = Tool(self.places, "mycelia-launchctl")
        self.flags_tool = Tool(self.places, "mycelia-flags")
        self.attest_tool = Tool(self.places, "mycelia-attest")

    @classmethod
    def start(cls, root: Path | str, **shape: Any) -> Self:
        """A sandbox below `root`, running inside `async with`. The keywords are Shape's fields."""
        return cls(Path(root), Shape(**shape))

    async def reset(self) -> None:
        """As on the first day, with all processes running: for the next test or bench run.

        The release folder is left as it is; the ports stay the same.
        """
        self.kill_grandchildren()
        self.places.tool_faults.unlink(missing_ok=True)
        self.places.tool_calls.unlink(missing_ok=True)
        await self.revive()
        await self.command("POST", "/reset")

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
        await self.command("POST", "/traffic", wanted)

    async def change_flag_behind_its_back(
        self, flag: str = REDEMPTION, *, enabled: bool, by: str = "somebody-else"
    ) -> None:
        """Somebody changes a flag by a way that no token and no API sees."""
        await self.command("POST", "/flags", {"flag": flag, "enabled": enabled, "by": by})

    async def refuse_connections(self) -> None:
        """Close the app's listener; the process, the control port and the traffic live on."""
        await self.command("POST", "/listener", {"open": False})

    async def accept_connections(self) -> None:
        await self.command("POST", "/listener", {"open": True})

    async def state(self) -> dict[str, Any]:
        """Flags, faults, traffic and counters as the app sees them now."""
        return await self.command("GET", "/state")

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

    @property
    def signer(self) -> str:
        """The public half of the key that signs attestations, in hex."""
        secret = bytes.fromhex(self.places.signing_key.read_text(encoding="ascii"))
        return ed25519.public_key(secret).hex()

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


def _enabled_at_first(flag: str) -> bool:
    return next(one.enabled for one in INITIAL if one.name == flag)
