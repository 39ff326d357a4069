"""Beside a real Prometheus: a first rule made of what it holds, run by a real daemon in shadow; and
one break that both saw, with where they agree, where not, and why.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.cli.conftest import Ended, here
from tests.e2e.household import NO_TLS, Watchdog
from tests.e2e.rulebook import ERRORS, TEAM, error_rate
from tests.house.tree import REPOSITORY
from tests.real_parts.people import free_port
from tests.real_parts.prometheus import RealPrometheus
from watchdog.lab.first_rule import EXAMPLE_PORT
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.processes import Command, start_process

SHARE = (
    'sum(rate(redemption_requests_total{code=~"5.."}[2s]))'
    " / sum(rate(redemption_requests_total[2s])) > 0.05"
)
FIRING = 'ALERTS{alertname="RedemptionErrors",alertstate="firing"}'
RULES = [
    {
        "name": "redemption",
        "rules": [
            {"alert": "RedemptionErrors", "expr": SHARE, "labels": {"severity": "page"}},
            {"alert": "slow-alert", "expr": SHARE, "for": "1h"},
        ],
    }
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prometheus(
    tmp_path_factory: pytest.TempPathFactory, one_sandbox: Sandbox
) -> AsyncIterator[RealPrometheus]:
    folder, targets = tmp_path_factory.mktemp("prometheus"), [one_sandbox.metrics_url]
    async with RealPrometheus.start(
        folder, targets=targets, rules=RULES, scrape_interval="500ms"
    ) as one:
        yield one


def watched(**more: Any) -> dict[str, Any]:
    rule = error_rate(**more) | {"mode": "shadow"}
    rule.pop("armed_because")
    return rule


async def compared(watchdog: Watchdog, url: str, *more: str) -> Ended:
    rules = [name for name in watchdog.rules.rules if "-alert" not in name and "nobody" not in name]
    maps = [f"--map={rule}=RedemptionErrors" for rule in rules]
    return await asyncio.to_thread(
        here, "compare", "--journal", str(watchdog.state), "--prometheus", url, "--no-cache",
        *maps, *more, socket=watchdog.state / "none",
    )  # fmt: skip


async def says(url: str, query: str, *, so: bool = True) -> None:
    """Wait until Prometheus answers the query with something, or with nothing."""
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client, asyncio.timeout(20):
        while True:
            answer = await client.get(f"{url}/api/v1/query", params={"query": query})
            if bool(answer.json()["data"]["result"]) is so:
                return
            await asyncio.sleep(0.1)


async def test_what_one_side_alone_saw_is_told_with_its_reason(
    sandbox: Sandbox, watchdog: Watchdog, prometheus: RealPrometheus
) -> None:
    watchdog.rules.owners[TEAM] = {
        ERRORS: watched(),
        "held": watched(),
        "starved": watched() | {"minimum_events": 1_000_000},
        "slow-alert": watched(),
        "nobody-there": watched(),
    }
    await watchdog.start()
    await watchdog.clear(ERRORS, "slow-alert", "held")
    await watchdog.order("hold", scope="rule", name="held", reason="a migration")
    await says(prometheus.url, SHARE.removesuffix(" > 0.05"))
    await sandbox.break_redemption()
    await watchdog.episode(ERRORS, state="shadowed")
    await says(prometheus.url, FIRING)
    await sandbox.mend_redemption()
    await watchdog.episode(ERRORS, state="ok")
    await says(prometheus.url, FIRING, so=False)
    shown = await compared(watchdog, prometheus.url)
    assert "only theirs" in shown.out
    assert "because: the rule was blind" in shown.out
    ended = await compared(watchdog, prometheus.url, "--json")
    assert shown.status == ended.status == 1
    found = {one["rule"]: one for one in ended.json["rules"]}
    (agreed,) = found[ERRORS]["agreed"]
    assert found[ERRORS]["agrees"]
    assert found[ERRORS]["uncertain_seconds"] == 0.5
    assert abs(agreed["start_seconds"]) < 5
    assert agreed["episodes"][0]["world"] == "shadow"
    (held,) = found["held"]["agreed"]
    assert any("a migration" in text for text in held["episodes"][0]["refusals"])
    (theirs,) = found["starved"]["only_theirs"]
    reason = theirs["reasons"][0]
    assert (reason["kind"], reason["cause"]) == ("blind", True)
    assert "too_few_events" in reason["text"]
    (ours,) = found["slow-alert"]["only_ours"]
    assert ours["reasons"][0]["kind"] == "pending_there"
    assert "`for` is 1h there now" in ours["reasons"][0]["text"]
    assert [one["rule"] for one in ended.json["not_compared"]] == ["nobody-there"]


@pytest.mark.sim
async def test_a_prometheus_that_was_dead_meanwhile_saw_nothing_and_that_is_why(
    sandbox: Sandbox, watchdog: Watchdog, tmp_path: Path
) -> None:
    watchdog.rules.owners[TEAM] = {ERRORS: watched()}
    own = RealPrometheus.start(
        tmp_path / "own", targets=[sandbox.metrics_url], rules=RULES, scrape_interval="500ms"
    )
    async with own as prometheus:
        await watchdog.start()
        await watchdog.clear(ERRORS)
        await says(prometheus.url, SHARE.removesuffix(" > 0.05"))
        await prometheus.process.kill()
        await sandbox.break_redemption()
        await watchdog.episode(ERRORS, state="shadowed")
        await sandbox.mend_redemption()
        await watchdog.episode(ERRORS, state="ok")
        await prometheus.start_again()
        await says(prometheus.url, "time() - max(timestamp(up)) < 1")
        ended = await compared(watchdog, prometheus.url, "--json")
    assert ended.status == 1, ended.err
    (rule,) = ended.json["rules"]
    (ours,) = rule["only_ours"]
    assert (ours["reasons"][0]["kind"], ours["reasons"][0]["cause"]) == ("prometheus_gap", True)


async def test_a_first_rule_is_made_of_what_is_there_and_watches_in_shadow(
    sandbox: Sandbox, prometheus: RealPrometheus, tmp_path: Path
) -> None:
    await says(prometheus.url, "sum(rate(redemption_requests_total[5m])) > 0")
    rules, config = tmp_path / "rules", tmp_path / "watchdog.toml"
    flags = f"{sandbox.url}/api/feature-flags"

    async def run(*arguments: str) -> Ended:
        return await asyncio.to_thread(here, *arguments, socket=tmp_path / "control.sock")

    made = await run(
        "new", "--prometheus", prometheus.url, "--into", str(rules), "--json",
        "--flag-api", flags, "--flag", "btc_mainnet_redemption",
    )  # fmt: skip
    assert made.status == 0, made.err
    told = made.json
    assert told["watches"]["counted"] == 'redemption_requests_total{job="mycelia",code=~"5.."}'
    assert (await run("init", "--config", str(config))).status == 0
    daemon = start_process(
        Command(
            name="daemon",
            argv=[sys.executable, "-m", "watchdog", "run", "--config", str(config)],
            log=tmp_path / "daemon.log",
            environment={**os.environ, "WATCHDOG_LISTEN": "127.0.0.1:0"},
        )
    )
    try:
        async with asyncio.timeout(30):
            while True:
                shown = await run("status", "--json")
                verdict = shown.json["rules"][0]["verdict"] if shown.status == 0 else None
                if verdict is not None and verdict["status"] == "healthy":
                    break
                await asyncio.sleep(0.2)
        (rule,) = shown.json["rules"]
        assert (rule["name"], rule["effective_mode"]) == (told["rule"], "shadow")
        (action,) = shown.json["actions"]
        assert action["name"] == "switch-off-btc-mainnet-redemption"
        again = await run("new", "--prometheus", prometheus.url, "--into", str(rules))
        assert again.status == 4
        assert "platform.yaml" in again.err
    finally:
        await daemon.stop()


def first_block(page: str) -> list[str]:
    """The commands of the first block that is to be pasted."""
    text = (REPOSITORY / "docs" / page).read_text()
    block = next(part for part in text.split("\n\n") if part.startswith("    "))
    return [line.removeprefix("    ") for line in block.splitlines()]


def as_written(prometheus: str) -> str:
    """The page's commands, with a Prometheus and a port of ours, and without the index of packages:
    what `pip install` puts there is the command of this environment.
    """
    port, lines = str(free_port()), first_block("first-rule.md")
    set_up = ["python3 -m venv slo", 'slo/bin/pip install "$checkout"']
    assert [line for line in lines if line in set_up] == set_up
    ours = Path(sys.executable).with_name("slo-watchdog")
    stand_ins = (f"mkdir -p slo/bin && ln -s {ours} slo/bin/", 'test -f "$checkout/pyproject.toml"')
    text = "\n".join(lines)
    for line, stand_in in zip(set_up, stand_ins, strict=True):
        text = text.replace(line, stand_in)
    ours_too = f"{prometheus}\nsed -i s/{EXAMPLE_PORT}/{port}/ rules/*.yaml"
    return text.replace(f"http.server {EXAMPLE_PORT}", f"http.server {port}").replace(
        "http://127.0.0.1:9090", ours_too
    )


def pasted(commands: str, home: Path) -> tuple[int, str]:
    """Exit status and output of the commands in a shell; what they left running is stopped."""
    with (home / "out").open("wb") as out:
        shell = subprocess.Popen(  # the page's own text
            ["/bin/bash", "-e", "-c", commands],
            cwd=REPOSITORY,
            env={**os.environ, "HOME": str(home), "WATCHDOG_LISTEN": "127.0.0.1:0"},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = shell.wait(100)
        finally:
            os.killpg(shell.pid, signal.SIGTERM)
    return status, (home / "out").read_text()


@pytest.mark.usefixtures("sandbox")
async def test_the_page_on_a_first_rule_works_as_it_is_written(
    prometheus: RealPrometheus, tmp_path: Path
) -> None:
    await says(prometheus.url, "sum(rate(redemption_requests_total[5m])) > 0")
    status, told = await asyncio.to_thread(pasted, as_written(prometheus.url), tmp_path)
    assert status == 0, told
    shown = told.rpartition("Next")[2]
    assert "healthy" in shown, told
    assert "shadow" in shown, told
