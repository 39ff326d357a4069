"""The same past from a real Prometheus: the same decisions, and nothing is asked for twice."""

import asyncio
import os
import socket
import subprocess
import time
from array import array
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from tests.lab.backtest.past import BEGAN, EVERY, SPAN, counters, openmetrics, policy, rules_folder
from tests.real_parts.prometheus import RealPrometheus
from tests.real_parts.server import program
from watchdog.core.spec import Endpoint
from watchdog.lab.backtest import Settings, Stage, replay
from watchdog.lab.backtest.run import Run
from watchdog.lab.history import Bad, Cache, PrometheusHistory, Span, read_openmetrics
from watchdog.lab.history.prometheus import narrowed
from watchdog.lab.history.tracks import Track, Wanted
from watchdog.sources.prometheus_range import slices
from watchdog.wire.secrets import FileSecrets

RULES = """\
version: 1
rules:
  embedded:
    severity: P0
    source: app
    threshold:
      {bad: 'requests_total{code="500"}', total: requests_total, over: 5m, breach_when: "> 10%"}
    for: 1m
  asked:
    severity: P1
    source: prom
    slo:
      objective: 99.9%
      bad: requests_total{code="500"}
      total: requests_total
      burn: [{budget: 2%, long: 1h, short: 5m}]
  evaluated:
    severity: P2
    source: prom
    threshold: {expr: "avg_over_time(queue_length[100s]) * 2", breach_when: "> 50"}
    for: 1m
"""


def backfilled(folder: Path, values: Callable[[int], dict[str, float]] = counters) -> None:
    past, blocks = openmetrics(folder / "h.om", values), folder / "prometheus" / "data"
    tool = program("promtool", "prometheus")
    blocks.mkdir(parents=True)
    subprocess.run(
        [tool, "tsdb", "create-blocks-from", "openmetrics", str(past), str(blocks)],
        check=True,
        capture_output=True,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A Prometheus with the past in its store."""
    folder = tmp_path_factory.mktemp("prometheus")
    backfilled(folder)
    options = ["--storage.tsdb.retention.time=100y"]
    async with RealPrometheus.start(folder, options=options) as prometheus:
        yield prometheus.url


def history(url: str, cache: Path | None) -> PrometheusHistory:
    endpoints = dict.fromkeys(["app", "prom"], Endpoint(url))
    kept = Cache(cache) if cache is not None else None
    return PrometheusHistory(endpoints, ["prom"], kept, FileSecrets([]))


def backtest(url: str, rules: Path, cache: Path | None) -> tuple[Run, int]:
    settings = Settings()
    stage = Stage.of(policy(rules), settings, evaluated_here=False)
    with history(url, cache) as past:
        return replay(stage, past, SPAN, settings), past.asked


def facts(run: Run) -> set[tuple[str, float, float | None, float | None]]:
    return {(f.rule, f.opened_at, f.fired_at, f.recovered_at) for f in run.firings}


def test_it_decides_what_the_file_decides_and_asks_once(url: str, tmp_path: Path) -> None:
    rules = rules_folder(tmp_path / "r", RULES)
    asked, number = backtest(url, rules, tmp_path / "cache")
    settings = Settings()
    from_file = replay(
        Stage.of(policy(rules), settings),
        read_openmetrics(openmetrics(tmp_path / "h"), None),
        SPAN,
        settings,
    )
    assert facts(asked) == facts(from_file)
    assert {rule for rule, *_ in facts(asked)} == {"embedded", "asked", "evaluated"}
    assert number > 0

    again, number = backtest(url, rules, tmp_path / "cache")
    assert number == 0, "all of it is kept"
    assert facts(again) == facts(asked)


def two_jobs(step: int) -> dict[str, float]:
    """`api` as it was, and `batch`, whose requests always fail."""
    told = {
        f'{name[:-1]},job="api"}}': value for name, value in counters(step).items() if "{" in name
    }
    failing = {
        f'requests_total{{code="{c}",job="batch"}}': n * step for c, n in (("200", 0), ("500", 9))
    }
    return {**told, **failing}


async def test_of_a_shared_api_an_embedded_source_is_what_its_matchers_say(tmp_path: Path) -> None:
    rules = rules_folder(tmp_path / "r", RULES.partition("  asked:")[0])
    settings = Settings()
    alone = replay(
        Stage.of(policy(rules), settings),
        read_openmetrics(openmetrics(tmp_path / "h"), None),
        SPAN,
        settings,
    )
    assert facts(alone)
    backfilled(tmp_path, two_jobs)
    options = ["--storage.tsdb.retention.time=100y"]
    async with RealPrometheus.start(tmp_path, options=options) as prometheus:
        url = prometheus.url
        mixed, told = await asyncio.to_thread(_both, url, rules, tmp_path / "cache")
    assert facts(told) == facts(alone)
    assert facts(mixed) != facts(alone)


def _both(url: str, rules: Path, cache: Path) -> tuple[Run, Run]:
    """Without a matcher, and with one; of one cache."""
    stage = Stage.of(policy(rules), Settings(), evaluated_here=False)
    with history(url, cache) as past:
        mixed = replay(stage, past, SPAN, Settings())
        past.matching["app"] = 'job="api"'
        return mixed, replay(stage, past, SPAN, Settings())


@pytest.mark.parametrize(
    ("selector", "narrowed_to"),
    [
        ("x", 'x{job="a"}'),
        ("x{}", 'x{job="a"}'),
        ('x{b="}"}', 'x{b="}",job="a"}'),
        ('{__name__=~"x|y"}', '{__name__=~"x|y",job="a"}'),
    ],
)
def test_a_selector_is_narrowed(selector: str, narrowed_to: str) -> None:
    assert narrowed(selector, 'job="a"') == narrowed_to
    assert narrowed(selector, "") == selector


def test_a_cache_above_its_limit_lets_go_what_was_unused_for_longest(tmp_path: Path) -> None:
    chance = Random(5)  # noqa: S311  # no secret: what zlib cannot shorten
    values = array("d", [chance.random() for _ in range(500)])
    track = Track("x", (), array("d", range(500)), values)

    def size() -> int:
        return sum(path.stat().st_size for path in tmp_path.rglob("*.slice"))

    Cache(tmp_path).put(["size"], [track])
    one = size()
    limit = 10 * one + one // 2
    cache = Cache(tmp_path, limit)
    for number in range(9):
        cache.put([number], [track])
        for path in tmp_path.rglob("*.slice"):  # an hour later
            at = path.stat().st_mtime - 3600
            os.utime(path, (at, at))
    assert cache.get([0]) is not None, "it was used a moment ago"
    cache.put(["more"], [track])
    assert size() <= limit
    assert cache.get([0]) is not None
    assert cache.get(["more"]) is not None
    assert cache.get(["size"]) is None
    assert cache.get([8]) is not None
    assert Cache(tmp_path, limit).get([1]) is None


def test_a_damaged_slice_is_read_anew(url: str, tmp_path: Path) -> None:
    rules, cache = rules_folder(tmp_path / "r", RULES), tmp_path / "cache"
    first, number = backtest(url, rules, cache)
    kept = sorted(cache.rglob("*.slice"))
    assert len(kept) == number
    whole = kept[0].read_bytes()
    kept[0].write_bytes(whole[: len(whole) // 2])  # cut off
    kept[1].write_bytes(kept[1].read_bytes()[:-1] + b"!")  # a byte is another one
    kept[2].write_bytes(whole)  # of another query
    again, number = backtest(url, rules, cache)
    assert number == 3
    assert facts(again) == facts(first)


def test_a_run_that_was_cut_off_goes_on(url: str, tmp_path: Path) -> None:
    wanted = Wanted("prom", 0.25, ("queue_length",), 10)  # many slices
    span = Span(BEGAN, BEGAN + EVERY * 900)
    with history(url, tmp_path / "cache") as past:
        for number, _ in enumerate(past.slices(wanted, span)):
            if number == 1:
                break
        before = past.asked
    with history(url, tmp_path / "cache") as past:
        total = sum(1 for _ in past.slices(wanted, span))
        assert past.asked == 2 * total - before


@pytest.mark.parametrize("kept", [True, False], ids=["with a cache", "without one"])
def test_an_api_that_hangs_ends_the_run_within_its_deadline(tmp_path: Path, *, kept: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        endpoints = {"prom": Endpoint(url)}
        began = time.monotonic()
        with (
            PrometheusHistory(
                endpoints,
                ["prom"],
                Cache(tmp_path) if kept else None,
                FileSecrets([]),
                deadline_seconds=0.2,
                pauses_seconds=(0.01, 0.01),
            ) as past,
            pytest.raises(Bad) as refused,
        ):
            list(past.slices(Wanted("prom", 15.0, ("up",), 10), SPAN))
    assert time.monotonic() - began < 10
    assert "(asked 3 times): while" in str(refused.value)
    assert ("the same command goes on from there" in str(refused.value)) is kept


def test_more_series_than_the_sources_limit_end_the_run(url: str, tmp_path: Path) -> None:
    wanted = Wanted("prom", 15.0, ("requests_total",), 1)
    with history(url, tmp_path) as past, pytest.raises(Bad, match="2 series, more than 1"):
        list(past.slices(wanted, SPAN))


def test_no_slice_has_more_points_than_an_answer_may_hold() -> None:
    for step in (0.25, 1.0, 5.0, 7.0, 15.0, 3600.0):
        found = list(slices(BEGAN, BEGAN + 500_000 * step, step))
        assert all((last - first) / step < 11_000 for first, last in found)
        nexts = pairwise(found)
        assert all(round((b[0] - a[1]) / step, 6) == 1 for a, b in nexts), "no step twice, no hole"
