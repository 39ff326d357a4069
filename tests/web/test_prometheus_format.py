"""Rules and alerts in the words of the real Prometheus, compared with what it answers itself."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real_parts import RealPrometheus
from tests.web.conftest import MARKUP, Paused
from tests.web.policies import AVAILABILITY, ERROR_RATE, ODD, QUIET
from watchdog.core.alerts import alerts_of
from watchdog.core.promql import check
from watchdog.core.words import Status
from watchdog.web.prometheus_api import query

pytestmark = pytest.mark.asyncio(loop_scope="session")

THEIRS = {
    "name": "theirs",
    "rules": [
        {
            "alert": "always",
            "expr": "vector(1) > 0",
            "labels": {"severity": "P0"},
            "annotations": {"summary": "It burns"},
        },
        {"alert": "broken", "expr": "vector(1) * on(a) group_left vector(time()) / 0 > 0"},
    ],
}


async def rules(paused: Paused, kind: str = "") -> dict[str, Any]:
    answer = await paused.watch.get(f"/api/v1/rules{kind}")
    return {rule["name"]: rule for g in answer.json()["data"]["groups"] for rule in g["rules"]}


async def test_what_lists_the_rules_of_prometheus_can_list_ours(
    paused: Paused, tmp_path: Path
) -> None:
    ours = (await paused.watch.get("/api/v1/rules")).json()
    our_alerts = (await paused.watch.get("/api/v1/alerts")).json()
    async with (
        RealPrometheus.start(tmp_path, rules=[THEIRS]) as prometheus,
        httpx.AsyncClient(base_url=prometheus.url, trust_env=False) as client,
    ):
        theirs: dict[str, Any] = {}
        async with asyncio.timeout(15):
            while not theirs.get("alerts"):
                theirs = (await client.get("/api/v1/alerts")).json()["data"]
        real = (await client.get("/api/v1/rules")).json()
    assert ours.keys() == real.keys() == our_alerts.keys()
    assert ours["data"].keys() == real["data"].keys()
    assert our_alerts["data"].keys() == theirs.keys()
    same_shape(ours["data"]["groups"][0], real["data"]["groups"][0])
    firing = next(r for g in ours["data"]["groups"] for r in g["rules"] if r["alerts"])
    same_shape(firing, real["data"]["groups"][0]["rules"][0])
    same_shape(firing["alerts"][0], theirs["alerts"][0])
    same_shape(our_alerts["data"]["alerts"][0], theirs["alerts"][0])


def same_shape(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """The same keys, with values of the same type."""
    assert set(ours) - {"lastError"} == set(theirs) - {"lastError"}
    for key, value in theirs.items():
        numbers = isinstance(value, int | float) and isinstance(ours[key], int | float)
        assert numbers or type(ours[key]) is type(value), key


async def test_an_owners_file_is_a_group(paused: Paused) -> None:
    answer = (await paused.watch.get("/api/v1/rules")).json()
    assert [(group["name"], group["file"]) for group in answer["data"]["groups"]] == [
        ("platform-team", "platform-team/rules.yaml"),
        ("redemption-team", "redemption-team/rules.yaml"),
    ]


async def test_a_contained_breach_is_firing_with_what_a_person_needs(paused: Paused) -> None:
    rule = (await rules(paused))[ERROR_RATE.name]
    assert (rule["state"], rule["type"], rule["duration"]) == ("firing", "alerting", 1.0)
    [alert] = rule["alerts"]
    assert alert["labels"] == told_alertmanager(paused)[ERROR_RATE.name]
    assert rule["labels"].items() < alert["labels"].items()
    assert (alert["labels"]["team"], alert["labels"]["severity"]) == ("redemption", "P0")
    assert rule["annotations"]["mode"] == "armed"
    assert alert["annotations"]["summary"] == "Redemptions fail"
    assert alert["annotations"]["runbook"] == "docs/runbooks/redemption.md"
    assert alert["annotations"]["episode"].startswith(f"{paused.episode} is contained")
    float(alert["value"])  # a number as text, as there
    assert alert in (await paused.watch.get("/api/v1/alerts")).json()["data"]["alerts"]


def told_alertmanager(paused: Paused) -> dict[str, dict[str, str]]:
    """With which labels, by alertname."""
    engine = paused.watch.engine
    now = engine.ports.clock.now()
    told = alerts_of(engine.book, engine.in_force(), now, 300.0).firing
    return {dict(labels)["alertname"]: dict(labels) for labels in told}


async def test_a_rule_with_an_alertname_of_its_own_is_listed_by_it(paused: Paused) -> None:
    rule = (await rules(paused))["RedemptionErrors"]
    told = {"rule": AVAILABILITY.name, "severity": "critical", "watchdog": "slo-watchdog"}
    assert told.items() < rule["labels"].items()
    assert not {"alertname", "world", "problem", "mode"} & rule["labels"].keys()


async def test_blind_is_unknown_or_an_error_and_never_a_state(paused: Paused) -> None:
    await paused.markup_is_read()

    def quiet() -> bool:
        verdict = paused.watch.engine.memory.verdict(QUIET.name)
        return verdict is not None and verdict.status is Status.HEALTHY

    await paused.watch.until(quiet)
    found = await rules(paused)
    odd = found[ODD.name]
    assert (odd["state"], odd["health"], odd["alerts"]) == ("inactive", "err", [])
    assert odd["lastError"].startswith("odd_answer: ")
    assert MARKUP in odd["lastError"]
    assert (found[QUIET.name]["health"], found[QUIET.name]["state"]) == ("ok", "inactive")
    assert "lastError" not in found[QUIET.name]


async def test_there_are_no_recording_rules(paused: Paused) -> None:
    assert await rules(paused, "?type=record") == {}
    assert len(await rules(paused, "?type=alert")) == 5
    wrong = await paused.watch.get("/api/v1/rules?type=none")
    assert (wrong.status_code, wrong.json()["status"]) == (400, "error")


async def test_the_query_is_one_that_can_be_asked(paused: Paused, tmp_path: Path) -> None:
    assert query(AVAILABILITY).count(" and ") == 2
    assert "> 0.0144 and " in query(AVAILABILITY)
    check(query(ERROR_RATE).partition(" > ")[0])
    async with (
        RealPrometheus.start(tmp_path) as prometheus,
        httpx.AsyncClient(base_url=prometheus.url, trust_env=False) as client,
    ):
        for rule in paused.watch.engine.in_force().rules.values():
            answer = await client.get("/api/v1/query", params={"query": query(rule)})
            assert answer.json()["status"] == "success", query(rule)
