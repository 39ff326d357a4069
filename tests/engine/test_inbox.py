"""What a sender tells is on record before it is believed; what cannot be recorded is nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.engine.house import House, living, peg, policy, source
from tests.engine.test_full_journal import Filling, disk
from watchdog.core import entries as e
from watchdog.core.channels import Channel, EventReceived, EventSignal, EventStatus
from watchdog.core.heard import News
from watchdog.core.spec import Policy, RuleSpec, SourceSpec
from watchdog.core.states import State
from watchdog.core.words import Blind, Status
from watchdog.engine.retention import fold, snapshot
from watchdog.sandbox.handle import Sandbox

CHANNEL = SourceSpec("event:security", 0.2, 0.5, 65536, 1, Channel("hmac", "security-webhook"))
INCIDENT: RuleSpec = peg(
    "incident",
    kind="event",
    source=CHANNEL.name,
    signal=EventSignal("security", (), 3600.0),
    for_seconds=0.0,
    stale_after_seconds=5.0,
)


def hearing(sandbox: Sandbox) -> Policy:
    found = policy(sandbox, INCIDENT, sources=(source(sandbox), CHANNEL))
    return replace(found, sha256="sha of hearing")


def key(folder: Path) -> Path:
    (folder / "secrets").mkdir(exist_ok=True)
    path = folder / "secrets" / "security-webhook"
    path.write_text("a-key-that-only-security-knows\n", encoding="utf-8")
    return path


def event(house: House, name: str = "inc-42") -> EventReceived:
    began = house.engine.ports.clock.now().wall
    return EventReceived("security", name, EventStatus.FIRING, began)


async def test_on_a_full_disk_nothing_is_believed_and_later_it_is_news(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    key(tmp_path)
    async with living(tmp_path, sandbox, hearing(sandbox), journal=Filling) as house:
        await house.clear()
        disk(house).full = True
        inbox, told = house.engine.inbox, event(house)
        assert not inbox.take(CHANNEL, [told]).recorded
        assert list(house.engine.book.heard.of("security")) == []
        assert house.entries(e.EpisodeOpened) == []
        disk(house).full = False
        taken = inbox.take(CHANNEL, [told])
        assert (taken.recorded, taken.news) == (True, (News.NEW,))
        await house.reaches(State.CONTAINED)
        assert sandbox.flag_changes() == 1


async def test_a_credential_that_goes_and_comes_back_is_noticed_without_a_restart(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    path = key(tmp_path)
    async with living(tmp_path, sandbox, hearing(sandbox)) as house:
        await house.clear()
        path.unlink()
        memory = house.engine.memory

        def is_(status: Status) -> bool:
            verdict = memory.verdict("incident")
            return verdict is not None and verdict.status is status

        await house.until(lambda: is_(Status.BLIND), "deaf")
        verdict = memory.verdict("incident")
        assert verdict is not None
        assert verdict.blind is Blind.DEAF
        await house.until(lambda: house.entries(e.Paged), "people are told")
        key(tmp_path)
        await house.until(lambda: is_(Status.HEALTHY), "heard again")


async def test_what_is_known_outlives_the_entries_that_told_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    key(tmp_path)
    async with living(tmp_path, sandbox, hearing(sandbox)) as house:
        await house.clear()
        house.engine.inbox.take(CHANNEL, [event(house)])
        await house.reaches(State.CONTAINED)
        journal, book = house.engine.ports.journal, house.engine.book
        newest = house.engine.recorder.last_seq
        at, known = book.last, book.heard.find("security", "inc-42")
        assert at is not None
        journal.prune(newest, snapshot(fold(journal, upto_seq=newest)[0]), at)
        again, _ = fold(journal)
        assert again.heard.find("security", "inc-42") == known
        assert again.heard.settled == book.heard.settled
