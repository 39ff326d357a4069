"""The kinds of drills: which rule is brought to breach how, and what else must stay as it is.

Rules and actions are those of the shipped rules by their names; whoever has others of one's own
has the same names in them, or the drill says which it did not find.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.core.drills import DrillKind, DrillStage
from watchdog.demo.stage import StageFailed
from watchdog.sandbox.flags import INITIAL, REDEMPTION
from watchdog.sandbox.handle import Sandbox

QUICK = {
    "app_every": "500ms",
    "status_every": "500ms",
    "error_window": "4s",
    "error_for": "2s",
    "error_keep": "2s",
    "status_for": "2s",
    "release_every": "1s",
    "release_for": "2s",
}
"""Variables of the policy, so that a drill takes seconds: rhythms and windows, and nothing else."""

TAMPERED = "redemption.json"

Deed = Callable[[Sandbox], Awaitable[float | None]]
"""Does something to the sandbox; the wall time at which that took effect."""


@dataclass(frozen=True, slots=True)
class Deploy:
    """What a pipeline puts in the place of what was rolled back; `target` names it for orders."""

    target: Callable[[Sandbox], str]
    run: Callable[[Sandbox], Awaitable[None]]
    served_at: Callable[[Sandbox], float | None]


@dataclass(frozen=True, slots=True)
class Scene:
    """One drill. `changes` are the things of the target that the rollback itself may change."""

    what: DrillKind
    title: str
    rule: str
    action: str
    signal: str  # in words
    inject: Deed
    mend: Deed | None  # None: what was put aside is not to come back, and nothing is undone
    effect_at: Callable[[Sandbox], float | None]
    changes: frozenset[str] = frozenset()
    approves: bool = False  # people do, before it is started
    root_undoes: bool = False  # and not the drill's daemon
    repair: Deploy | None = None  # the way on where nothing is undone: a release that is whole
    variables: Mapping[str, str] = field(default_factory=lambda: QUICK)

    @property
    def stages(self) -> tuple[DrillStage, ...]:
        """What must be reached."""
        left_out = set()
        if self.mend is None and self.repair is None and not self.root_undoes:
            left_out.add(DrillStage.RESUMED)
        if not self.approves:
            left_out.add(DrillStage.APPROVE)
        return tuple(one for one in DrillStage if one not in left_out)


async def _redemption_fails(sandbox: Sandbox) -> float | None:
    return await sandbox.break_redemption(0.5)


async def _redemption_works(sandbox: Sandbox) -> float | None:
    await sandbox.mend_redemption()
    return None


async def _peg_breaks(sandbox: Sandbox) -> float | None:
    sandbox.set_status("peg.collateralization", 0.9)
    return time.time()


async def _peg_holds(sandbox: Sandbox) -> float | None:
    sandbox.clear_faults("status")
    return None


async def _file_is_changed(sandbox: Sandbox) -> float | None:
    """A file of the live release is not what its manifest says."""
    file = sandbox.places.release / "mainnet" / TAMPERED
    file.write_bytes(file.read_bytes() + b" ")
    return time.time()


async def _repaired(sandbox: Sandbox) -> None:
    """The displaced release as it was meant, by a new folder, verified, and published."""
    release = sandbox.places.release
    (displaced,) = release.glob("mainnet-backup-*")
    fresh = release / "mainnet-fresh"
    ours = shutil.ignore_patterns(".slo-watchdog-generation")
    await asyncio.to_thread(shutil.copytree, displaced, fresh, ignore=ours)
    file = fresh / TAMPERED
    file.write_bytes(file.read_bytes().removesuffix(b" "))
    (release / "mainnet").rename(release / "mainnet-superseded")
    fresh.rename(release / "mainnet")
    for script in ("release:verify", "release:publish"):
        ran = await asyncio.create_subprocess_exec(
            str(sandbox.bin / "pnpm"), "run", script, cwd=sandbox.root,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await ran.communicate()
        if ran.returncode != 0:
            raise StageFailed(f"{script} of the repaired release: {said.decode().strip()}")


def _release_target(sandbox: Sandbox) -> str:
    return f"config:{sandbox.places.release / 'mainnet'}"


def published_at(sandbox: Sandbox) -> float | None:
    """When the release before was first served, by what the target itself notes of it."""
    try:
        found = json.loads(sandbox.places.published.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return float(found["at"]) if "at" in found else None


def flag_effect(sandbox: Sandbox) -> float | None:
    """When the flag went off, by the target's own ledger."""
    off = [one.at for one in sandbox.changes(REDEMPTION) if not one.after]
    return off[0] if off else None


def state_of(sandbox: Sandbox) -> dict[str, str]:
    """The target's things and how each stands: every flag, every release folder."""
    found = {f"flag {one.name}": _flag(sandbox, one.name) for one in INITIAL}
    for name in ("mainnet", "mainnet-previous"):
        found[f"release/{name}"] = _folder(sandbox.places.release / name)
    return found


def _flag(sandbox: Sandbox, name: str) -> str:
    """What was done to it, and how it stands: there and back again is no rest."""
    done = sandbox.changes(name)
    return f"{len(done)} changes, {'on' if sandbox.is_enabled(name) else 'off'}"


def _folder(folder: Path) -> str:
    """The content of all its files but `por.json`, which is renewed all the time."""
    told = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name != "por.json" and not file.name.startswith("."):
            told.update(f"{file.relative_to(folder)}\0".encode())
            told.update(digest_of(file).encode())
    return told.hexdigest()


def digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


SCENES = {
    DrillKind.FEATURE_FLAG: Scene(
        what=DrillKind.FEATURE_FLAG,
        title="Feature flag rollback",
        rule="redemption-error-rate",
        action="pause-redemption",
        signal="half of all redemptions fail",
        inject=_redemption_fails,
        mend=_redemption_works,
        effect_at=flag_effect,
        changes=frozenset({f"flag {REDEMPTION}"}),
    ),
    DrillKind.CONFIG: Scene(
        what=DrillKind.CONFIG,
        title="Configuration rollback",
        rule="release-files",
        action="restore-mainnet-config",
        signal="a file of the live release is changed",
        inject=_file_is_changed,
        mend=None,
        effect_at=published_at,
        changes=frozenset({"release/mainnet"}),
        approves=True,
        repair=Deploy(_release_target, _repaired, published_at),
    ),
    DrillKind.PARTIAL: Scene(
        what=DrillKind.PARTIAL,
        title="Partial system rollback",
        rule="peg-collateralised",
        action="pause-redemption",
        signal="the reserves do not cover what is out",
        inject=_peg_breaks,
        mend=_peg_holds,
        effect_at=flag_effect,
        changes=frozenset({f"flag {REDEMPTION}"}),
    ),
}
