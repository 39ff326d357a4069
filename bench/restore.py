"""The extraction step of a system restore, beside plain `tar -x` of the same archive.

The archive holds 20,000 files of 1 GB altogether, as plain tar and as gzip. Ours is the step as the
helper does it: GNU tar reading the very handle that was checked, with owners, modes, times and
attributes. The rest of a restore (reading the archive twice, comparing, saving, renaming) is told
beside it. Both write to the same disk, turn about.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.report import Measure, progress
from watchdog.restore.anchor import read_members, record
from watchdog.restore.places import Places
from watchdog.restore.placing import dress, place
from watchdog.restore.saving import save
from watchdog.restore.staging import compare, fresh, unpack
from watchdog.restore.survey import survey
from watchdog.restore.tree import Tree

FILES = 20_000
BYTES = 1_000_000_000
RUNS = 4
_MOST_BYTES = 10 * BYTES


async def measure(folder: Path) -> Measure:
    """Bytes a second of the unpacked files: median of the runs."""
    return await asyncio.to_thread(_measure, folder)


def _measure(folder: Path) -> Measure:
    root = folder / "root"
    _fill(root)
    found: dict[str, dict[str, float]] = {}
    for name, flag in (("plain", "-cf"), ("gzip", "-czf")):
        archive = folder / f"{name}.tar"
        _run("tar", "--format=posix", flag, str(archive), "-C", str(root), ".")
        found[name] = _beside(folder, archive, zipped=name == "gzip")
        progress(f"restore_throughput: {name}: {found[name]}")
    steps = _whole(folder, folder / "gzip.tar", root)
    plain = found["plain"]
    return Measure(
        "restore_throughput",
        BYTES / plain["ours_seconds"],
        BYTES / plain["peer_seconds"],
        "bytes per second",
        RUNS,
        {
            "files": FILES,
            "plain": plain,
            "gzip": {**found["gzip"], "ratio": _ratio(found["gzip"])},
            "whole_restore_seconds": steps,
        },
    )


def _ratio(seconds: dict[str, float]) -> float:
    return seconds["peer_seconds"] / seconds["ours_seconds"]


def _beside(folder: Path, archive: Path, *, zipped: bool) -> dict[str, float]:
    """Turn about, so that whatever else the machine does meets both."""
    to, flag = folder / "unpacked", "-xzf" if zipped else "-xf"
    ours: list[_Took] = []
    peers: list[_Took] = []
    fd = os.open(archive, os.O_RDONLY)
    try:
        turns: list[tuple[list[_Took], Callable[[], None]]] = [
            (ours, lambda: unpack(fd, to, zipped=zipped, acls=False)),
            (peers, lambda: _run("tar", flag, str(archive), "-C", str(to))),
        ]
        for _ in range(RUNS):
            for took, work in turns:
                took.append(_timed(to, work))
            turns.reverse()  # who comes second finds the archive in memory
    finally:
        os.close(fd)
    return {
        "ours_seconds": statistics.median(one.seconds for one in ours),
        "peer_seconds": statistics.median(one.seconds for one in peers),
        "ours_cpu_seconds": statistics.median(one.cpu_seconds for one in ours),
        "peer_cpu_seconds": statistics.median(one.cpu_seconds for one in peers),
    }


@dataclass(frozen=True, slots=True)
class _Took:
    """`cpu_seconds` of the processes that it ran: what a busy machine does not change."""

    seconds: float
    cpu_seconds: float


def _timed(to: Path, work: Callable[[], None]) -> _Took:
    fresh(to)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(to)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Took(took, used)


def _whole(folder: Path, archive: Path, root: Path) -> dict[str, float]:
    """Each step of a restore over the same tree, once."""
    places = Places(folder / "etc", folder / "requests", folder / "state", ())
    took: dict[str, float] = {}

    def step(name: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        work()
        took[name] = time.perf_counter() - began

    now = time.time()
    step("record", lambda: record(archive, places, root="/", now=now, most_bytes=_MOST_BYTES))
    fd = os.open(archive, os.O_RDONLY)
    staged = folder / "staged"
    _, members = read_members(fd, places, "/", _MOST_BYTES, lambda _: None, digests=True)
    step(
        "check",
        lambda: read_members(fd, places, "/", _MOST_BYTES, lambda _: None, digests=False),
    )
    fresh(staged)
    step("unpack", lambda: unpack(fd, staged, zipped=True, acls=False))
    step("compare", lambda: compare(staged, members))
    os.close(fd)
    with Tree(str(root)) as tree:
        present = survey(tree, members, ()).present
        step("save", lambda: save(tree, present, folder / "saved.tar"))
        step("place", lambda: place(tree, staged, members, lambda _: None))
        step("dress", lambda: dress(tree, staged, members))
    return took


def _fill(root: Path) -> None:
    """Half of it compresses well and half does not, as releases do."""
    random = Random(20_000)  # noqa: S311  # the same files in every run
    size = BYTES // FILES
    for number in range(FILES):
        file = root / f"release/{number % 200:03d}/{number:05d}.dat"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(random.randbytes(size // 2) + bytes(size - size // 2))


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
