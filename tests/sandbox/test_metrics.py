"""The counters: real traffic in simulated form, whose every number is known beforehand."""

import asyncio
import time
from pathlib import Path

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from watchdog.sandbox import workload as workloads
from watchdog.sandbox.handle import Sandbox

FAILED = "redemption_requests_total{500}"


def samples_of(page: str) -> dict[str, float]:
    """Every sample of a page, named by its series' name and its `code` or `le`."""
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            mark = sample.labels.get("code") or sample.labels.get("le")
            found[f"{sample.name}{{{mark}}}" if mark else sample.name] = sample.value
    return found


async def scrape(sandbox: Sandbox, web: httpx.AsyncClient) -> dict[str, float]:
    return samples_of((await web.get(sandbox.metrics_url)).text)


async def test_requests_flow_at_the_stated_rate(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    await sandbox.set_traffic(rate_per_second=1000)
    before, began = await scrape(sandbox, web), time.monotonic()
    await asyncio.sleep(0.3)
    after, ended = await scrape(sandbox, web), time.monotonic()

    flowed = after["redemption_quote_seconds_count"] - before["redemption_quote_seconds_count"]
    assert 300 <= flowed <= 1000 * (ended - began) + 100
    assert after["process_start_time_seconds"] <= time.time()


async def test_errors_begin_at_a_known_instant(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    assert FAILED not in await scrape(sandbox, web)  # not born yet

    broken_at = await sandbox.break_redemption(0.5)
    await asyncio.sleep(0.2)
    seen, now = await scrape(sandbox, web), time.time()

    assert sandbox.errors_began_at == broken_at
    assert sandbox.workload.counts_at_epoch(broken_at).bad == 0
    expected = sandbox.workload.counts_at_epoch(now)
    assert 0 < seen[FAILED] <= expected.error_500

    await sandbox.mend_redemption()
    assert (await sandbox.state())["errors_began_at"] is None
    mended = await scrape(sandbox, web)
    await asyncio.sleep(0.05)
    assert (await scrape(sandbox, web))[FAILED] == mended[FAILED]


async def test_no_traffic_flows_while_redemption_is_off(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    await sandbox.break_redemption()
    await sandbox.change_flag_behind_its_back(enabled=False)
    paused = await scrape(sandbox, web)
    await asyncio.sleep(0.1)
    assert await scrape(sandbox, web) == paused

    await sandbox.change_flag_behind_its_back(enabled=True)
    await asyncio.sleep(0.1)
    resumed = await scrape(sandbox, web)
    assert resumed["redemption_quote_seconds_count"] > paused["redemption_quote_seconds_count"]


async def test_error_series_can_be_there_from_the_start(
    tmp_path: Path, web: httpx.AsyncClient
) -> None:
    async with Sandbox.start(tmp_path, error_series_from_start=True) as sandbox:
        assert (await scrape(sandbox, web))[FAILED] == 0


async def test_a_restarted_app_counts_from_zero_and_stays_broken(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    await sandbox.set_traffic(rate_per_second=10_000)
    await sandbox.break_redemption()
    before = await scrape(sandbox, web)
    await asyncio.sleep(1.0)
    counted = (await scrape(sandbox, web))["redemption_quote_seconds_count"]

    await sandbox.set_traffic(rate_per_second=10)
    await sandbox.restart_app()

    after = await scrape(sandbox, web)
    assert after["redemption_quote_seconds_count"] < counted
    assert after["process_start_time_seconds"] > before["process_start_time_seconds"]
    assert sandbox.workload.now.error_ratio == 0.5


async def test_slow_quotes_leave_the_fast_buckets(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    fast = "redemption_quote_seconds_bucket{0.1}"
    seen = await scrape(sandbox, web)
    assert seen[fast] == seen["redemption_quote_seconds_count"]

    await sandbox.set_traffic(latency_seconds=0.8, rate_per_second=1000)
    await asyncio.sleep(0.2)
    slow = await scrape(sandbox, web)
    served = slow["redemption_quote_seconds_count"] - seen["redemption_quote_seconds_count"]
    assert slow[fast] - seen[fast] < served * 0.2


async def test_openmetrics_when_asked(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    await sandbox.break_redemption()
    await asyncio.sleep(0.1)
    wanted = {"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    answer = await web.get(sandbox.metrics_url, headers=wanted)

    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    # The library ships no type for its OpenMetrics parser.
    families = {family.name: family for family in openmetrics(answer.text)}  # type: ignore[no-untyped-call]
    assert families["redemption_requests"].type == "counter"
    assert families["redemption_quote_seconds"].type == "histogram"


async def test_many_unrelated_series(tmp_path: Path, web: httpx.AsyncClient) -> None:
    async with Sandbox.start(tmp_path, unrelated_series=5000) as sandbox:
        page = (await web.get(sandbox.metrics_url)).text
    assert page.count("mycelia_gossip_messages_total{") == 5000


async def test_a_metrics_process_of_its_own_dies_and_hangs_alone(
    tmp_path: Path, web: httpx.AsyncClient
) -> None:
    async with Sandbox.start(tmp_path, metrics_process=True) as sandbox:
        flag = f"{sandbox.url}/api/feature-flags/btc_mainnet_redemption"
        await sandbox.break_redemption()
        await asyncio.sleep(0.1)
        assert (await scrape(sandbox, web))[FAILED] > 0

        sandbox.metrics.pause()
        try:
            await web.get(sandbox.metrics_url, timeout=0.3)
            raise AssertionError("a stopped process answered")
        except httpx.ReadTimeout:
            pass
        assert (await web.get(flag)).is_success
        sandbox.metrics.resume()

        await sandbox.metrics.kill()
        try:
            await web.get(sandbox.metrics_url)
            raise AssertionError("a dead process answered")
        except httpx.TransportError:
            pass
        assert (await web.get(flag)).is_success

        await sandbox.start_metrics()
        assert (await scrape(sandbox, web))[FAILED] > 0


def test_counters_never_decrease_and_add_up() -> None:
    segment = workloads.Segment(0.0, 333.3, 0.0, 0.02, flowing=True)
    traffic = workloads.Workload(0.0, 0.0, (segment,))
    traffic = traffic.changed(3.1, error_ratio=0.37).changed(5.7, flowing=False)
    traffic = traffic.changed(6.2, flowing=True, latency_seconds=0.3)

    earlier = traffic.counts(0.0)
    for step in range(1, 2000):
        counts = traffic.counts(step * 0.005)
        assert counts.ok >= earlier.ok
        assert counts.error_500 >= earlier.error_500
        assert counts.error_503 >= earlier.error_503
        ladder = (*counts.within, counts.total)
        assert list(ladder) == sorted(ladder)
        assert all(a >= b for a, b in zip(counts.within, earlier.within, strict=True))
        earlier = counts
    assert traffic.counts(5.7) == traffic.counts(6.2)


async def test_a_workload_survives_the_file(tmp_path: Path) -> None:
    segment = workloads.Segment(1.0, 10.0, 0.5, 0.02, flowing=True)
    traffic = workloads.Workload(100.0, 1.0, (segment,)).changed(2.0, error_ratio=0.0)
    workloads.save(tmp_path / "workload.json", traffic)

    assert workloads.load(tmp_path / "workload.json") == traffic
    assert workloads.load(tmp_path / "none.json") is None


async def test_a_page_is_served_without_nagles_delay(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    took = []
    for _ in range(20):
        began = time.monotonic()
        await scrape(sandbox, web)
        took.append(time.monotonic() - began)
    assert min(took) < 0.035  # the delayed acknowledgement alone takes 40 ms
