from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.core.promql.asking import Asked
from tests.core.promql.traffic import USUAL
from tests.real_parts.prometheus import RealPrometheus
from watchdog.core.series import SeriesStore


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def prometheus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asked]:
    folder = tmp_path_factory.mktemp("filled")
    options = ("--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100y")
    async with RealPrometheus.start(folder, options=options) as server:
        asked = Asked(server.port)
        asked.write(USUAL.written())
        yield asked
        asked.close()


@pytest.fixture(scope="session")
def store() -> SeriesStore:
    return USUAL.store()
