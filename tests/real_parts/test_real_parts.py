"""The real servers scrape the sandbox and do with it what they do in the world."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real_parts import (
    RealAlertmanager,
    RealPrometheus,
    RealServer,
    RealVictoriaMetrics,
    program,
)
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.processes import ProcessEndedError

FAILURES = 'redemption_requests_total{code="500"}'


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox.start(tmp_path / "mycelia", error_series_from_start=True) as running:
        yield running


async def query(server: RealServer, expression: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        answer = await client.get(f"{server.url}/api/v1/query", params={"query": expression})
    result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return result


async def until(
    server: RealServer, expression: str, holds: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """The first result of a query for which `holds` is true."""
    async with asyncio.timeout(20):
        while True:
            result = await query(server, expression)
            if holds(result):
                return result
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("maker", [RealPrometheus, RealVictoriaMetrics])
async def test_a_real_server_scrapes_the_sandbox_and_comes_back_after_a_death(
    sandbox: Sandbox, tmp_path: Path, maker: type[RealPrometheus | RealVictoriaMetrics]
) -> None:
    async with maker.start(
        tmp_path, targets=[sandbox.metrics_url], scrape_interval="500ms", job="app"
    ) as server:
        await sandbox.break_redemption()
        (failures,) = await until(
            server, FAILURES, lambda result: bool(result) and float(result[0]["value"][1]) > 0
        )
        assert failures["metric"]["job"] == "app"
        buckets = await query(server, "redemption_quote_seconds_bucket")
        assert len({bucket["metric"]["le"] for bucket in buckets}) == 11

        await sandbox.app.kill()
        await until(server, "up", lambda result: result[0]["value"][1] == "0")

        before = server.url
        await server.process.kill()
        with pytest.raises(httpx.TransportError):
            await query(server, "up")
        await server.start_again()
        assert server.url == before
        assert await query(server, "max_over_time(up[1m])")


async def test_a_real_alert_pauses_redemption_through_the_webhook(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    webhook = f"{sandbox.url}/api/feature-flags/btc_mainnet_redemption/alertmanager"
    failed = 'sum(rate(redemption_requests_total{code=~"5.."}[3s]))'
    ratio = f"{failed} / sum(rate(redemption_requests_total[3s]))"
    rule = {"alert": "RedemptionFails", "expr": f"{ratio} > 0.05"}
    async with (
        RealAlertmanager.start(tmp_path, webhook=webhook, token=sandbox.token) as alertmanager,
        RealPrometheus.start(
            tmp_path,
            targets=[sandbox.metrics_url],
            scrape_interval="250ms",
            rules=[{"name": "redemption", "rules": [rule]}],
            alertmanagers=[alertmanager.url],
        ) as prometheus,
    ):
        await until(prometheus, ratio, lambda result: bool(result) and result[0]["value"][1] == "0")
        broken_at = await sandbox.break_redemption()
        paused_at = await sandbox.flag_becomes(enabled=False, deadline_seconds=20)

    assert paused_at > broken_at
    assert sandbox.flag_changes(by="alertmanager") == 1


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ProcessEndedError, match="--no-such-option"):
        async with RealPrometheus.start(tmp_path, options=["--no-such-option"]):
            pass


def test_a_missing_program_is_an_error_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RuntimeError, match="install the Debian package nosuch-package"):
        program("nosuch-program", "nosuch-package")
