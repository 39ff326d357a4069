"""Lets the real process die at one system call of its work, and looks at what is left.

A site is brought to where a phase begins once, and copied for each trial. Only the phase itself
runs under strace, which kills it as it enters the n-th call of one kind.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.actions.tree.site import MARKER, Site, Tree, tree
from tests.actions.tree.strace import injected, under_strace
from watchdog.actions.tree import decided
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.core.words import Truth
from watchdog.ports import Attempt, Attempted, Readiness

RENAMES = ("rename", "renameat", "renameat2")
SYNCS = ("fsync", "syncfs")
CALLS = (
    *RENAMES,
    *SYNCS,
    *("write", "pwrite64", "copy_file_range", "ftruncate"),
    *("mkdir", "rmdir", "unlink", "unlinkat", "link", "linkat", "symlink"),
    *("chmod", "fchmod", "fchown", "lchown", "utimensat", "setxattr", "fsetxattr", "flock"),
)
"""What writes, renames, syncs, makes, deletes, and takes the lock."""


OLD = tuple(f"mainnet-backup-2020010{day}-000000" for day in range(1, 5))
BY_HAND = "mainnet-backup-20200109-000000"


class Way(StrEnum):
    EXCHANGE = "exchange"
    RENAMES = "renames"  # the file system exchanges no folders
    LINK = "link"  # the live path is a symbolic link


class Phase(StrEnum):
    STAGE = "stage"
    FORWARD = "forward"
    SETTLE = "settle"
    BACK = "back"


BEFORE = {
    Phase.STAGE: (),
    Phase.FORWARD: (Phase.STAGE,),
    Phase.SETTLE: (Phase.STAGE, Phase.FORWARD),
    Phase.BACK: (Phase.STAGE, Phase.FORWARD, Phase.SETTLE),
}


@dataclass
class Scene:
    """A site where a phase is about to begin; `bad` and `good` are all that may ever be live."""

    template: Path
    way: Way
    phase: Phase
    facts: Mapping[str, str] = field(default_factory=dict)
    bad: Tree = field(default_factory=dict)
    good: Tree = field(default_factory=dict)
    serial: int = 0

    @classmethod
    async def set(cls, folder: Path, way: Way, phase: Phase) -> Scene:
        template = folder / f"{way}-{phase}"
        template.mkdir()
        site = Site.built(template)
        (site.previous / "again").hardlink_to(site.previous / "BUILD")
        (site.previous / "latest").symlink_to("conf")
        if way is Way.LINK:
            (template / "releases").mkdir()
            site.live.rename(template / "releases" / "42")
            site.live.symlink_to("releases/42")
        scene = cls(template, way, phase)
        scene.bad, scene.good = (
            tree(one.resolve(), "por.json") for one in (site.live, site.previous)
        )
        site.actuator = TreeActuator(python=scene.under({}))
        for one in BEFORE[phase]:
            await run(site, one)
        if phase is Phase.SETTLE:
            scene.leave_old_backups(site)
        scene.facts = dict(site.facts)
        return scene

    @staticmethod
    def leave_old_backups(site: Site) -> None:
        """Four that swaps made, two too many; and one by hand."""
        for name in (*OLD, BY_HAND):
            folder = site.folder / name
            shutil.copytree(site.live.resolve(), folder, symlinks=True)
            (folder / MARKER).unlink()
            if name != BY_HAND:
                (folder / MARKER).write_text('{"generation": "before-0", "displaced_by": "0"}')

    def under(self, what: Mapping[str, str]) -> tuple[str, ...]:
        """The process, in the world of this way, with what befalls its calls."""
        world = {"renameat2": "error=EINVAL"} if self.way is Way.RENAMES else {}
        return tuple(injected({**what, **world}))

    def site(self) -> Site:
        """A copy of its own for one trial."""
        self.serial += 1
        folder = self.template.with_name(f"{self.template.name}-{self.serial}")
        subprocess.run(["cp", "-a", self.template, folder], check=True, timeout=20)
        site = Site.standing(folder)
        moved = str(self.template) + "/", str(folder) + "/"
        site.facts = {name: value.replace(*moved) for name, value in self.facts.items()}
        folders = str(site.previous.resolve()), str(site.live.resolve())
        site.facts |= dict(decided.seen(*folders))  # a copy has inodes of its own
        for record in site.work.glob("link-*.json"):
            record.write_text(record.read_text().replace(*moved))
        return site

    async def count(self) -> Counter[str]:
        """How often the phase makes each call."""
        site = self.site()
        trace = site.folder / "trace"
        world = [word for word in self.under({}) if word.startswith("inject=")]
        told = [word for one in world for word in ("-e", one)]
        calls = ",".join(CALLS)
        site.actuator = TreeActuator(
            python=under_strace("-o", str(trace), "-e", f"trace={calls}", *told)
        )
        await run(site, self.phase)
        return Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))

    async def die(self, call: str, number: int) -> bool:
        """Whether it died there; and that a repeat then ends as it must."""
        site = self.site()
        site.actuator = TreeActuator(python=self.under({call: f"signal=KILL:when={number}"}))
        found = await perform(site, self.phase)
        said = found.reading.reason if isinstance(found, Readiness) else found.reason
        died = "SIGKILL" in said
        at = f"{self.way} {self.phase} {call} {number}: {said}"
        if died:
            is_unknown = (
                found.reading.truth is Truth.UNKNOWN
                if isinstance(found, Readiness)
                else (found.result is Attempted.UNKNOWN)
            )
            assert is_unknown, at
            self.whole(site, at)
        site.actuator = TreeActuator(python=self.under({}))
        await run(site, self.phase)
        self.ended(site, at)
        shutil.rmtree(site.folder)
        return died

    def whole(self, site: Site, at: str) -> None:
        """One whole generation is live, in every instant but the one that renames cannot avoid."""
        if self.way is Way.RENAMES and not site.live.exists():
            assert (site.work / "gap").is_dir(), at
            return
        live = tree(site.live.resolve(), "por.json")
        assert live in (self.bad, self.good), at
        assert (site.live / "por.json").read_text() == "attested at noon", at
        assert tree(site.previous, "por.json") == self.good, at
        for name in (*OLD, BY_HAND):
            old = site.folder / name
            assert not old.exists() or tree(old, "por.json") == self.good, at

    def ended(self, site: Site, at: str) -> None:
        """What must be live is, what was displaced is whole in one place, and nothing else is."""
        swapped = self.phase in {Phase.FORWARD, Phase.SETTLE}
        self.whole(site, at)
        live = tree(site.live.resolve(), "por.json")
        assert live == (self.good if swapped else self.bad), at
        assert (site.live / MARKER).exists() is (self.phase is not Phase.STAGE), at
        kept = [path.name for path in site.backups() if path.name in {*OLD, BY_HAND}]
        newest = 2 if self.way is not Way.LINK else 3  # of a release behind a link there is none
        assert kept == ([*OLD[-newest:], BY_HAND] if self.phase is Phase.SETTLE else []), at
        new = [path for path in site.backups() if path.name not in kept]
        places = [*new, *(site.folder / "releases").glob("*")]
        others = [tree(one, "por.json") for one in places if one != site.live.resolve()]
        assert others == ([self.bad] if swapped else []), at
        staged = [tree(one, "por.json") for one in site.staged()]
        assert staged == ([] if swapped else [self.good]), at


async def perform(site: Site, phase: Phase) -> Attempt | Readiness:
    if phase is Phase.STAGE:
        return await site.look()
    return await {Phase.FORWARD: site.swap, Phase.SETTLE: site.settle, Phase.BACK: site.undo}[
        phase
    ]()


async def run(site: Site, phase: Phase) -> None:
    """The phase, which must end well."""
    if phase is Phase.STAGE:
        await site.is_ready()
        return
    found = await perform(site, phase)
    assert isinstance(found, Attempt)
    assert found.result is Attempted.CLAIMED, found.reason
