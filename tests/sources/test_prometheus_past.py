"""A long past of many series is read beside the loop, which polls meanwhile."""

import asyncio
import json
import time

from tests.sources.conftest import spec
from tests.wire.raw_server import RawServer, answering
from watchdog.core.spec import Endpoint, PrometheusApi
from watchdog.sources import open_past
from watchdog.wire.http import Wire

FIRST, MOMENTS, SERIES = 3600, 600, 40
BYTES = 20_000_000


def matrix() -> str:
    times = range(FIRST, FIRST + MOMENTS)
    rows = [
        {
            "metric": {"code": str(number), "slo_watchdog_part": part},
            "values": [[at, str(at)] for at in times],
        }
        for number in range(SERIES)
        for part in ("value", "at")
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}})


async def test_a_past_of_many_series_keeps_nobody_from_polling(wire: Wire) -> None:
    answer = await asyncio.to_thread(matrix)
    async with RawServer(answering(answer, "application/json")) as server:
        how = PrometheusApi(Endpoint(server.url), scraped_every_seconds=1.0)
        past = open_past(spec(how, deadline_seconds=5.0, max_bytes=BYTES), wire)
        assert past is not None
        whole, loops = time.process_time(), time.thread_time()
        found = await past.moments(["all_total"], FIRST, FIRST + MOMENTS - 1, 1.0)
        whole, loops = time.process_time() - whole, time.thread_time() - loops
    assert isinstance(found, tuple)
    assert len(found) == MOMENTS
    assert len(found[0].answers["all_total"].points) == SERIES
    assert loops < whole / 3, "the loop did the work itself"
