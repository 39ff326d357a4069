"""Who is affected is asked beside what is judged: it delays no rollback, whatever becomes of it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.engine.house import House, living, peg, policy
from tests.wire.raw_server import RawServer, answering
from watchdog.core.impact import Cost
from watchdog.core.spec import Bound, Endpoint, Impact, PrometheusApi, SourceSpec, ValueThreshold
from watchdog.core.words import Status
from watchdog.sandbox.handle import Sandbox

RATIO = ValueThreshold("sum(ratio)", Bound("<", 1.0, "< 1"))
SLOW = Impact("sum(slow)", grows=False, of="users")
SWIFT = Impact("sum(swift)", grows=False, of="carts")
DEADLINE_SECONDS = 0.8
FOR_SECONDS = 0.6


class Api:
    """Answers `value` to every query, except that whoever asks for `slow` waits for ever."""

    def __init__(self) -> None:
        self.value = 1.0
        self.slow_asked = self.slow_under_way = self.most_slow = 0

    async def __call__(self, server: RawServer, writer: asyncio.StreamWriter) -> None:
        form = parse_qs(urlsplit(server.requests[-1].split()[1]).query)
        query, at = form["query"][0], float(form["time"][0])
        if "slow" in query:
            self.slow_asked += 1
            self.slow_under_way += 1
            self.most_slow = max(self.most_slow, self.slow_under_way)
            await asyncio.sleep(DEADLINE_SECONDS)
            self.slow_under_way -= 1
        number = at if query.startswith("timestamp(") else self.value
        row = {"metric": {}, "value": [at, str(number)]}
        answer = {"status": "success", "data": {"resultType": "vector", "result": [row]}}
        await answering(json.dumps(answer), "application/json")(server, writer)


def cost(house: House, rule: str, since: float) -> Cost:
    return house.engine.memory.cost(rule, since)


async def test_an_impact_that_hangs_delays_no_rollback_and_hides_no_other(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    api = Api()
    async with RawServer(api) as server:
        how = PrometheusApi(Endpoint(server.url), scraped_every_seconds=0.1)
        prom = SourceSpec("prom", 0.1, DEADLINE_SECONDS, 1_000_000, 100, how)
        rules = [
            peg(name, source="prom", signal=RATIO, for_seconds=FOR_SECONDS, impact=impact)
            for name, impact in (("peg", SLOW), ("other", SWIFT))
        ]
        async with living(tmp_path, sandbox, policy(sandbox, *rules, sources=(prom,))) as house:
            await house.clear()
            broke, api.value = time.monotonic(), 0.9
            await house.until(lambda: sandbox.flag_changes() == 1, "the pause")
            assert time.monotonic() - broke < FOR_SECONDS + 0.7, "later than without an impact"
            await house.until(lambda: "no answer within" in cost(house, "peg", broke).reason)
            assert cost(house, "peg", broke).affected is None
            await house.until(lambda: cost(house, "other", broke).affected == 0.9)
            seen = house.engine.memory.statuses()
            assert seen == {"peg": Status.BREACHED, "other": Status.BREACHED}
            assert house.engine.memory.sources["prom"].missed <= 2
    assert api.most_slow == 1
    assert api.slow_asked <= 2, "what does not answer is asked again and again"
