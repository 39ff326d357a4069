"""Status pages show what stands: paused, available again, over; whatever fails in between."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Refused, Watchdog
from tests.e2e.rulebook import ERRORS
from tests.e2e.senders import secret
from tests.real_parts.people import HookServer
from tests.real_parts.public import PAGE, TOKEN, Statuspage
from watchdog.core.entries import StatusNotShown, StatusShown
from watchdog.sandbox.handle import Sandbox

FLAG = "btc_mainnet_redemption"
SAMPLE = {"status": "operational", "timestamp": 1704067200000, "featureFlags": {FLAG: True}}
LONGEST_SECONDS = 6.0
"""From the breach to the read-back: who waited for a page that hangs would take ten."""


@pytest.fixture
async def public() -> AsyncIterator[Statuspage]:
    async with Statuspage() as server:
        yield server


class Site:
    """A status document that the site's own program publishes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.path = folder / "status.json"
        self.publish(SAMPLE)

    def publish(self, document: dict[str, Any]) -> None:
        self.path.write_text(json.dumps(document, indent=2))

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.read_text())
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def show(watchdog: Watchdog, public: Statuspage, hook: HookServer, site: Site) -> None:
    """The same component on a page of each kind."""
    secret(watchdog, "statuspage", TOKEN)
    redemption = {"name": "Redemption", "targets": [f"flag:{FLAG}"]}
    paused = "Redemptions are paused while we look into failures."
    watchdog.rules.contacts = {
        "version": 1,
        "channels": {"nobody": {"webhook": hook.url}},
        "audiences": {"team": {"to": ["nobody"]}},
        "status-pages": {
            "public": {
                "statuspage": PAGE,
                "token": "statuspage",
                "api": public.url,
                "deadline": "1s",
                "updates": "1h",
                "components": {
                    "redemption": {
                        **redemption,
                        "id": "b13yz5g2cw10",
                        "summary": paused,
                        "estimate": "2h",
                    }
                },
            },
            "site": {
                "file": str(site.path),
                "host": "any",
                "again": "1s",
                "components": {"redemption": redemption},
            },
            "hook": {
                "call": {
                    "method": "PUT",
                    "url": f"http://127.0.0.1:{hook.port}/state",
                    "json": {"notes": [], "now": "${component.redemption}"},
                },
                "deadline": "10s",
                "components": {"redemption": {**redemption, "burning": "major_outage"}},
            },
        },
    }


async def until(what: Callable[[], bool], within: float = 20.0) -> None:
    ends = time.monotonic() + within
    while not what():
        assert time.monotonic() < ends, "in vain"
        await asyncio.sleep(0.05)


def told(hook: HookServer) -> list[str]:
    return [post.document["now"] for post in hook.posts if "now" in post.document]


async def is_tried_without_showing_anything(watchdog: Watchdog, public: Statuspage) -> None:
    before = list(public.changes)
    tried = await watchdog.command("notify", "test", "public", "--yes")
    assert (tried.status, "nothing was shown there" in tried.output) == (0, True), tried.output
    for name, says in (("hook", "it names no `look`"), ("pubic", "there are: hook")):
        with pytest.raises(Refused, match=says):
            await watchdog.order("notify/test", name=name)
    assert public.changes == before


@pytest.mark.sim
async def test_a_pause_is_shown_from_its_read_back_to_its_end_through_outage_and_death(
    sandbox: Sandbox, watchdog: Watchdog, public: Statuspage, hook: HookServer, site: Site
) -> None:
    watchdog.rules.watch_errors()
    show(watchdog, public, hook, site)
    await public.shut()
    await watchdog.on_guard()
    await until(lambda: bool(told(hook)))
    hook.hangs = True
    await sandbox.break_redemption()
    episode = await watchdog.episode(ERRORS, state="contained")
    (view,) = await watchdog.read("/v1/episodes")
    assert view["seconds_breach_to_effect"] < LONGEST_SECONDS
    assert hook.tried > len(hook.posts)  # it was being told while the rollback went on
    await until(lambda: site.document["status"] == "paused")
    shown = await watchdog.command("status")
    assert "public does not show redemption as paused: " in shown.output
    assert "site shows redemption as paused" in shown.output

    await watchdog.kill()
    hook.hangs = False
    await public.open()
    await watchdog.start()
    await until(lambda: bool(public.open_incidents))
    body = public.open_incidents[0]["incident_updates"][0]["body"]
    assert body.startswith("Redemptions are paused while we look into failures. We have verified")
    assert "Estimated resolution: 20" in body
    assert body.splitlines()[-1].startswith("Next update: 20")
    assert public.components == {"b13yz5g2cw10": "partial_outage"}
    await until(lambda: told(hook)[-1] == "paused")

    await is_tried_without_showing_anything(watchdog, public)
    await sandbox.mend_redemption()
    await watchdog.order("undo", what=episode.id, reason="mended")
    await until(lambda: public.incidents[0]["status"] == "monitoring")
    await until(lambda: told(hook)[-1] == "monitoring")
    await public.shut()
    await watchdog.kill()
    site.publish(SAMPLE | {"status": "paused", "timestamp": 1704067260000})
    await public.open()
    await watchdog.start()
    await watchdog.episode(ERRORS, state="ok")
    await until(lambda: public.incidents[0]["status"] == "resolved")
    await until(
        lambda: site.document["status"] == "operational" and told(hook)[-1] == "operational"
    )

    assert len(public.incidents) == 1
    assert public.components == {"b13yz5g2cw10": "operational"}
    courses = [one["status"] for one in reversed(public.incidents[0]["incident_updates"])]
    assert courses == ["identified", "monitoring", "resolved"]
    assert [now for n, now in enumerate(told(hook)) if now not in told(hook)[n - 1 : n]] == [
        "operational",
        "paused",
        "monitoring",
        "operational",
    ]
    assert site.document["featureFlags"] == {FLAG: True}
    taken = [one.condition for one in watchdog.entries(StatusShown) if one.page == "public"]
    assert (taken[0], taken[-1]) == ("paused", "operational")  # a death may lose one in between
    assert len(taken) == len(set(taken))
    assert {one.page for one in watchdog.entries(StatusNotShown)} <= {"public", "hook"}
