"""Killed anywhere, a restore is resumed or undone: the tree is then wholly the one or the other."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import REPOSITORY
from tests.restore.site import Site, build, corrupt
from watchdog.restore.plan import Plan
from watchdog.restore.refused import Refused
from watchdog.restore.state import ask

CALLS = (
    *("fsync", "sync", "rename", "renameat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat"),
    *("fchmod", "chmod", "fchown", "chown", "utimensat", "setxattr", "removexattr", "write"),
)
"""What writes, renames or syncs; each is a place to die at."""

A_FEW = (
    ("fsync", 8, "resumed"),
    ("renameat", 2, "resumed"),
    ("renameat", 5, "undone"),
    ("unlinkat", 3, "undone"),
    ("sync", 2, "resumed"),
    ("rename", 9, "undone"),
)
"""Of the whole sweep, in `make test`: while it accepts, saves, places, and clears."""

Tree = Mapping[str, tuple[Any, ...]]


@pytest.fixture(autouse=True)
def _strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace (Debian: strace)")


class Story:
    """One host with an approved restore, the tree before, and the tree that the archive holds."""

    def __init__(self, folder: Path) -> None:
        self.site: Site = build(folder)
        self.folder = folder
        self.good = self.site.look()
        archive = self.site.back_up()
        self.site.record(archive)
        corrupt(self.site.root)
        self.bad = self.site.look()
        self.plan: Plan = self.site.approved(archive)

    def die_at(self, call: str, when: int) -> bool:
        """Run the helper, killed at the so-many-th such call; whether it was."""
        trace = ("strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}")
        inject = ("-e", f"inject={call}:signal=KILL:when={when}")
        helper = (sys.executable, "-m", "tests.restore.driver", str(self.folder), self.plan.id)
        ended = subprocess.run(
            (*trace, *inject, *helper), cwd=REPOSITORY, capture_output=True, check=False, timeout=60
        )
        assert ended.returncode in {0, -9, 137}, ended.stderr
        return ended.returncode != 0

    def resumed(self) -> None:
        told = self.site.start(self.plan)
        assert told["outcome"] == "done", told
        assert without_later(self.site.look()) == self.good

    def undone(self) -> None:
        try:
            ask(self.site.places, self.plan.id, "undo")
        except Refused:  # not begun: there is nothing to undo
            assert self.site.look() == self.bad
            return
        told = self.site.start(self.plan)
        assert told["outcome"] in {"undone", "backed out"}, told
        assert self.site.look() == self.bad

    def whole(self) -> None:
        """Between death and resumption every file is wholly the old one or the new one."""
        for path, told in self.site.look().items():
            contents = [tree[path][4] for tree in (self.good, self.bad) if path in tree]
            assert told[4] in contents, path


def without_later(tree: Tree) -> Tree:
    """What the archive does not name stays."""
    return {path: told for path, told in tree.items() if path != "srv/app/data/since"}


@pytest.mark.parametrize(("call", "when", "then"), A_FEW)
def test_after_a_death_it_is_resumed_or_undone(
    tmp_path: Path, call: str, when: int, then: str
) -> None:
    story = Story(tmp_path)
    assert story.die_at(call, when), "it ended before"
    story.whole()
    getattr(story, then)()


@pytest.mark.sim
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("course", ["restore", "undo"])
@pytest.mark.parametrize("call", CALLS)
def test_every_call_is_a_place_to_die_at(tmp_path: Path, call: str, course: str) -> None:
    died: Counter[str] = Counter()
    for when in count_from_one():
        story = Story(tmp_path / str(when))
        if course == "undo":
            assert story.site.start(story.plan)["outcome"] == "done"
            ask(story.site.places, story.plan.id, "undo")
        if not story.die_at(call, when):
            break
        died[call] += 1
        story.whole()
        if course == "undo" or when % 2:
            story.undone()
        else:
            story.resumed()
        shutil.rmtree(tmp_path / str(when))
    print(f"{course}: killed at {dict(died)}")  # noqa: T201  # the number of kill points is stated


def count_from_one() -> Iterator[int]:
    yield from range(1, 10_000)
