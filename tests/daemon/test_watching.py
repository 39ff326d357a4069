"""The rules folder is watched whatever happens to it; the watch reports, and never ends."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from watchdog.daemon.watching import RulesWatch

EVERY_SECONDS = 0.2


class Looks:
    """Counts how often the folder was looked at; may fail."""

    def __init__(self) -> None:
        self.count = 0
        self.failing = False

    async def __call__(self) -> None:
        self.count += 1
        if self.failing:
            raise RuntimeError("a bug in the load")

    async def another(self, seconds: float = 10.0) -> bool:
        before = self.count
        return await self.more_than(before, seconds)

    async def more_than(self, before: int, seconds: float = 10.0) -> bool:
        for _ in range(round(seconds / 0.02)):
            if self.count > before:
                return True
            await asyncio.sleep(0.02)
        return False


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    write(folder, "1")
    return folder


def write(folder: Path, text: str) -> None:
    (folder / "team").mkdir(parents=True, exist_ok=True)
    (folder / "team" / "rules.yaml").write_text(text)


def exchange(folder: Path, other: Path) -> None:
    folder.rename(folder.with_name("old"))
    other.rename(folder)


@pytest.fixture
async def looks(rules: Path) -> AsyncIterator[Looks]:
    found = Looks()
    watching = asyncio.create_task(RulesWatch(rules, found, EVERY_SECONDS).forever())
    await asyncio.sleep(0.5)
    assert found.count == 1, "what changed before the watch is looked at too, and once"
    found.count = 0
    yield found
    assert not watching.done(), "the watch has ended"
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_what_is_saved_is_looked_at_once(rules: Path, looks: Looks) -> None:
    assert looks.count == 0, "nothing has changed yet"
    write(rules, "22")
    assert await looks.another()
    await asyncio.sleep(3 * EVERY_SECONDS)
    assert looks.count == 1


async def test_a_folder_that_is_removed_and_made_again(rules: Path, looks: Looks) -> None:
    shutil.rmtree(rules)
    assert await looks.another()
    await asyncio.sleep(3 * EVERY_SECONDS)
    seen = looks.count
    write(rules, "333")
    assert await looks.more_than(seen)
    await asyncio.sleep(3 * EVERY_SECONDS)
    seen = looks.count
    write(rules, "4444")
    assert await looks.more_than(seen), "the new folder is not watched"


async def test_a_folder_that_another_one_takes_the_place_of(rules: Path, looks: Looks) -> None:
    new = rules.with_name("new")
    write(new, "22")
    exchange(rules, new)
    assert await looks.another()
    await asyncio.sleep(3 * EVERY_SECONDS)
    seen = looks.count
    write(rules, "333")
    assert await looks.more_than(seen)


async def test_a_link_that_is_swapped_inside(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "22")):
        write(tmp_path / name, text)
    rules = tmp_path / "rules"
    rules.symlink_to(tmp_path / "a")
    looks = Looks()
    watching = asyncio.create_task(RulesWatch(rules, looks, EVERY_SECONDS).forever())
    await asyncio.sleep(0.5)
    swapped = tmp_path / "swapped"
    swapped.symlink_to(tmp_path / "b")
    swapped.rename(rules)
    assert await looks.another()
    seen = looks.count
    await asyncio.sleep(3 * EVERY_SECONDS)
    write(tmp_path / "b", "333")
    assert await looks.more_than(seen)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_look_that_fails_is_told_and_tried_again(
    rules: Path, looks: Looks, capsys: pytest.CaptureFixture[str]
) -> None:
    looks.failing = True
    write(rules, "22")
    assert await looks.more_than(2), "it is tried again"
    looks.failing = False
    seen = looks.count
    assert await looks.more_than(seen)
    await asyncio.sleep(3 * EVERY_SECONDS)
    told = capsys.readouterr().out
    assert told.count("policy.unwatched") == 1
    assert told.count("policy.watched_again") == 1
