"""The alert rules and the dashboard that we ship, beside a daemon's page and a real Prometheus."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as plain

from tests.deploy.watching import (
    ALERTS,
    GIVEN_BY_PROMETHEUS,
    SCRAPE,
    Shipped,
    dashboard,
    of_alerts,
    of_dashboard,
    read,
)
from tests.real_parts import RealPrometheus
from tests.web.conftest import Paused
from watchdog.web.metrics import CATALOG, reference

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHIPPED = [*of_alerts(), *of_dashboard()]
EMPTY_HERE = {"panel Clock A"}
"""What has nothing to show of this watch: it asks for no clock."""


async def told_by_the_daemon(paused: Paused) -> dict[str, set[str]]:
    """Every series that its page has, or has a heading for, with its labels."""
    page = (await paused.watch.get("/metrics")).text
    found: dict[str, set[str]] = {"up": set()}
    for family in plain(page):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
        if not family.samples:  # nothing of it here, as of an Alertmanager that nobody named
            for metric in CATALOG.values():
                if metric.name.removesuffix("_total") == family.name:
                    found.setdefault(metric.name, set()).update(metric.labels)
    return found


def strangers(shipped: Shipped, known: Mapping[str, set[str]]) -> list[str]:
    """Metrics and labels of an expression that the daemon does not have."""
    wrong = [f"{shipped.where}: {name}" for name in shipped.metrics if name not in known]
    wrong += [
        f"{shipped.where}: {name}{{{label}}}"
        for name, label, _, _ in shipped.matchers
        if label not in GIVEN_BY_PROMETHEUS | known.get(name, set())
    ]
    reachable = GIVEN_BY_PROMETHEUS.union(*(known.get(name, set()) for name in shipped.metrics))
    return wrong + [f"{shipped.where}: {label}" for label in shipped.labels - reachable]


async def test_every_metric_and_label_that_they_name_is_the_daemons(paused: Paused) -> None:
    known = await told_by_the_daemon(paused)
    assert [wrong for one in SHIPPED for wrong in strangers(one, known)] == []
    assert len({name for one in SHIPPED for name in one.metrics}) > 30


async def test_every_value_that_they_name_is_a_word_of_the_daemons() -> None:
    words = reference()
    for one in SHIPPED:
        for name, label, how, value in one.matchers:
            if label not in GIVEN_BY_PROMETHEUS:
                row = next(line for line in words.splitlines() if line.startswith(f"| `{label}` |"))
                known = row.replace("|", ",").replace(" ", "").split(",")
                for word in value.split("|"):
                    assert word in known, f"{one.where}: {name}{{{label}{how}{value!r}}}"


@pytest.mark.parametrize(
    "spoilt",
    [
        Shipped("x", "slo_watchdog_journal_stack == 1"),
        Shipped("x", 'slo_watchdog_episodes_open{stat="latched"} > 0'),
        Shipped("x", "sum by (acton) (slo_watchdog_action_ready) == 0"),
        Shipped("x", "slo_watchdog_action_ready == 0", "{{ $labels.rule }}"),
    ],
)
async def test_a_name_that_is_not_there_is_seen(paused: Paused, spoilt: Shipped) -> None:
    assert strangers(spoilt, await told_by_the_daemon(paused)) != []


async def test_a_real_prometheus_answers_each_of_them(paused: Paused, tmp_path: Path) -> None:
    groups = read(ALERTS)["groups"]
    (job,) = read(SCRAPE)["scrape_configs"]
    targets = [f"{paused.watch.url}/metrics"]
    async with (
        RealPrometheus.start(
            tmp_path, targets=targets, rules=groups, job=job["job_name"]
        ) as prometheus,
        httpx.AsyncClient(base_url=prometheus.url, trust_env=False) as client,
    ):

        async def answer(expr: str) -> list[dict[str, Any]]:
            told = (await client.get("/api/v1/query", params={"query": expr})).json()
            assert told["status"] == "success", (expr, told)
            found: list[dict[str, Any]] = told["data"]["result"]
            return found

        async with asyncio.timeout(20):
            # It has no event for what is waited for.
            while not await answer("rate(slo_watchdog_passes_total[1m]) > 0"):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        empty = {one.where for one in of_dashboard() if not await answer(one.asked)}
        shown = {
            alert["labels"]["alertname"]
            for alert in (await client.get("/api/v1/alerts")).json()["data"]["alerts"]
        }
        rules = (await client.get("/api/v1/rules")).json()["data"]["groups"]
        for variable in dashboard()["templating"]["list"][1:]:
            label = variable["definition"].removesuffix(")").rpartition(", ")[2]
            assert (await client.get(f"/api/v1/label/{label}/values")).json()["data"]
    assert empty == EMPTY_HERE
    health = {rule["name"]: rule["health"] for group in rules for rule in group["rules"]}
    assert set(health.values()) == {"ok"}, health
    # Of this watch: a rule is blind, one is held, a hold stands, a drill is overdue, a check of a
    # rollback failed; no more.
    assert shown <= {
        "SloWatchdogDrillOverdue",
        "SloWatchdogRuleBlind",
        "SloWatchdogEpisodesHeld",
        "SloWatchdogStoppedForLong",
        "SloWatchdogActionUnproven",
        "SloWatchdogVerificationFailed",
    }
    assert "SloWatchdogRuleBlind" in shown
