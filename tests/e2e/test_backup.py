"""The journal backed up beside the daemon, lost with the disk, and put back as journal.md says."""

import asyncio
import subprocess
import sys

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG
from tests.e2e.scenes import break_peg
from watchdog.sandbox.handle import Sandbox
from watchdog.store.folder import JOURNAL


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that needs no daemon, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "watchdog", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.sim
async def test_a_journal_that_was_put_back_goes_on_with_its_episode_and_its_hold(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    break_peg(sandbox)
    paused = await watchdog.episode(PEG, state="contained")
    await watchdog.order("hold", scope="all", reason="an audit")
    backup = watchdog.state.parent / "backup"

    told = await asyncio.to_thread(
        command, "backup", str(backup), "--state-dir", str(watchdog.state)
    )

    assert told.returncode == 0, told.stderr
    last = told.stdout.split()[-1]
    assert last in {one.hash for one in watchdog.journal()}
    await watchdog.order("hold", scope="rule", name=PEG, reason="after the backup")
    await watchdog.kill()

    watchdog.state.rename(watchdog.state.with_name("before"))
    watchdog.state.mkdir(mode=0o700)
    (watchdog.state / JOURNAL).write_bytes((backup / JOURNAL).read_bytes())
    again = await asyncio.to_thread(command, "replay", "--all", "--journal", str(watchdog.state))
    assert again.stdout.startswith("identical: "), again.stdout + again.stderr
    await watchdog.start()

    status = await watchdog.read("/v1/status")
    assert [hold["reason"] for hold in status["holds"]] == ["an audit"]
    (episode,) = status["episodes"]
    assert (episode["id"], episode["state"]) == (paused.id, "contained")
    assert sandbox.flag_changes() == 1, "what was done is not done again"
