"""One rule for many databases or flags: an episode for each, and each flag paused by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Refused, Watchdog
from tests.e2e.rulebook import TEAM
from tests.real_parts import RealPrometheus
from watchdog.core.entries import IntentEnded, MemberRetired, MemberTaken, Outcome
from watchdog.sandbox.handle import Sandbox

SATURATED = "database-saturated"
FLAGGED = "flag-errors"
LOW, HIGH = 20.0, 95.0


class Gauges:
    """A metrics page of one gauge, by one label; the numbers are set from outside."""

    def __init__(self, name: str, label: str) -> None:
        self.values: dict[str, float] = {}
        gauges = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # http.server asks for this name
                lines = [
                    f'{name}{{{label}="{who}"}} {value}\n' for who, value in gauges.values.items()
                ]
                body = "".join(lines).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/metrics"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def show(self, values: Mapping[str, float]) -> None:
        self.values = dict(values)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def databases() -> Iterator[Gauges]:
    gauges = Gauges("database_used_percent", "db")
    gauges.show({"orders": LOW, "users": LOW, "stock": LOW})
    yield gauges
    gauges.close()


@pytest.fixture
def flags() -> Iterator[Gauges]:
    gauges = Gauges("flag_errors_percent", "flag")
    gauges.show({"rewards_mainnet": LOW, "staking_slashing": LOW, "testnet_features": LOW})
    yield gauges
    gauges.close()


def db(name: str) -> str:
    return f'{SATURATED}{{db="{name}"}}'


def flag(name: str) -> str:
    return f'{FLAGGED}{{flag="{name}"}}'


@pytest.fixture
async def prometheus(tmp_path: Path, databases: Gauges) -> AsyncIterator[RealPrometheus]:
    server = RealPrometheus.start(tmp_path, targets=[databases.url], scrape_interval="500ms")
    async with server:
        yield server


@pytest.mark.sim
async def test_two_databases_saturate_and_one_recovers(
    watchdog: Watchdog, databases: Gauges, prometheus: RealPrometheus
) -> None:
    watchdog.rules.platform["sources"]["prom"] = {
        "prometheus": prometheus.url,
        "every": "500ms",
        "scraped_every": "500ms",
        "deadline": "500ms",
    }
    expr = "max by (db) (database_used_percent)"
    watchdog.rules.owners[TEAM] = {
        SATURATED: {
            "severity": "P2",
            "source": "prom",
            "threshold": {"expr": expr, "breach_when": "> 90"},
            "each": ["db"],
            "for": "1s",
            "stale_after": "3s",
            "on_blind": {"page_after": "2s"},
        }
    }
    await watchdog.start()
    await watchdog.verdict(SATURATED, "healthy")
    databases.show({"orders": HIGH, "users": HIGH, "stock": LOW})
    orders = await watchdog.episode(db("orders"), state="held")
    users = await watchdog.episode(db("users"), state="held")
    assert orders.id != users.id
    assert "2 of 3 breached" in await watchdog.verdict(SATURATED, "breached")
    alerts = json.loads(await watchdog.page("/api/v1/alerts"))["data"]["alerts"]
    assert {(one["labels"]["alertname"], one["labels"]["db"]) for one in alerts} == {
        (SATURATED, "orders"),
        (SATURATED, "users"),
    }

    databases.show({"orders": LOW, "users": HIGH, "stock": LOW})
    await watchdog.episode(db("orders"), state="ok")
    await watchdog.restart()
    databases.show({"orders": LOW, "stock": LOW})
    told = await watchdog.verdict(db("users"), "blind", "no_data")
    assert told == f'db="users" is not there: {expr} gives others'
    assert (await watchdog.episode(db("users"))).id == users.id, "blindness ended nothing"
    assert (await watchdog.episode(db("users"))).state == "held"
    await _is_shown(watchdog)
    assert {one.member for one in watchdog.entries(MemberTaken)} == {
        db("orders"),
        db("users"),
        db("stock"),
    }
    assert not watchdog.entries(MemberRetired)


async def _is_shown(watchdog: Watchdog) -> None:
    """To a person and to a machine, by the family's name and by the member's."""
    members = (await watchdog.why(SATURATED))["rule"]["members"]
    stand = {one["labels"]["db"]: one["status"] for one in members}
    assert stand == {"orders": "healthy", "stock": "healthy", "users": "blind"}
    unknown = await watchdog.command("why", db("user"))
    assert unknown.status != 0
    told = f"{SATURATED} has no member {db('user')}; the nearest is: {db('users')}"
    assert told in " ".join(unknown.output.split())
    status = (await watchdog.command("status")).output
    assert f'{db("users")}: db="users" is not there' in status
    page = await watchdog.page("/metrics")
    assert f'slo_watchdog_rule_members{{rule="{SATURATED}",status="healthy"}} 2.0' in page
    assert "db=" not in page, "no label set of a family becomes one of ours"
    assert 'db="users"' in (await watchdog.page(f"/rules/{SATURATED}")).replace("&#34;", '"')
    assert "is not there" in await watchdog.page(f"/rules/{db('users')}")
    assert db("users").replace('"', "&#34;") in await watchdog.page("/")


async def test_each_flag_is_paused_by_itself(
    sandbox: Sandbox, watchdog: Watchdog, flags: Gauges
) -> None:
    _watch_flags(watchdog, flags)
    await watchdog.on_guard()
    await watchdog.until("all are known", _three(watchdog))
    with pytest.raises(Refused, match="has no member"):
        await watchdog.order("hold", scope="rule", name=flag("nobody"), reason="a typo")

    flags.show({"rewards_mainnet": HIGH, "staking_slashing": LOW, "testnet_features": HIGH})
    paused = await watchdog.episode(flag("rewards_mainnet"), state="contained")
    assert paused.claims == (("flag:rewards_mainnet", False),)
    assert not sandbox.is_enabled("rewards_mainnet")
    assert sandbox.flag_changes("staking_slashing") == 0, "a flag by itself"

    told = await watchdog.episode(flag("testnet_features"), state="held")
    assert told.reason == "mode: no playbook: verdicts only"
    why = (await watchdog.why(flag("testnet_features")))["rule"]
    assert why["mode_reason"] == 'observe: pause-flag is not for flag="testnet_features"'
    assert watchdog.pages(f"{flag('testnet_features')} is breached")

    flags.show({"rewards_mainnet": HIGH, "staking_slashing": HIGH, "testnet_features": LOW})
    await watchdog.episode(flag("staking_slashing"), state="contained")
    assert not sandbox.is_enabled("staking_slashing")
    done = [one for one in watchdog.entries(IntentEnded) if one.outcome is Outcome.DONE]
    assert [one.action for one in done] == [
        'pause-flag{flag="rewards_mainnet"}',
        'pause-flag{flag="staking_slashing"}',
    ]
    assert sandbox.flag_changes("testnet_features") == 0

    flags.show({"rewards_mainnet": LOW, "staking_slashing": LOW, "testnet_features": LOW})
    await watchdog.order("undo", what='pause-flag{flag="rewards_mainnet"}', reason="mended")
    assert sandbox.is_enabled("rewards_mainnet")
    assert not sandbox.is_enabled("staking_slashing")


def _three(watchdog: Watchdog) -> Any:
    async def look() -> bool:
        members = (await watchdog.why(FLAGGED))["rule"]["members"]
        return len(members) == 3 and all(one["status"] == "healthy" for one in members)

    return look


def _watch_flags(watchdog: Watchdog, flags: Gauges) -> None:
    """Two flags may be paused, each by its own action; of a third the rule only tells."""
    rules, app = watchdog.rules, watchdog.rules.sandbox.url
    address = f"{app}/api/feature-flags/{{{{ flag }}}}"
    token = {"Authorization": {"secret": "governance", "prefix": "Bearer "}}

    def step(*, enabled: bool) -> dict[str, Any]:
        call = {"method": "PUT", "url": address, "headers": token, "json": {"enabled": enabled}}
        return {"call": call, "expect": f"enabled == `{str(enabled).lower()}`"}

    rules.platform["sources"]["flags"] = {
        "scrape": flags.url,
        "every": "250ms",
        "deadline": "500ms",
    }
    rules.platform["actions"]["pause-flag"] = {
        "each": {"flag": ["rewards_mainnet", "staking_slashing"]},
        "flag": "{{ flag }}",
        "read_back": {"get": address},
        "do": step(enabled=False),
        "undo": step(enabled=True),
        "contained_when": [
            {"get": f"{app}/ops/status.json", "expect": "featureFlags.{{ flag }} == `false`"}
        ],
        "deadline": "4s",
    }
    rules.platform["playbooks"]["flags"] = [
        {"action": "pause-flag", "mode": "armed", "within": "5s"}
    ]
    rules.platform["grants"][TEAM] += ["flags", "pause-flag"]
    rules.owners[TEAM] = {
        FLAGGED: {
            "severity": "P1",
            "runbook": "docs/runbooks/redemption.md",
            "source": "flags",
            "threshold": {"expr": "flag_errors_percent", "breach_when": "> 90"},
            "each": ["flag"],
            "for": "750ms",
            "stale_after": "2s",
            "playbook": "flags",
            "mode": "armed",
            "armed_because": "this is a story",
            "cooldown": "1s",
        }
    }
