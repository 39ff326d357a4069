"""Resident memory of the real daemon with a hundred rules, thirty of them 30-day objectives.

Their windows are full: the core's own Tally counts 30 simulated days, poll by poll; the daemon
takes that up from a checkpoint in its state folder, as after a restart, and scrapes on while its
faces are asked. Told is the highest of what the kernel shows meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.daemon import ENVIRONMENT, Daemon, Place
from bench.report import Measure, p50, progress
from bench.rules import ALL, SLOS, SOURCE, hundred_rules
from watchdog.core.judge import Judge
from watchdog.core.memory import Memory
from watchdog.core.samples import Labels, Point
from watchdog.core.spec import RuleSpec, Slo
from watchdog.core.words import Instant
from watchdog.policy import load_folder
from watchdog.sandbox.handle import Sandbox
from watchdog.store import SqliteHistory

TARGET_MEBIBYTES = 120
_EVERY_SECONDS = 10.0
_DAYS = 30
_UNRELATED_SERIES = 2000
_WATCHED_SECONDS = 60
_FULL = 0.999
_ROOT = Path(__file__).resolve().parents[1]
_IMPORTS = (
    "import watchdog.daemon.main, watchdog.cli.process, psutil; "
    "print(psutil.Process().memory_info().rss)"
)


async def measure(folder: Path) -> Measure:
    """MiB, the highest seen in a minute of work."""
    shape = {"error_series_from_start": True, "unrelated_series": _UNRELATED_SERIES}
    async with Sandbox.start(folder / "mycelia", **shape) as sandbox:
        place = Place(folder / "watchdog")
        source = {"scrape": sandbox.metrics_url, "every": f"{_EVERY_SECONDS:g}s"}
        place.lay_out({"sources": {SOURCE: source}}, hundred_rules())
        place.init()
        kept = _fill(place)
        async with place.run() as daemon:
            seen = await _watch(daemon)
            peak = _peak(daemon)
            await _check_full(daemon)
    imports = await _with_imports_alone()
    more = {
        "target": TARGET_MEBIBYTES,
        "p50": p50(seen),
        "last": seen[-1],
        "peak_since_start": peak,
        "imports_alone": imports,
        "rules": ALL,
        "slos_of_30_days": SLOS,
        "checkpoint_mebibytes": kept / 2**20,
        "watched_seconds": _WATCHED_SECONDS,
    }
    return Measure("memory", max(seen), None, "MiB resident", len(seen), more)


def _fill(place: Place) -> int:
    """Write the checkpoint of 30 watched days; the bytes of it."""
    load = load_folder(place.folder / "rules", ENVIRONMENT)
    if load.policy is None or load.errors:
        raise RuntimeError("\n".join(problem.text for problem in load.errors))
    slos = [rule for rule in load.policy.rules.values() if isinstance(rule.signal, Slo)]
    counted = _thirty_days(slos[0])
    memory = Memory()
    memory.adopt(load.policy)
    for rule in slos:
        tally = memory.rules[rule.name].judge.tally
        if tally is None or not tally.restore(counted):
            raise RuntimeError(f"{rule.name} cannot go on from the counted windows")
    items = memory.checkpoint()
    history = SqliteHistory.open(place.state)
    history.save(items)
    history.close()
    return sum(map(len, items.values()))


def _thirty_days(rule: RuleSpec) -> bytes:
    """Count every poll of 30 days, up to now, once: the rules differ in their selectors alone."""
    tally = Judge(rule).tally
    if tally is None:
        raise TypeError(f"{rule.name} has no windows")
    wall, steady = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    polls = round(_DAYS * 86_400 / _EVERY_SECONDS)
    began = time.perf_counter()
    chance = random.Random(1)  # noqa: S311  # traffic that no compression makes small
    ok = bad = 0
    for poll in range(polls + 1):
        before = (polls - poll) * _EVERY_SECONDS
        at = Instant(wall - before, steady - before)
        ok, bad = ok + chance.randrange(800, 1200), bad + chance.randrange(2)
        failed = (Point(_code("500"), bad),)
        tally.observe(at, at.wall, failed, (*failed, Point(_code("200"), ok)))
    progress(f"memory: counted {polls} polls in {time.perf_counter() - began:.0f} s")
    return tally.checkpoint()


def _code(code: str) -> Labels:
    return (("code", code),)


async def _watch(daemon: Daemon) -> list[float]:
    """MiB, once a second, while the daemon works and its faces are asked."""
    process = psutil.Process(daemon.process.pid)
    seen = []
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        for second in range(_WATCHED_SECONDS):
            if second % 10 == 0:
                for path in ("/", "/metrics", "/api/v1/rules", "/api/v1/decisions"):
                    await client.get(daemon.page + path)
            seen.append(process.memory_info().rss / 2**20)
            await asyncio.sleep(1)
    return seen


def _peak(daemon: Daemon) -> float:
    """MiB at the highest moment since the start, reading the checkpoint in included."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


async def _check_full(daemon: Daemon) -> None:
    """Raises RuntimeError unless the 30 days of every objective are there."""
    rules: Sequence[dict[str, Any]] = (await daemon.status())["rules"]
    for rule in rules[:SLOS]:
        longest = max(rule["verdict"]["windows"], key=lambda window: float(window["seconds"]))
        if longest["seconds"] != _DAYS * 86_400 or longest["coverage"] < _FULL:
            raise RuntimeError(f"{rule['name']}: its windows are not full: {rule['verdict']}")


async def _with_imports_alone() -> float:
    """MiB of an interpreter that has only imported what the daemon imports."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _IMPORTS,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=dict(os.environ),
    )
    out, _ = await process.communicate()
    return int(out) / 2**20
