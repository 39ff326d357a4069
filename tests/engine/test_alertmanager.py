"""Beside an Alertmanager that answers, lies, hangs or is gone: nothing waits for it but once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.engine.house import House, build, living, policy, wired
from tests.wire.raw_server import RawServer, answering, hangs
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.entries import (
    AlertmanagerTurned,
    Decided,
    HoldEnded,
    HoldPlaced,
    Paged,
    SilenceEnded,
    SilenceSeen,
)
from watchdog.core.spec import Endpoint, Policy, Scope
from watchdog.core.states import State
from watchdog.sandbox.handle import Sandbox

OURS = (SilenceSeen, SilenceEnded, AlertmanagerTurned)


@dataclass
class Stand:
    """What the Alertmanager of a test says: `rows` of silences, or `says` to every request."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    says: tuple[str, int] | None = None

    async def __call__(self, server: RawServer, writer: asyncio.StreamWriter) -> None:
        body, status = self.says or (json.dumps(self.rows), 200)
        await answering(body, "application/json", status)(server, writer)


def row(name: str, comment: str = "migration", **labels: str) -> dict[str, Any]:
    at = datetime.now(UTC)
    matchers = [{"name": k, "value": v, "isRegex": False} for k, v in labels.items()]
    return {
        "id": name,
        "status": {"state": "active"},
        "createdBy": "alice",
        "comment": comment,
        "startsAt": at.isoformat(),
        "endsAt": (at + timedelta(hours=1)).isoformat(),
        "matchers": matchers,
    }


def beside(found: Policy, url: str, **different: Any) -> Policy:
    """The policy with an Alertmanager, asked ten times a second."""
    spec = AlertmanagerSpec(
        (Endpoint(url),),
        every_seconds=0.1,
        deadline_seconds=0.3,
        silences=True,
        alerts=False,
        again_seconds=0.1,
        page_after_seconds=3600.0,
        max_bytes=100_000,
    )
    return replace(found, alertmanager=replace(spec, **different))


@asynccontextmanager
async def watching(folder: Path, sandbox: Sandbox, found: Policy) -> AsyncIterator[House]:
    """An engine of which only what concerns Alertmanager runs."""
    async with wired(folder, sandbox) as wire:
        house = build(folder, sandbox, wire)
        house.engine.policy = found
        house.engine.alertmanager.adopt()
        task = asyncio.create_task(house.engine.alertmanager.forever())
        try:
            yield house
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            house.engine.recorder.close()
            house.engine.ports.history.close()


def recorded(house: House) -> list[SilenceSeen | SilenceEnded | AlertmanagerTurned]:
    return [one for one in house.entries(object) if isinstance(one, OURS)]


def word(entry: SilenceSeen | SilenceEnded | AlertmanagerTurned) -> str | bool:
    match entry:
        case SilenceSeen():
            return entry.silence.comment
        case SilenceEnded():
            return entry.silence
    return entry.answers


async def more_requests(house: House, server: RawServer, number: int = 4) -> None:
    wanted = len(server.requests) + number
    await house.until(lambda: len(server.requests) >= wanted, "more requests")


async def test_one_look_is_waited_for_and_no_longer_than_it_may_take(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with RawServer(hangs) as server:
        began = time.monotonic()
        async with watching(tmp_path, sandbox, beside(policy(sandbox), server.url)) as house:
            facts = house.engine.facts
            assert facts().silences.awaited.startswith("waits for the first look")
            await house.until(lambda: not facts().silences.awaited, "it waits no longer")
            assert time.monotonic() - began < 2
            await house.until(lambda: recorded(house), "it is on the record that it hangs")
            assert "could not be read since" in facts().silences.doubt
            assert "no answer within" in facts().silences.doubt


async def test_only_what_changes_is_recorded_and_what_was_read_outlives_nonsense(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    stand = Stand([row("a", rule="peg"), row("strange", rule="nobody")])
    async with (
        RawServer(stand) as server,
        watching(tmp_path, sandbox, beside(policy(sandbox), server.url)) as house,
    ):
        book = house.engine.book
        await house.until(lambda: set(book.outside.silences) == {"a"}, "the silence is known")
        await more_requests(house, server)
        stand.rows[0]["comment"] = "longer"
        await house.until(lambda: len(recorded(house)) > 2, "it says something else")
        stand.says = ("<html>", 200)
        await more_requests(house, server)
        assert set(book.outside.silences) == {"a"}
        stand.says = None
        stand.rows = []
        await house.until(lambda: not book.outside.silences, "it is gone")
        await more_requests(house, server)
        told = [word(one) for one in recorded(house)]
        assert told == [True, "migration", "longer", False, True, "a"]


async def test_another_policy_is_looked_at_anew_and_one_without_it_forgets(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    first = policy(sandbox)
    other = replace(first.rules["peg"], name="other")
    more = replace(first, sha256="another", rules={**first.rules, "other": other})
    async with (
        RawServer(Stand([row("a", rule="other")])) as server,
        watching(tmp_path, sandbox, beside(first, server.url, every_seconds=3600.0)) as house,
    ):
        engine = house.engine
        await house.until(lambda: recorded(house), "it has looked")
        assert not engine.book.outside.silences
        engine.policy = beside(more, server.url, every_seconds=3600.0)
        engine.alertmanager.adopt()
        await house.until(lambda: engine.book.outside.silences, "the new rule's silence is known")
        assert engine.alertmanager.silences.covers(engine.book.outside.silences["a"].silence) == (
            "other",
        )
        engine.policy = more
        engine.alertmanager.adopt()
        assert not engine.book.outside.silences
        assert not engine.facts().silences.awaited


async def test_people_are_told_once_of_what_fails_for_long(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    found = beside(policy(sandbox), "http://127.0.0.1:1", page_after_seconds=0.3, alerts=True)
    async with watching(tmp_path, sandbox, found) as house:
        began = time.monotonic()
        await house.until(lambda: len(house.entries(Paged)) == 2, "people are told")
        assert time.monotonic() - began >= 0.3
        await asyncio.sleep(0.5)
        assert sorted(page.key for page in house.entries(Paged)) == [
            "alertmanager:alerts",
            "alertmanager:silences",
        ]


async def test_a_rollback_does_not_wait_for_an_alertmanager_that_hangs(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with RawServer(hangs) as server:
        found = beside(policy(sandbox), server.url, alerts=True)
        async with living(tmp_path, sandbox, found) as house:
            await house.clear()
            await house.until(lambda: not house.engine.facts().silences.awaited, "it goes on")
            house.break_peg()
            await house.reaches(State.CONTAINED)
            (gate,) = (g for g in house.entries(Decided)[-1].gates if g.gate == "hold")
            assert gate.reason.startswith("none is known; Alertmanager")


async def test_what_was_not_taken_is_told_again_and_our_own_silence_tells_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    stand = Stand(says=("later", 503))
    async with RawServer(stand) as server:
        found = beside(policy(sandbox), server.url, alerts=True, silences=False)

        def told() -> list[dict[str, Any]]:
            return list(json.loads(server.requests[-1].partition("\r\n\r\n")[2]))

        async with living(tmp_path, sandbox, found) as house:
            await house.clear()
            house.break_peg()
            await house.reaches(State.CONTAINED)
            await house.until(lambda: told() and told()[0]["annotations"], "it tries")
            assert house.engine.alertmanager.alerts.told_at is None
            stand.says = ("", 200)
            telling = house.engine.alertmanager.alerts
            await house.until(lambda: telling.told_at is not None, "it is taken")
            assert telling.firing == 1
            firing = told()[0]
            assert firing["labels"]["rule"] == "peg"
            assert firing["endsAt"] > datetime.now(UTC).isoformat()

            draft = house.engine.recorder.draft()
            draft.add(HoldPlaced("H1", Scope("all"), "quiet", "alice", None, silence=True))
            house.engine.recorder.commit(draft)
            await house.until(lambda: telling.firing == 0, "it is not told as firing any more")
            assert told()[0]["labels"] == firing["labels"]
            assert told()[0]["endsAt"] <= datetime.now(UTC).isoformat()

            draft = house.engine.recorder.draft()
            draft.add(HoldEnded("H1", "alice", "loud again"))
            house.engine.recorder.commit(draft)
            await house.until(lambda: telling.firing == 1, "it is told as firing again")
            (again,) = told()
            assert again["endsAt"] > datetime.now(UTC).isoformat()
