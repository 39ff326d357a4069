"""Status pages that fail, hang, or are somebody else's: told again, and nothing waits for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.engine.house import ALICE, House, build, living, policy, wired
from tests.wire.raw_server import RawServer, answering, hangs
from watchdog.core.entries import Paged, StatusNotShown, StatusShown
from watchdog.core.spec import Endpoint, Policy
from watchdog.core.states import State
from watchdog.core.telling.contacts import Contacts
from watchdog.core.telling.status_pages import (
    Component,
    Condition,
    StatusCall,
    StatusFile,
    StatusPage,
)
from watchdog.engine.status_pages_view import status_pages_view
from watchdog.engine.telling_view import telling_now
from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox

PART = Component("redemption", "Redemption", (f"flag:{REDEMPTION}",), burning=Condition.MAJOR)
BODY = '{"now": "${status}", "open": "${incidents}"}'


def page(name: str, url: str, **different: Any) -> StatusPage:
    how = StatusCall("PUT", Endpoint(url), BODY)
    return replace(StatusPage(name, how, (PART,), deadline_seconds=0.3), **different)


def showing(found: Policy, *shown: StatusPage) -> Policy:
    return replace(found, contacts=Contacts({}, status_pages={one.name: one for one in shown}))


def states(server: RawServer) -> list[str]:
    return [json.loads(one.partition("\r\n\r\n")[2])["now"] for one in server.requests]


@asynccontextmanager
async def telling(folder: Path, sandbox: Sandbox, *shown: StatusPage) -> AsyncIterator[House]:
    """An engine of which only what concerns status pages runs."""
    async with wired(folder, sandbox) as wire:
        house = build(folder, sandbox, wire)
        house.engine.policy = showing(policy(sandbox), *shown)
        task = asyncio.create_task(house.engine.people.status_pages.forever())
        try:
            yield house
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            house.engine.recorder.close()
            house.engine.ports.history.close()


async def test_a_rollback_and_another_page_do_not_wait_for_one_that_hangs(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with RawServer(hangs) as stuck, RawServer(answering("")) as server:
        found = showing(policy(sandbox), page("stuck", stuck.url), page("well", server.url))
        async with living(tmp_path, sandbox, found) as house:
            await house.clear()
            await house.until(lambda: house.entries(StatusNotShown), "one of them fails")
            house.break_peg()
            episode = await house.reaches(State.CONTAINED)
            assert episode.seconds_to_effect is not None
            assert episode.seconds_to_effect < 2.0
            await house.until(lambda: states(server)[-1] == "paused", "the other is told")
            (failing,) = house.entries(StatusNotShown)
            assert (failing.page, "no answer within 0.3" in failing.reason) == ("stuck", True)
            stuck.behaviour = answering("")
            shown = house.engine.people.status_pages.shows
            await house.until(lambda: shown(page("stuck", stuck.url)), "it shows it at last")
            assert states(stuck)[-1] == "paused"
            taken = [one for one in house.entries(StatusShown) if one.page == "stuck"]
            assert [one.condition for one in taken] == ["paused"]
            assert taken[0].attempts > 1
            assert len(house.entries(StatusNotShown)) == 1


async def test_people_are_told_once_of_a_page_that_fails_for_long(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    gone = page("gone", "http://127.0.0.1:1", page_after_seconds=1.5)
    async with telling(tmp_path, sandbox, gone) as house:
        await house.until(lambda: house.entries(Paged), "people are told")
        await asyncio.sleep(2.5)
        (told,) = house.entries(Paged)
        assert told.key == "status-page:gone"
        assert told.title.startswith("the status page gone does not show what stands: ")
        assert len(house.entries(StatusNotShown)) == 1
        assert telling_now(house.engine).wrong == {"gone": True}


async def test_a_pause_that_a_page_asks_for_is_kept(tmp_path: Path, sandbox: Sandbox) -> None:
    busy = answering("", status=429, extra="Retry-After: 3\r\n")
    async with (
        RawServer(busy) as server,
        telling(tmp_path, sandbox, page("busy", server.url)) as house,
    ):
        await house.until(lambda: server.requests, "it is told")
        server.behaviour = answering("")
        await asyncio.sleep(2.2)
        assert len(server.requests) == 1
        assert telling_now(house.engine).wrong == {"busy": True}
        await house.until(lambda: house.entries(StatusShown), "it is told again")
        assert len(server.requests) == 2
        assert telling_now(house.engine).wrong == {"busy": False}


async def test_after_a_restart_nothing_is_told_twice_and_what_was_promised_is_kept(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with RawServer(answering("")) as server:
        quiet = page("quiet", server.url)
        async with telling(tmp_path, sandbox, quiet) as house:
            await house.until(lambda: house.entries(StatusShown), "it is told")
        async with telling(tmp_path, sandbox, quiet) as house:
            await asyncio.sleep(1.5)
            assert len(server.requests) == 1
            assert house.engine.people.status_pages.shows(quiet)
        found = showing(policy(sandbox), page("quiet", server.url, update_seconds=1.0))
        async with living(tmp_path, sandbox, found) as house:
            await house.clear()
            house.break_peg()
            await house.reaches(State.CONTAINED)
            await house.until(
                lambda: [one.update for one in house.entries(StatusShown)][-1:] == [2],
                "its readers hear again, and again",
            )
            house.mend_peg()
            await house.orders.rollbacks.undo(ALICE, "E1", "mended", force=True, dry=False)
            await house.until(
                lambda: house.entries(StatusShown)[-1].condition == "operational",
                "what stood at first stands again",
            )
            names = [
                line
                for one in server.requests
                for line in one.lower().splitlines()
                if line.startswith("idempotency-key:")
            ]
            assert len(names) == len(set(names))


async def test_a_file_is_tended_by_its_hosts_daemon_whoever_leads_and_mended_when_overwritten(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    paused = {"status": "paused", "kept": 1}
    mine, theirs = tmp_path / "mine.json", tmp_path / "theirs.json"
    for path in (mine, theirs):
        write(path, paused)
    fields = ((("status",), '"${status}"'),)
    async with RawServer(answering("")) as server:
        shown = (
            page("mine", "", how=StatusFile(str(mine), "here", fields), again_seconds=0.2),
            page("theirs", "", how=StatusFile(str(theirs), "there", fields)),
            page("network", server.url),
        )
        async with telling(tmp_path, sandbox, *shown) as house:
            house.engine.recorder.leads = lambda: False
            await house.until(lambda: read(mine)["status"] == "operational", "it is put right")
            write(mine, paused | {"kept": 2})
            await house.until(lambda: read(mine)["status"] == "operational", "and again")
            assert read(mine)["kept"] == 2
            assert read(theirs) == paused
            assert server.requests == []
            assert house.entries(StatusShown) == []
            refused = await house.engine.people.status_pages.look("theirs")
            assert refused.reason == (
                "the daemon of there tells it: no daemon was heard of lately that is host there"
            )


async def test_a_page_of_a_host_whose_daemon_is_not_there_is_wrong_and_people_hear_of_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    how = StatusFile(str(tmp_path / "site.json"), "there", ((("status",), '"${status}"'),))
    site = page("site", "", how=how, page_after_seconds=1.5, again_seconds=0.2)
    async with telling(tmp_path, sandbox, site) as house:
        await house.until(lambda: house.entries(Paged), "people are told")
        (told,) = house.entries(Paged)
        why = "the daemon of there tells it: no daemon was heard of lately that is host there"
        assert told.title == f"the status page site does not show what stands: {why}"
        assert telling_now(house.engine).wrong == {"site": True}
        (seen,) = status_pages_view(house.engine)
        assert (seen["shows"], seen["told_here"], seen["reason"]) == (False, False, why)
        house.engine.recorder.leads = lambda: False
        assert telling_now(house.engine).wrong == {}  # nor is it this one's to know


async def test_a_page_that_took_what_stands_and_fails_since_is_wrong(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    path = tmp_path / "site.json"
    write(path, {"status": "operational"})
    how = StatusFile(str(path), "here", ((("status",), '"${status}"'),))
    site = page("site", "", how=how, page_after_seconds=1.5, again_seconds=0.2)
    async with telling(tmp_path, sandbox, site) as house:
        await house.until(lambda: telling_now(house.engine).wrong == {"site": False}, "it shows")
        path.unlink()
        await house.until(lambda: telling_now(house.engine).wrong == {"site": True}, "it is gone")
        write(path, {"status": "operational"})
        await house.until(lambda: telling_now(house.engine).wrong == {"site": False}, "it is back")


async def test_who_comes_to_lead_goes_by_the_record_and_not_by_what_it_saw_before(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    path = tmp_path / "site.json"
    write(path, {"status": "operational"})
    how = StatusFile(str(path), "here", ((("status",), '"${status}"'),))
    site = page("site", "", how=how, again_seconds=0.2)
    async with living(tmp_path, sandbox, showing(policy(sandbox), site)) as house:
        await house.clear()
        pages, leads = house.engine.people.status_pages, house.engine.recorder.leads
        house.engine.recorder.leads = lambda: False
        await house.until(lambda: pages.pages["site"].accepted, "it is told by who follows")
        house.engine.recorder.leads = leads
        house.break_peg()
        await house.reaches(State.CONTAINED)
        await house.until(lambda: read(path)["status"] == "paused", "it is shown")
        await house.until(lambda: pages.shows(site), "and known to be shown")


async def test_updates_are_promised_also_of_what_was_told_without_a_promise(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """As by who led, and asked this daemon to tell it: it promises nothing for another."""
    path = tmp_path / "site.json"
    write(path, {})
    how = StatusFile(str(path), "here", ((("next",), '"${next_update_at}"'),))
    site = page("site", "", how=how)
    async with living(tmp_path, sandbox, showing(policy(sandbox), site)) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.CONTAINED)

        def told() -> list[StatusShown]:
            return [one for one in house.entries(StatusShown) if one.condition == "paused"]

        await house.until(lambda: len(told()) == 1, "it is shown")
        assert told()[0].next_update is None
        house.engine.policy = showing(house.engine.in_force(), replace(site, update_seconds=0.5))
        await house.until(lambda: len(told()) >= 3, "and told again, as promised")
        assert [one.update for one in told()[:3]] == [0, 1, 2]
        assert all(one.next_update for one in told()[1:])


def write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document))


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found
