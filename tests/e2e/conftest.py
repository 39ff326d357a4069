"""A sandbox for each file's stories, made as new before each, and a watchdog for each story."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.laws import check_laws
from tests.e2e.rulebook import Rulebook
from tests.real_parts.people import HookServer, MailServer
from watchdog.sandbox.handle import Sandbox


@pytest.fixture(scope="module")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with asyncio.Runner() as runner:
        sandbox = Sandbox.start(
            tmp_path_factory.mktemp("mycelia"), metrics_process=True, error_series_from_start=True
        )
        runner.run(sandbox.__aenter__())
        yield sandbox
        runner.run(sandbox.__aexit__(None, None, None))


@pytest.fixture
async def sandbox(one_sandbox: Sandbox) -> Sandbox:
    await one_sandbox.reset()
    return one_sandbox


@pytest.fixture
async def watchdog(tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[Watchdog]:
    """Not yet started: a story first says what is special about its rules."""
    rules = Rulebook(tmp_path / "rules", sandbox)
    daemon = Watchdog(tmp_path, rules)
    yield daemon
    if daemon.is_running:
        assert await daemon.stop() == 0
    await daemon.aclose()
    check_laws(daemon, sandbox)


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """Where the story's people read their mail."""
    async with MailServer() as server:
        yield server


@pytest.fixture
async def hook() -> AsyncIterator[HookServer]:
    """A program that is told by webhook."""
    async with HookServer() as server:
        yield server
