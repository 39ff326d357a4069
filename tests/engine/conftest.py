"""One sandbox for a file's tests, made as new before each."""

import asyncio
from collections.abc import Iterator

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
