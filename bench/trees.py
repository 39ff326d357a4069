"""Configuration rollback: how soon the live folder is another, and what the whole of it takes.

`config_swap` asks whether the swap grows with the release: from the call until the live path
leads to the other folder, for 20,000 files of 1 GB in all, and for 200 files as the peer.
`config_rollback` sets the whole beside what the procedure does by hand: copy the live folder as
a backup, copy the one before over it, and `sync`, since ours is durable when it says so. Ours is
the swap, the live tree read anew and compared with its manifest, and the digest of what was
displaced. What preflight did long before is told beside it.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.report import Measure, progress, spread
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.core.trees import SwapTree
from watchdog.core.words import Instant, Truth
from watchdog.ports import Attempt, Attempted

TARGET_SWAP_RATIO = 1.2
TARGET_ROLLBACK_RATIO = 1.0
_FILES, _BYTES = 20_000, 1_000_000_000
_FEW = 200
_SWAPS = 15
_ROLLBACKS = 3
_DEADLINE_SECONDS = 600.0
_AT = Instant(0.0, 0.0)


@dataclass(slots=True)
class Site:
    """A live release and the one before it, with as many files each.

    What was undone is looked at again before it is swapped once more, as preflight does all day.
    """

    folder: Path
    files: int
    how: SwapTree
    actuator: TreeActuator = field(default_factory=TreeActuator)
    facts: dict[str, str] = field(default_factory=dict)

    async def stage(self) -> float:
        """Until preflight says ready; the seconds that took."""
        began = time.perf_counter()
        look = self.actuator.preflight(self.how, at=_AT, deadline_seconds=_DEADLINE_SECONDS)
        found = await look
        if found.reading.truth is not Truth.TRUE or found.anchor is None:
            raise RuntimeError(f"not ready: {found.reading.reason}")
        self.facts = dict(found.anchor.facts)
        return time.perf_counter() - began

    async def swap(self) -> Attempt:
        return self._claimed(await self._attempt(self.how))

    async def settle(self) -> None:
        facts = tuple(self.facts.items())
        settled = await self.actuator.settle(
            self.how, key="bench", deadline_seconds=_DEADLINE_SECONDS, facts=facts
        )
        if "displaced_digest" not in dict(self._claimed(settled).facts):
            raise RuntimeError(f"what was displaced has no digest: {settled.reason}")

    async def undo(self) -> None:
        self._claimed(await self._attempt(replace(self.how, displaced=True)))
        for name in ("displaced", "displaced_generation", "displaced_digest"):
            self.facts.pop(name, None)

    async def _attempt(self, how: SwapTree) -> Attempt:
        facts = tuple(self.facts.items())
        return await self.actuator.attempt(
            how, key="bench", deadline_seconds=_DEADLINE_SECONDS, facts=facts
        )

    def _claimed(self, attempt: Attempt) -> Attempt:
        if attempt.result is not Attempted.CLAIMED:
            raise RuntimeError(f"{attempt.result}: {attempt.reason}")
        self.facts |= dict(attempt.facts)
        return attempt


async def swap(folder: Path) -> Measure:
    """The large and the small release by turns."""
    sites = {count: built(folder / str(count), count) for count in (_FILES, _FEW)}
    took: dict[int, list[float]] = {count: [] for count in sites}
    staged = {count: await site.stage() for count, site in sites.items()}
    os.sync()
    for run in range(_SWAPS):
        for count, site in sites.items():
            took[count].append(await seconds_to_swap(site))
            await site.undo()
            await site.stage()
        progress(f"config_swap: {run}: {took[_FILES][-1]:.3f} s, few {took[_FEW][-1]:.3f} s")
    more = {
        "target_ratio": TARGET_SWAP_RATIO,
        "ours_spread": spread(took[_FILES]),
        "peer_spread": spread(took[_FEW]),
        "preflight_seconds": staged[_FILES],
        "preflight_seconds_of_few": staged[_FEW],
    }
    return Measure("config_swap", median(took[_FILES]), median(took[_FEW]), "seconds", _SWAPS, more)


async def rollback(folder: Path) -> Measure:
    """Ours and the procedure's by turns, on the same release, each after all else is on disk."""
    site = built(folder, _FILES)
    staged = await site.stage()
    ours: list[float] = []
    peer: list[float] = []
    live, ours_cpu, peer_cpu = list[float](), list[float](), list[float]()
    for run in range(_ROLLBACKS):
        (folder / ".mainnet.slo-watchdog" / "known.json").unlink(
            missing_ok=True
        )  # all is read anew
        os.sync()
        began, used = time.perf_counter(), cpu_seconds()
        live.append(await seconds_to_swap(site))
        await site.settle()
        ours.append(time.perf_counter() - began)
        ours_cpu.append(cpu_seconds() - used)
        await site.undo()
        await site.stage()
        used = cpu_seconds()
        peer.append(by_hand(folder))
        peer_cpu.append(cpu_seconds() - used)
        progress(f"config_rollback: {run}: ours {ours[-1]:.2f} s, by hand {peer[-1]:.2f} s")
    more = {
        "target_ratio": TARGET_ROLLBACK_RATIO,
        "ours_spread": spread(ours),
        "peer_spread": spread(peer),
        "ours_cpu_seconds": median(ours_cpu),
        "peer_cpu_seconds": median(peer_cpu),
        "live_after_seconds": median(live),
        "preflight_seconds": staged,
        "ratio_with_preflight": (median(ours) + staged) / median(peer),
    }
    return Measure("config_rollback", median(ours), median(peer), "seconds", _ROLLBACKS, more)


async def seconds_to_swap(site: Site) -> float:
    """From the call until the live path leads to another folder, seen from beside."""
    live = site.folder / "mainnet"
    before, seen = live.stat().st_ino, list[float]()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            if live.stat().st_ino != before:
                seen.append(time.perf_counter())
                return
            time.sleep(0.0005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        done = await site.swap()
    finally:
        stop.set()
        watcher.join()
    if dict(done.facts).get("proven") != "yes" or not seen:
        raise RuntimeError(f"not proven: {done.reason}")
    return seen[0] - began


def cpu_seconds() -> float:
    """Of all that was started and has ended: the disk's share of the time is not in it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_hand(folder: Path) -> float:
    """The procedure's own words; the folder is there, so the second copy goes into it."""
    os.sync()
    words = "cp -r ./mainnet ./mainnet-backup-by-hand && cp -r ./mainnet-previous ./mainnet && sync"
    began = time.perf_counter()
    subprocess.run(["sh", "-c", words], cwd=folder, check=True, timeout=_DEADLINE_SECONDS)
    seconds = time.perf_counter() - began
    shutil.rmtree(folder / "mainnet-backup-by-hand")
    shutil.rmtree(folder / "mainnet" / "mainnet-previous")
    return seconds


def built(folder: Path, files: int) -> Site:
    """Files of all sizes up to twice the mean, a hundred to a folder, and one that stays live."""
    chance = random.Random(files)  # noqa: S311  # sizes of files
    mean = _BYTES // _FILES
    for name in ("mainnet", "mainnet-previous"):
        write(folder / name, files, lambda: chance.randrange(2 * mean))
    how = SwapTree(
        str(folder / "mainnet"),
        str(folder / "mainnet-previous"),
        mutable=("por.json",),
        facts=(("build", "BUILD"),),
    )
    return Site(folder, files, how)


def write(top: Path, files: int, size: Callable[[], int]) -> None:
    for number in range(files):
        if number % 100 == 0:
            (top / f"part-{number // 100:03}").mkdir(parents=True)
        file = top / f"part-{number // 100:03}" / f"{number:05}.json"
        file.write_bytes(os.urandom(size()))
    (top / "BUILD").write_text(f"{top.name}\n")
    (top / "por.json").write_text('{"attested": true}')
