from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.core.promql.asking import Asked, Series
from tests.core.promql.traffic import (
    FAILED_POLLS,
    METRICS,
    POLLS,
    TARGET,
    exposed,
    filled_store,
    poll_time,
)
from tests.real_parts.prometheus import RealPrometheus
from watchdog.core.series import SeriesStore


def _as_prometheus_would_have_it() -> list[Series]:
    """The same traffic with the staleness markers that Prometheus' own scraping would place."""
    written: list[Series] = []
    for metric in METRICS:
        samples: list[tuple[float, float | None]] = []
        shown = False
        for poll in range(POLLS):
            values = dict(exposed(poll))
            if metric in values:
                samples.append((poll_time(poll), values[metric]))
            elif shown:
                samples.append((poll_time(poll), None))
            shown = metric in values
        written.append(({"__name__": metric.name, **dict(metric.labels)}, samples))
    ups = [(poll_time(poll), float(poll not in FAILED_POLLS)) for poll in range(POLLS)]
    written.append(({"__name__": "up", "instance": TARGET}, ups))
    return written


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def prometheus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asked]:
    folder = tmp_path_factory.mktemp("filled")
    options = ("--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100y")
    async with RealPrometheus.start(folder, options=options) as server:
        asked = Asked(server.port)
        asked.write(_as_prometheus_would_have_it())
        yield asked
        asked.close()


@pytest.fixture(scope="session")
def store() -> SeriesStore:
    return filled_store()
