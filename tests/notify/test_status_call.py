"""A status page that takes what stands by one HTTP call."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.notify.sheets import KEY, quiet, sheet
from tests.real_parts.people import HookServer
from tests.wire.raw_server import Behaviour, RawServer, answering, hangs, resets
from watchdog.core.spec import Endpoint, Header
from watchdog.core.telling.status_pages import Condition, StatusCall, StatusPage
from watchdog.notify import open_status_page
from watchdog.ports import Delivered, Shown, StatusBoard
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

BODY = """{
  "state": "${status}", "all": ["${components}", {"text": "now ${component.redemption}!"}],
  "open": "${incidents}", "said": "${notice}", "kept": 7, "unknown": "${nothing}"
}"""


def board(wire: Wire, url: str, look: str = "") -> StatusBoard:
    where = Endpoint(url, (Header("Authorization", "Bearer ", "hook"),))
    how = StatusCall("PUT", where, BODY, Endpoint(look) if look else None)
    return open_status_page(StatusPage("public", how, ()), wire)


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    (tmp_path / "hook").write_text("its-token")
    wire = Wire(FileSecrets([tmp_path]))
    yield wire
    await wire.aclose()


async def test_the_whole_state_is_told_under_one_name(wire: Wire) -> None:
    async with HookServer() as hook:
        told = board(wire, hook.url)
        for one in (sheet(Condition.PAUSED), sheet(Condition.PAUSED), quiet()):
            assert await told.show(one, deadline_seconds=5) == Shown(Delivered.SENT)
    first, again, last = hook.posts
    assert first.headers["authorization"] == "Bearer its-token"
    assert first.headers["idempotency-key"] == "sandbox/public/paused"
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    assert first.document == {
        "state": "paused",
        "all": [{"redemption": "paused"}, {"text": "now paused!"}],
        "open": [
            {
                "id": KEY,
                "component": "redemption",
                "title": "Redemption: paused",
                "status": "identified",
                "condition": "paused",
                "message": "It is paused.",
                "since": "2025-11-24T16:00:00Z",
                "estimatedResolution": None,
                "nextUpdate": None,
            }
        ],
        "said": "It is paused.",
        "kept": 7,
        "unknown": "${nothing}",
    }
    assert (last.document["state"], last.document["open"]) == ("operational", [])


@pytest.mark.parametrize(
    ("behaviour", "result", "says"),
    [
        (hangs, Delivered.NOT_SENT, "no answer within 0."),
        (resets, Delivered.NOT_SENT, "the connection was closed"),
        (answering("who are you", status=401), Delivered.REFUSED, "HTTP 401: who are you"),
        (answering("", status=503), Delivered.NOT_SENT, "HTTP 503"),
        (
            answering("no such token: its-token", status=403),
            Delivered.REFUSED,
            "HTTP 403: no such token: ***",
        ),
        (answering("x" * 100_000), Delivered.NOT_SENT, "65536 bytes"),
    ],
)
async def test_what_did_not_work_is_said(
    wire: Wire, behaviour: Behaviour, result: Delivered, says: str
) -> None:
    async with RawServer(behaviour) as server:
        began = time.monotonic()
        shown = await board(wire, server.url).show(quiet(), deadline_seconds=0.5)
        assert time.monotonic() - began < 1.5
    assert (shown.result, says in shown.reason) == (result, True), shown.reason


async def test_a_pause_that_is_asked_for_is_passed_on(wire: Wire) -> None:
    busy = answering("", status=429, extra="Retry-After: 12\r\n")
    async with RawServer(busy) as server:
        shown = await board(wire, server.url).show(quiet(), deadline_seconds=5)
    assert shown == Shown(Delivered.NOT_SENT, "HTTP 429", 12.0)


async def test_it_is_tried_by_an_address_of_its_own_or_not_at_all(wire: Wire) -> None:
    async with RawServer(answering("ok")) as server:
        asked = board(wire, f"{server.url}/state", f"{server.url}/health")
        assert await asked.look(deadline_seconds=5) == Shown(Delivered.SENT)
        assert [one.split("\r\n")[0] for one in server.requests] == ["GET /health HTTP/1.1"]
        unasked = await board(wire, f"{server.url}/state").look(deadline_seconds=5)
        assert "cannot be tried without telling it" in unasked.reason
        assert len(server.requests) == 1
