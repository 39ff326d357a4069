"""A site in the words of people who run one: what is live, what came before, swap it, undo it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from watchdog.actions.tree.adapter import TreeActuator
from watchdog.core.trees import Facts, SwapTree
from watchdog.core.words import Instant, Truth
from watchdog.ports import Attempt, Attempted, Readiness

AT = Instant(wall=1_700_000_000.0, steady=1000.0)
MARKER = ".slo-watchdog-generation"
PYTHON = (sys.executable, "-B")
AS_NOBODY = (sys.executable, "-B", str(Path(__file__).with_name("as_nobody.py")))
NOBODY = 65534


@dataclass
class Site:
    folder: Path
    how: SwapTree
    actuator: TreeActuator = field(default_factory=TreeActuator)
    facts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def built(cls, folder: Path) -> Site:
        site = cls.standing(folder)
        release(site.live, 42, {"por.json": "attested at noon", "conf/new.json": "{}"})
        release(site.previous, 41, {"por.json": "attested last week"})
        return site

    @classmethod
    def standing(cls, folder: Path) -> Site:
        """One whose folders are there already."""
        return cls(folder, _how(folder))

    @property
    def live(self) -> Path:
        return self.folder / "mainnet"

    @property
    def previous(self) -> Path:
        return self.folder / "mainnet-previous"

    @property
    def work(self) -> Path:
        return self.folder / ".mainnet.slo-watchdog"

    @property
    def build(self) -> str:
        return (self.live / "BUILD").read_text().strip()

    def backups(self) -> list[Path]:
        return sorted(self.folder.glob("mainnet-backup-*"))

    def staged(self) -> list[Path]:
        return sorted(self.work.glob("staged-*"))

    async def look(self, deadline_seconds: float = 20.0) -> Readiness:
        return await self.actuator.preflight(self.how, at=AT, deadline_seconds=deadline_seconds)

    async def is_ready(self) -> Readiness:
        """Preflight, whose facts the next swap gets."""
        found = await self.look()
        assert found.reading.truth is Truth.TRUE, found.reading.reason
        assert found.anchor is not None
        self.facts = dict(found.anchor.facts)
        return found

    async def why_not(self) -> str:
        """The reason for which it is not ready."""
        found = await self.look()
        assert found.reading.truth is Truth.FALSE, found.reading
        assert found.anchor is None
        return found.reading.reason

    async def swap(self, key: str = "intent-1", deadline_seconds: float = 20.0) -> Attempt:
        return self._learned(await self.attempt(self.how, key, deadline_seconds))

    async def undo(self, key: str = "intent-2") -> Attempt:
        return await self.attempt(self.back, key)

    async def settle(self, key: str = "intent-1") -> Attempt:
        facts = tuple(self.facts.items())
        settled = self.actuator.settle(self.how, key=key, deadline_seconds=20.0, facts=facts)
        return self._learned(await settled)

    async def stands(self, how: SwapTree | None = None) -> Truth:
        facts = tuple(self.facts.items())
        asked = self.actuator.stands(how or self.how, key="i", deadline_seconds=20.0, facts=facts)
        return (await asked).truth

    async def rolled_back(self, key: str = "intent-1") -> dict[str, str]:
        """Ready, swapped and settled; what was learned."""
        await self.is_ready()
        done = await self.swap(key)
        assert done.result is Attempted.CLAIMED, done.reason
        assert (await self.settle(key)).result is Attempted.CLAIMED
        return self.facts

    @property
    def back(self) -> SwapTree:
        return replace(self.how, displaced=True)

    async def attempt(
        self, how: SwapTree, key: str = "intent-1", deadline_seconds: float = 20.0
    ) -> Attempt:
        facts: Facts = tuple(self.facts.items())
        return await self.actuator.attempt(
            how, key=key, deadline_seconds=deadline_seconds, facts=facts
        )

    def _learned(self, attempt: Attempt) -> Attempt:
        self.facts |= dict(attempt.facts)
        return attempt


def _how(folder: Path) -> SwapTree:
    return SwapTree(
        current=str(folder / "mainnet"),
        previous=str(folder / "mainnet-previous"),
        mutable=("por.json",),
        keep_backups=3,
        facts=(("build", "BUILD"),),
    )


def release(folder: Path, build: int, more: Mapping[str, str] | None = None) -> Path:
    """A small release: a build number, some configuration, and `more`."""
    files = {"BUILD": f"{build}\n", "conf/app.json": f'{{"release": {build}}}', **(more or {})}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


Tree = dict[bytes, tuple[object, ...]]


def tree(folder: Path | str, *left_out: str) -> Tree:
    """All that a reader sees of a tree, looked at by other means than the ones under test."""
    found: Tree = {}
    top = os.fsencode(folder)
    for at, folders, files in os.walk(top):
        for name in [b"", *folders, *files] if at == top else [*folders, *files]:
            path = os.path.join(at, name)  # noqa: PTH118  # names may be any bytes
            inside = os.path.relpath(path, top)
            if inside.decode(errors="replace") not in {MARKER, *left_out}:
                found[inside] = _seen(path)
    return found


def _seen(path: bytes) -> tuple[object, ...]:
    status = os.lstat(path)
    what: bytes = b""
    if stat.S_ISLNK(status.st_mode):
        what = os.readlink(path)  # noqa: PTH115  # names may be any bytes
    elif stat.S_ISREG(status.st_mode):
        what = Path(os.fsdecode(path)).read_bytes()
    names = os.listxattr(path, follow_symlinks=False)
    values = [(one, os.getxattr(path, one, follow_symlinks=False)) for one in sorted(names)]
    return status.st_mode, status.st_uid, status.st_gid, what, tuple(values)
