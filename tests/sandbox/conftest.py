"""One sandbox for a file's tests, made as new before each: a test may break everything in it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from watchdog.sandbox.handle import Sandbox


@pytest.fixture(scope="module")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with asyncio.Runner() as runner:
        sandbox = Sandbox.start(tmp_path_factory.mktemp("mycelia"))
        runner.run(sandbox.__aenter__())
        yield sandbox
        runner.run(sandbox.__aexit__(None, None, None))


@pytest.fixture
async def sandbox(one_sandbox: Sandbox) -> Sandbox:
    await one_sandbox.reset()
    return one_sandbox


@pytest.fixture
async def web() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        yield client
