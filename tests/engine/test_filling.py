"""Windows are filled from a metrics system's history, beside the watch and never before it."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.engine.house import House, living, peg, policy
from tests.real_parts import RealPrometheus
from tests.real_parts.backfill import backfill
from tests.wire.raw_server import Behaviour, RawServer, answering, hangs
from watchdog.core.entries import RuleCleared, WindowsFilled, WindowsUnfilled
from watchdog.core.spec import (
    BurnPair,
    Counters,
    Endpoint,
    PrometheusApi,
    RuleSpec,
    Slo,
    SourceSpec,
)
from watchdog.core.words import Mode, Status, Verdict
from watchdog.engine import Progress, Views
from watchdog.engine.filling import FIRST_PAUSE_SECONDS
from watchdog.sandbox.handle import Sandbox

DAY = 86400.0
EVERY = 15
SELECTOR = "requests_total"
COUNTERS = Counters(f'{SELECTOR}{{code="500"}}', SELECTOR)
PAIRS = (BurnPair(0.02, 3600.0, 300.0, 14.4), BurnPair(0.1, 2 * DAY, 6 * 3600.0, 1.0))


def slo(name: str = "availability") -> RuleSpec:
    return peg(
        name,
        source="prom",
        signal=Slo(COUNTERS, 0.99, 30 * DAY, PAIRS),
        every_seconds=float(EVERY),
        stale_after_seconds=4.0 * EVERY,
        for_seconds=0.0,
        mode=Mode.OBSERVE,
        playbook=None,
    )


def prom(url: str, **limits: int) -> SourceSpec:
    how = PrometheusApi(Endpoint(url), scraped_every_seconds=float(EVERY))
    return SourceSpec(
        "prom", 0.3, 1.0, limits.get("max_bytes", 10_000_000), limits.get("max_series", 50), how
    )


def progress(house: House) -> Progress | None:
    return house.engine.filling.progress.get("prom")


def verdict(house: House, rule: str = "availability") -> Verdict | None:
    return house.engine.memory.verdict(rule)


async def test_three_days_of_a_real_prometheus_are_there_soon_after_the_start(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    end = int(time.time()) // EVERY * EVERY + 8 * EVERY  # it goes on while we look
    polls = round(3 * DAY) // EVERY
    growth = {("200", "a"): 190, ("200", "b"): 200, ("500", "a"): 1, ("500", "b"): 1}
    series = {
        f'{SELECTOR}{{code="{code}",instance="{instance}"}}': range(0, polls * step, step)
        for (code, instance), step in growth.items()
    }
    start = end - (polls - 1) * EVERY
    await asyncio.to_thread(
        backfill, tmp_path / "prometheus" / "data", series, start=start, step_seconds=EVERY
    )
    kept = ("--storage.tsdb.retention.time=100d",)
    async with RealPrometheus.start(tmp_path, options=kept) as prometheus:
        rules = policy(sandbox, slo(), sources=[prom(prometheus.url)])
        async with living(tmp_path, sandbox, rules) as house:
            await house.until(lambda: house.entries(WindowsFilled), "windows filled")
            (filled,) = house.entries(WindowsFilled)
            assert (filled.rule, filled.seconds) == ("availability", 2 * DAY)
            assert filled.coverage_before < 0.01
            assert filled.coverage == 1.0
            await house.until(lambda: house.entries(RuleCleared), "a healthy verdict on all of it")
            found = verdict(house)
            assert found is not None
            assert found.status is Status.HEALTHY
            for window in found.evidence:
                assert window.coverage == 1.0
                assert window.ratio == pytest.approx(2 / 392, rel=5e-3)
                assert window.total == pytest.approx(392 * window.seconds / EVERY, rel=5e-3)
            (shown,) = Views(house.engine).sources()
            assert shown["history"] is not None
            assert shown["history"]["filled"] == shown["history"]["rules"] == 1
            assert shown["history"]["over"]


def api(ranges: Behaviour) -> Behaviour:
    """Answers instant queries with counters that grow, and range queries in one way."""

    async def answer(server: RawServer, writer: asyncio.StreamWriter) -> None:
        target = urlsplit(server.requests[-1].split()[1])
        if target.path.endswith("query_range"):
            await ranges(server, writer)
            return
        at = float(parse_qs(target.query)["time"][0])
        rows = [
            {
                "metric": {"code": "200", "slo_watchdog_part": part},
                "value": [at, str(at if part == "at" else 100 * at)],
            }
            for part in ("value", "at")
        ]
        document = {"status": "success", "data": {"resultType": "vector", "result": rows}}
        await answering(json.dumps(document), "application/json")(server, writer)

    return answer


async def test_a_history_that_hangs_delays_neither_the_first_verdict_nor_the_end(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with RawServer(api(hangs)) as server:
        rules = policy(sandbox, slo(), sources=[prom(server.url)])
        began = time.monotonic()
        async with living(tmp_path, sandbox, rules) as house:
            await house.until(lambda: verdict(house) is not None, "a verdict")
            await house.until(
                lambda: (v := verdict(house)) is not None and v.status is Status.HEALTHY,
                "a healthy verdict",
            )
            at_work = progress(house)
            assert at_work is not None
            assert (at_work.rule, at_work.filled, at_work.over) == ("availability", 0, False)
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 2
        assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("ranges", "limits", "problem"),
    [
        (
            answering(
                '{"status":"error","errorType":"bad_data","error":"no"}',
                "application/json",
                status=400,
            ),
            {},
            "bad_data: no",
        ),
        (answering("<html>", "text/html"), {}, "text/html"),
        (answering(" " * 200_000, "application/json"), {"max_bytes": 50_000}, "50000"),
    ],
)
async def test_a_history_that_cannot_be_had_costs_coverage_only(
    sandbox: Sandbox,
    tmp_path: Path,
    ranges: Behaviour,
    limits: dict[str, int],
    problem: str,
) -> None:
    async with RawServer(api(ranges)) as server:
        names = [f"slo-{number}" for number in range(5)]
        rules = policy(sandbox, *map(slo, names), sources=[prom(server.url, **limits)])
        async with living(tmp_path, sandbox, rules) as house:
            await house.until(lambda: house.entries(WindowsUnfilled), "given up for now")
            (told,) = house.entries(WindowsUnfilled)
            assert (told.source, told.rules, told.tries) == ("prom", tuple(names), 1)
            assert told.again_seconds == FIRST_PAUSE_SECONDS
            ended = progress(house)
            assert ended is not None
            assert (ended.problem, ended.over) == (told.reason, False)
            assert (ended.filled, ended.failed) == (0, 3), "the others are not even tried"
            assert problem in ended.problem
            assert "given up after 3 rules in a row" in ended.problem
            await house.until(
                lambda: all(
                    (v := verdict(house, name)) is not None and v.status is Status.HEALTHY
                    for name in names
                ),
                "healthy verdicts",
            )
            assert not house.entries(WindowsFilled)
            found = verdict(house, names[0])
            assert found is not None
            assert found.evidence[0].coverage < 0.1


async def test_a_prometheus_that_comes_up_later_is_asked_again_and_fills_the_windows(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    end = int(time.time()) // EVERY * EVERY + 8 * EVERY
    polls = 7200 // EVERY
    series = {
        f'{SELECTOR}{{code="{code}"}}': range(0, polls * step, step)
        for code, step in (("200", 99), ("500", 1))
    }
    start = end - (polls - 1) * EVERY
    await asyncio.to_thread(
        backfill, tmp_path / "prometheus" / "data", series, start=start, step_seconds=EVERY
    )
    hour = replace(slo(), signal=Slo(COUNTERS, 0.99, DAY, PAIRS[:1]))
    async with RealPrometheus.start(tmp_path) as prometheus:
        await prometheus.process.stop()
        rules = policy(sandbox, hour, sources=[prom(prometheus.url)])
        async with living(tmp_path, sandbox, rules) as house:
            house.engine.filling.pauses_seconds = (0.2,) * 100
            house.engine.filling.begin()
            await house.until(lambda: len(house.entries(WindowsUnfilled)) > 1, "asked again")
            before, last_one = house.entries(WindowsUnfilled)[-2:]
            assert last_one.tries == before.tries + 1
            assert "connection refused" in last_one.reason
            await prometheus.start_again()
            await house.until(lambda: house.entries(WindowsFilled), "windows filled")
            (filled,) = house.entries(WindowsFilled)
            assert (filled.rule, filled.coverage) == ("availability", 1.0)
            await house.until(lambda: (p := progress(house)) is not None and p.over, "the end")
            last = progress(house)
            assert last is not None
            assert (last.filled, last.failed, last.problem) == (1, 0, "")
            assert last.tries > last_one.tries


async def test_a_source_that_never_answers_is_asked_so_often_and_then_left(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    refusal = '{"status":"error","errorType":"bad_data","error":"no"}'
    never = answering(refusal, "application/json", status=400)
    async with RawServer(api(never)) as server:
        rules = policy(sandbox, slo(), sources=[prom(server.url)])
        async with living(tmp_path, sandbox, rules) as house:
            filling = house.engine.filling
            assert sum(filling.pauses_seconds) < 5 * 3600
            assert list(filling.pauses_seconds) == sorted(filling.pauses_seconds)
            filling.pauses_seconds = (0.02, 0.02)
            filling.begin()
            await house.until(lambda: (p := progress(house)) is not None and p.over, "given up")
            told = house.entries(WindowsUnfilled)[-3:]
            assert [(one.tries, one.again_seconds) for one in told] == [
                (1, 0.02), (2, 0.02), (3, None),
            ]  # fmt: skip
            asked = sum("query_range" in request for request in server.requests)
            await asyncio.sleep(0.3)
            assert sum("query_range" in request for request in server.requests) == asked
