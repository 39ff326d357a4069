"""A shop for a file's tests, made as new before each: a deployer, and what it serves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.releases.site import Shop
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets


@pytest.fixture(scope="module")
def one_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop.running(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def shop(one_shop: Shop) -> Shop:
    one_shop.reset()
    return one_shop


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets((tmp_path,)))
    yield wire
    await wire.aclose()
