"""The ladder to its second rung, by the real daemon: folders exchanged, the real pnpm's scripts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.laws import check_laws
from tests.e2e.rulebook import PEG, RESTORE, Rulebook
from tests.real_parts.node import install, path_with
from watchdog.core.entries import IntentEnded, Outcome, StepTaken
from watchdog.sandbox.executables import Tool
from watchdog.sandbox.handle import Sandbox

GOOD = "ba5eba110123456789ba5eba110123456789ba5e"
BAD = "c0ffee0123456789c0ffee0123456789c0ffee01"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("npm"))


@pytest.fixture
async def mycelia(tmp_path: Path) -> AsyncIterator[Sandbox]:
    """One of its own: what happens to its release folder cannot be made undone."""
    async with Sandbox.start(tmp_path / "mycelia") as sandbox:
        yield sandbox


@pytest.fixture
async def daemon(tmp_path: Path, mycelia: Sandbox, programs: Path) -> AsyncIterator[Watchdog]:
    rules = Rulebook(tmp_path / "rules", mycelia)
    rules.platform["sources"]["app"]["scrape"] = mycelia.metrics_url
    rules.add_configuration(programs / "pnpm", mode="armed", within="5s")
    daemon = Watchdog(tmp_path, rules)
    daemon.finds_first(path_with(programs))
    yield daemon
    if daemon.is_running:
        assert await daemon.stop() == 0
    await daemon.aclose()
    check_laws(daemon, mycelia)


def live(sandbox: Sandbox) -> str:
    return (sandbox.places.release / "mainnet/BUILD_SHA").read_text("utf-8").strip()


async def test_a_pause_that_fails_is_climbed_over_and_the_release_before_contains(
    mycelia: Sandbox, daemon: Watchdog
) -> None:
    mycelia.launchctl.pretends_to_pause()
    daemon.rules.pause["deadline"] = "1s"
    await daemon.on_guard()

    mycelia.set_status("peg.collateralization", 0.9)
    episode = await daemon.episode(PEG, state="contained")

    assert (episode.rung, episode.outcome) == (1, "done")
    assert episode.read_back == f'buildSha: "{GOOD}"'
    assert live(mycelia) == GOOD
    printed = {taken.step: taken.output for taken in daemon.entries(StepTaken)}
    assert "release/mainnet verified" in printed["verify 1"]
    assert f"published {GOOD}" in printed["publish"]
    (backup,) = mycelia.places.release.glob("mainnet-backup-*")
    assert (backup / "BUILD_SHA").read_text("utf-8").strip() == BAD


@pytest.mark.sim
async def test_killed_while_it_publishes_it_goes_on_and_exchanges_nothing_twice(
    mycelia: Sandbox, daemon: Watchdog
) -> None:
    mycelia.launchctl.pretends_to_pause()
    daemon.rules.pause["deadline"] = "1s"
    publish = Tool(mycelia.places, "release-publish")
    publish.hangs()
    await daemon.on_guard()

    mycelia.set_status("peg.collateralization", 0.9)

    async def publishing() -> bool:
        return bool(publish.calls())

    await daemon.until("it publishes", publishing)
    await daemon.kill()
    assert live(mycelia) == GOOD
    publish.is_honest()
    await daemon.start()
    episode = await daemon.episode(PEG, state="contained")

    assert episode.outcome == "done"
    assert live(mycelia) == GOOD
    ended = [one for one in daemon.entries(IntentEnded) if one.action == RESTORE]
    assert [one.outcome for one in ended] == [Outcome.DONE]
    steps = [taken.step for taken in daemon.entries(StepTaken) if "change" in taken.step]
    assert steps.count("change") == 2, "one of the pause, one of the folders"
