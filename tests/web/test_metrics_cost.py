"""500 rules: telling of them costs little, and the loop gets its turns meanwhile."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from tests.web.policies import AVAILABILITY, policy
from tests.web.watching import watching
from watchdog.core.samples import Answer, Point, Reading
from watchdog.core.spec import Endpoint, PrometheusApi, SourceSpec
from watchdog.core.words import Instant
from watchdog.engine import Views
from watchdog.web.metrics import CATALOG, Meters, encoded, families
from watchdog.web.policy_load import PolicyLoad

RULES = 500
APP = SourceSpec(
    "app", 0.5, 1.0, 4_000_000, 10_000, PrometheusApi(Endpoint("http://127.0.0.1:1"), 0.5)
)


async def test_500_rules_are_told_of_without_holding_the_loop(tmp_path: Path) -> None:
    rules = tuple(replace(AVAILABILITY, name=f"rule-{n}") for n in range(RULES))
    async with watching(tmp_path, policy({"app": APP}, rules), runs=False) as watch:
        judge_twice(watch.engine.arrived, watch.engine.ports.clock.now())
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(others())
        began = time.process_time()
        page, _ = await encoded(families(Views(watch.engine), Meters(), PolicyLoad()), "text/plain")
        took = time.process_time() - began
        beside.cancel()
    lines = [line for line in page.splitlines() if not line.startswith(b"#")]
    assert sum(line.startswith(b"slo_watchdog_rule_burn{") for line in lines) == RULES * 4
    assert turns >= len(CATALOG)  # one for each family
    assert took < 1.0  # about 0.1 s where it is quiet


def judge_twice(arrived: object, now: Instant) -> None:
    """Two readings, so that every rule has its four windows."""
    assert callable(arrived)
    for ago, count in ((1.0, 0.0), (0.0, 1000.0)):
        at = now.plus(-ago)
        answers = {
            text: Answer((Point((), count, at.wall),), at.wall)
            for text in (
                'redemption_requests_total{code=~"5.."}',
                "redemption_requests_total",
            )
        }
        arrived(Reading("app", at, 0.01, answers=answers))
