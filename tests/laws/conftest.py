"""One sandbox and one daemon of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.laws import check_laws
from tests.e2e.rulebook import Rulebook
from watchdog.sandbox.handle import Sandbox


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox.start(tmp_path / "mycelia") as running:
        yield running


@pytest.fixture
async def watchdog(tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[Watchdog]:
    """Not yet started; it rests upon the peg, a number that breaks at once."""
    daemon = Watchdog(tmp_path, Rulebook(tmp_path / "rules", sandbox))
    yield daemon
    if daemon.is_running:
        assert await daemon.stop() == 0
    await daemon.aclose()
    check_laws(daemon, sandbox)
