"""A page of Statuspage shows what stands: one incident, whatever is lost on the way."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.notify.sheets import KEY, quiet, sheet
from tests.real_parts.public import PAGE, TOKEN, Statuspage
from watchdog.core.spec import Endpoint, Header
from watchdog.core.telling.status_pages import AtlassianPage, Condition, StatusPage
from watchdog.notify import open_status_page
from watchdog.ports import Delivered, Shown, StatusBoard
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

DEADLINE_SECONDS = 0.5


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    (tmp_path / "statuspage").write_text(TOKEN)
    (tmp_path / "wrong").write_text("another")
    wire = Wire(FileSecrets([tmp_path]))
    yield wire
    await wire.aclose()


@pytest.fixture
async def server() -> AsyncIterator[Statuspage]:
    async with Statuspage() as server:
        yield server


def board(wire: Wire, server: Statuspage, secret: str = "statuspage") -> StatusBoard:  # noqa: S107  # its name
    header = Header("Authorization", "OAuth ", secret)
    how = AtlassianPage(Endpoint(server.url, (header,)), PAGE)
    return open_status_page(StatusPage("public", how, ()), wire)


async def test_an_incident_runs_its_course_and_its_component_with_it(
    wire: Wire, server: Statuspage
) -> None:
    told = board(wire, server)
    conditions = [Condition.PAUSED, Condition.PAUSED, Condition.MONITORING, Condition.OPERATIONAL]
    seen = []
    for condition in conditions:
        shown = await told.show(sheet(condition), deadline_seconds=5)
        assert shown.result is Delivered.SENT, shown.reason
        seen.append((server.incidents[0]["status"], server.components["b13yz5g2cw10"]))
    assert seen == [
        ("identified", "partial_outage"),
        ("identified", "partial_outage"),
        ("monitoring", "operational"),
        ("resolved", "operational"),
    ]
    assert server.changes == ["POST", "PATCH", "PATCH"]  # the same state again is told no more
    (incident,) = server.incidents
    assert incident["name"] == "Redemption: paused"
    assert [one["body"] for one in reversed(incident["incident_updates"])] == [
        "It is paused.",
        "It is monitoring.",
        "It is operational.",
    ]
    assert (await told.show(quiet(), deadline_seconds=5)).result is Delivered.SENT
    assert server.changes == ["POST", "PATCH", "PATCH"]


async def test_a_lost_answer_makes_no_second_incident_and_no_second_update(
    wire: Wire, server: Statuspage
) -> None:
    told = board(wire, server)
    server.loses = True
    for condition in (Condition.PAUSED, Condition.MONITORING):
        lost = await told.show(sheet(condition), deadline_seconds=5)
        assert lost.result is Delivered.NOT_SENT
        assert "closed" in lost.reason
    server.loses = False
    shown = await told.show(sheet(Condition.MONITORING), deadline_seconds=5)
    assert shown == Shown(Delivered.SENT, references=((KEY, "i1"),))
    assert server.changes == ["POST", "PATCH"]
    assert len(server.open_incidents) == 1


async def test_what_people_opened_is_left_alone_and_ours_of_another_life_is_closed(
    wire: Wire, server: Statuspage
) -> None:
    theirs = {"id": "t1", "name": "Redemption: paused", "status": "investigating"}
    other = {"slo-watchdog": {"key": "production/public/redemption/E9", "revision": ""}}
    stray = {"slo-watchdog": {"key": "sandbox/public/redemption/E0", "revision": "x"}}
    server.incidents += [
        {**theirs, "incident_updates": []},
        {**theirs, "id": "t2", "metadata": other, "incident_updates": []},
        {**theirs, "id": "t3", "metadata": {"jira": {"issue": 1}}, "incident_updates": []},
        {**theirs, "id": "ours", "metadata": stray, "incident_updates": []},
    ]
    shown = await board(wire, server).show(sheet(Condition.PAUSED), deadline_seconds=5)
    assert shown.references == ((KEY, "i5"),)
    assert [one["id"] for one in server.open_incidents] == ["t1", "t2", "t3", "i5"]


async def test_one_that_people_closed_is_not_doubled_and_one_that_they_removed_is_made_again(
    wire: Wire, server: Statuspage
) -> None:
    told = board(wire, server)
    await told.show(sheet(Condition.PAUSED), deadline_seconds=5)
    server.incidents[0]["status"] = "resolved"
    again = await told.show(sheet(Condition.PAUSED, reference="i1"), deadline_seconds=5)
    assert again.references == ((KEY, "i1"),)
    assert server.changes == ["POST"]
    await told.show(sheet(Condition.MONITORING, reference="i1"), deadline_seconds=5)
    assert [(one["id"], one["status"]) for one in server.incidents] == [("i1", "monitoring")]
    server.incidents.clear()
    shown = await told.show(sheet(Condition.PAUSED, reference="i1"), deadline_seconds=5)
    assert shown.result is Delivered.SENT
    assert len(server.open_incidents) == 1


async def test_what_did_not_work_is_said(wire: Wire, server: Statuspage) -> None:
    told, paused = board(wire, server), sheet(Condition.PAUSED)

    async def show() -> Shown:
        began = time.monotonic()
        shown = await told.show(paused, deadline_seconds=DEADLINE_SECONDS)
        assert time.monotonic() - began < DEADLINE_SECONDS + 1
        return shown

    refused = await board(wire, server, "wrong").show(paused, deadline_seconds=5)
    assert (refused.result, refused.reason) == (
        Delivered.REFUSED,
        'HTTP 401: {"error": "Could not authenticate"}',
    )
    missing = await board(wire, server, "missing").show(paused, deadline_seconds=5)
    assert missing.result is Delivered.REFUSED
    for status in (429, 420):
        server.refuses, server.retry_after = status, "7"
        busy = await show()
        assert (busy.result, busy.retry_after_seconds) == (Delivered.NOT_SENT, 7.0)
    server.refuses = server.retry_after = 0  # type: ignore[assignment]  # falsy is none
    server.says = b"[" + b'"x",' * 2_000_000 + b'"x"]'
    assert "bytes" in (await show()).reason
    for nonsense, says in ((b"<html>", "no JSON"), (b'{"a": 1}', "no list of incidents")):
        server.says = nonsense
        assert says in (await show()).reason
    server.says, server.hangs = None, True
    assert "no answer within" in (await show()).reason
    server.hangs = False
    await server.shut()
    assert (await show()).result is Delivered.NOT_SENT
    assert server.incidents == []


async def test_a_look_changes_nothing(wire: Wire, server: Statuspage) -> None:
    assert (await board(wire, server).look(deadline_seconds=5)).result is Delivered.SENT
    seen = await board(wire, server, "wrong").look(deadline_seconds=5)
    assert (seen.result, seen.reason[:8]) == (Delivered.REFUSED, "HTTP 401")
    assert server.changes == []
    assert json.dumps(server.incidents) == "[]"
