"""A status document on the host of the daemon that follows: who leads knows how it fares."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.laws import check_laws
from tests.e2e.pair import Pair
from tests.e2e.rulebook import Rulebook
from tests.e2e.scenes import break_peg
from tests.real_parts.people import HookServer
from tests.real_parts.postgres import RealPostgres
from watchdog.core.entries import StatusNotShown, StatusShown
from watchdog.sandbox.handle import Sandbox

_STORIES = itertools.count(1)
FLAG = "btc_mainnet_redemption"
PAGE = "site"


@pytest.fixture(scope="module")
def server() -> Iterator[RealPostgres]:
    with RealPostgres() as running:
        yield running


@pytest.fixture
def rules(tmp_path: Path, sandbox: Sandbox) -> Rulebook:
    return Rulebook(tmp_path / "rules", sandbox)


@pytest.fixture
async def pair(
    tmp_path: Path, server: RealPostgres, rules: Rulebook, sandbox: Sandbox
) -> AsyncIterator[Pair]:
    database = f"page{next(_STORIES)}"
    server.database(database)
    made = Pair(tmp_path, server, database, rules)
    yield made
    await made.end()
    check_laws(made.each["ada"], sandbox)


def show(rules: Rulebook, path: Path, hook: HookServer) -> None:
    """Bob's host has the site; ada, who is started first, leads."""
    path.parent.mkdir()
    path.write_text('{"status": "operational"}')
    rules.contacts = {
        "version": 1,
        "channels": {"chat": {"webhook": hook.url}},
        "audiences": {"team": {"to": ["chat"]}},
        "status-pages": {
            PAGE: {
                "file": str(path),
                "host": "bob-host",
                "again": "1s",
                "page_after": "2s",
                "components": {"redemption": {"name": "Redemption", "targets": [f"flag:{FLAG}"]}},
            }
        },
    }


async def seen(daemon: Watchdog) -> dict[str, Any]:
    (one,) = (await daemon.read("/v1/status"))["status_pages"]
    return dict(one)


def titles(hook: HookServer) -> list[str]:
    return [note["title"] for post in hook.posts for note in post.document["notes"]]


@pytest.mark.sim
async def test_who_leads_records_how_it_fares_and_people_hear_when_it_fails(
    pair: Pair, sandbox: Sandbox, rules: Rulebook, hook: HookServer, tmp_path: Path
) -> None:
    path = tmp_path / "site" / "status.json"
    show(rules, path, hook)
    await pair.on_guard()
    ada, bob = pair.each["ada"], pair.each["bob"]

    async def shown_to_ada() -> bool:
        return bool((await seen(ada))["shows"])

    async def failing() -> bool:
        told = [one for one in titles(hook) if one.startswith(f"the status page {PAGE} ")]
        return bool(told) and 'page="site"} 1.0' in await ada.page("/metrics")

    await pair.until("ada knows that it shows what stands", shown_to_ada)
    assert 'slo_watchdog_status_page_wrong{page="site"} 0.0' in await ada.page("/metrics")
    tried = await ada.command("notify", "test", PAGE, "--yes")
    assert (tried.status, "nothing was shown there" in tried.output) == (0, True), tried.output

    kept = path.rename(path.with_name("kept"))
    await pair.until("it is wrong, and people hear of it", failing)
    (told,) = [one for one in titles(hook) if one.startswith(f"the status page {PAGE} ")]
    assert "the daemon of bob-host tells it: " in told
    assert "is not there: it is changed, and not made" in told
    assert not (await seen(ada))["shows"]
    assert ada.entries(StatusNotShown)[-1].reason in told
    kept.rename(path)
    await pair.until("it is mended", shown_to_ada)

    break_peg(sandbox)

    async def paused() -> bool:
        return bool(json.loads(path.read_text())["status"] == "paused" and await shown_to_ada())

    await pair.until("the pause is shown, and ada knows", paused)
    assert [one.condition for one in ada.entries(StatusShown)][-1] == "paused"
    await ada.kill()
    await pair.leads(bob)

    async def shown_to_bob() -> bool:
        return bool((await seen(bob))["shows"])

    await pair.until("who tells it leads by now, and knows", shown_to_bob)
