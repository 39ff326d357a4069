"""Whether the clock is synchronised is asked of the system, and what cannot be asked is unknown."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from watchdog.core.words import Truth
from watchdog.daemon.time_sync import time_synced

Tool = Callable[[str], str]


@pytest.fixture
def timedatectl(tmp_path: Path) -> Tool:
    """One that does this."""

    def that_does(script: str) -> str:
        tool = tmp_path / "timedatectl"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        return str(tool)

    return that_does


@pytest.mark.parametrize(
    ("script", "truth"),
    [
        ("echo yes", Truth.TRUE),
        ("echo no", Truth.FALSE),
        ("echo yes; exit 1", Truth.UNKNOWN),
        ("kill -9 $$", Truth.UNKNOWN),
        ("echo; exit 0", Truth.FALSE),
    ],
)
async def test_the_systems_answer_is_taken(timedatectl: Tool, script: str, truth: Truth) -> None:
    assert await time_synced(timedatectl(script)) is truth


async def test_one_that_hangs_is_unknown_in_time(timedatectl: Tool) -> None:
    began = time.monotonic()
    assert await time_synced(timedatectl("exec sleep 60"), 0.3) is Truth.UNKNOWN
    assert time.monotonic() - began < 10


async def test_a_machine_without_it_does_not_know(tmp_path: Path) -> None:
    assert await time_synced(str(tmp_path / "none")) is Truth.UNKNOWN


async def test_the_real_one_answers_something() -> None:
    if shutil.which("timedatectl") is None:
        pytest.skip("needs timedatectl (Debian: systemd)")
    assert await time_synced() in set(Truth)  # in a container there is no timedated: unknown
