"""Alertmanager is told of alerts: they fire, move, end, and expire where nobody tells again."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.real_parts.alertmanager import RealAlertmanager
from tests.sources.conftest import now
from tests.wire.raw_server import Behaviour, RawServer, answering, hangs, resets
from watchdog.core.alerting import Alert
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.spec import Endpoint
from watchdog.notify import open_alerts
from watchdog.notify.alertmanager import AT_ONCE
from watchdog.ports import AlertSink
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

DEADLINE_SECONDS = 0.5


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets([tmp_path]))
    yield wire
    await wire.aclose()


def sink(wire: Wire, *urls: str, deadline: float = DEADLINE_SECONDS, link: str = "") -> AlertSink:
    spec = AlertmanagerSpec(
        tuple(Endpoint(url) for url in urls),
        every_seconds=1.0,
        deadline_seconds=deadline,
        silences=False,
        alerts=True,
        again_seconds=1.0,
        page_after_seconds=60.0,
        max_bytes=1000,
        link=link,
    )
    return open_alerts(spec, wire)


def an_alert(name: str = "peg", lasts: float = 600, **annotations: str) -> Alert:
    at = time.time()
    labels = (("alertname", name), ("rule", name))
    return Alert(labels, tuple(annotations.items()), at - 5, at + lasts)


async def test_a_real_one_takes_it_moves_it_ends_it_and_lets_it_expire(
    tmp_path: Path, wire: Wire
) -> None:
    async with RealAlertmanager.quiet(tmp_path) as alertmanager:
        told = sink(wire, alertmanager.url, deadline=5)

        async def shown() -> list[str]:
            return sorted(one["labels"]["rule"] for one in await alertmanager.alerts())

        assert await told.tell([], now()) == {alertmanager.url: ""}
        assert await told.tell([an_alert(state="held"), an_alert("dies", 1.5)], now()) == {
            alertmanager.url: ""
        }
        assert await shown() == ["dies", "peg"]
        held = an_alert(state="contained")
        await told.tell([held], now())
        found = {one["labels"]["rule"]: one["annotations"] for one in await alertmanager.alerts()}
        assert found["peg"] == {"state": "contained"}
        await told.tell([replace(held, ends_at=time.time())], now())
        ends = time.monotonic() + 10
        while await shown():
            assert time.monotonic() < ends
            await asyncio.sleep(0.05)


async def test_an_alert_links_to_its_rules_page(tmp_path: Path, wire: Wire) -> None:
    async with RealAlertmanager.quiet(tmp_path) as alertmanager:
        told = sink(wire, alertmanager.url, deadline=5, link="https://watch/dog/")
        await told.tell([replace(an_alert(), rule='peg{db="a/b"}'), an_alert("by-hand")], now())
        links = {one["labels"]["rule"]: one["generatorURL"] for one in await alertmanager.alerts()}
    assert links == {
        "peg": "https://watch/dog/rules/peg%7Bdb%3D%22a%2Fb%22%7D",
        "by-hand": "https://watch/dog/",
    }


async def test_many_are_told_in_pieces(tmp_path: Path, wire: Wire) -> None:
    async with RealAlertmanager.quiet(tmp_path) as alertmanager:
        many = [an_alert(f"r{n}") for n in range(2 * AT_ONCE + 1)]
        assert await sink(wire, alertmanager.url, deadline=20).tell(many, now()) == {
            alertmanager.url: ""
        }
        assert len(await alertmanager.alerts()) == len(many)


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (hangs, "no answer within 0."),
        (resets, "the connection was closed"),
        (answering("no\nsuch label", status=400), "HTTP 400: no such label"),
        (answering("", status=503), "HTTP 503"),
        (answering("x" * 100_000), "65536 bytes"),
        (answering("", status=302, extra="Location: /login\r\n"), "redirects"),
    ],
)
async def test_what_did_not_work_is_said(wire: Wire, behaviour: Behaviour, says: str) -> None:
    async with RawServer(behaviour) as server, RawServer(answering("")) as other:
        began = time.monotonic()
        found = await sink(wire, server.url, other.url).tell([an_alert()], now())
        assert time.monotonic() - began < DEADLINE_SECONDS + 1
    assert says in found[server.url]
    assert found[other.url] == ""


async def test_a_clock_to_which_every_alert_is_over_is_told(wire: Wire) -> None:
    ahead = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    async with RawServer(answering("", extra=f"Date: {ahead}\r\n")) as server:
        told = sink(wire, server.url)
        assert "every alert of ours is over" in (await told.tell([an_alert()], now()))[server.url]
        over = replace(an_alert(), ends_at=time.time() - 1)
        assert await told.tell([over], now()) == {server.url: ""}
        assert await told.tell([], now()) == {server.url: ""}


async def test_the_deadline_is_of_all_pieces_together(wire: Wire) -> None:
    async def slow(server: RawServer, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await answering("")(server, writer)

    async with RawServer(slow) as server:
        began = time.monotonic()
        found = await sink(wire, server.url).tell(
            [an_alert(f"r{n}") for n in range(5 * AT_ONCE)], now()
        )
        assert time.monotonic() - began < DEADLINE_SECONDS + 0.5
    assert "no answer within" in found[server.url]
