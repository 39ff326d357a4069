"""The outbox: each line in its order and by itself, storms folded, outages survived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import House, build, policy, wired
from tests.engine.test_full_journal import Filling, disk
from tests.real_parts.people import HookServer, MailServer
from watchdog.core.entries import NoteTold, Paged, PolicyApplied
from watchdog.core.paging import Whom
from watchdog.core.spec import Endpoint
from watchdog.core.telling.contacts import (
    AppriseUrl,
    Audience,
    Channel,
    Contacts,
    Told,
    Webhook,
)
from watchdog.core.telling.notes import Fate
from watchdog.core.words import Severity
from watchdog.engine.outbox import outbox
from watchdog.ports import Journal
from watchdog.sandbox.handle import Sandbox
from watchdog.store import SqliteJournal


@pytest.fixture
async def chat() -> AsyncIterator[HookServer]:
    async with HookServer() as server:
        yield server


@pytest.fixture
async def other() -> AsyncIterator[HookServer]:
    async with HookServer() as server:
        yield server


def channel(name: str, hook: HookServer, **different: object) -> Channel:
    spec = Channel(name, Webhook(Endpoint(hook.url)), deadline_seconds=0.4)
    return replace(spec, **different)  # type: ignore[arg-type]  # fields by name


def contacts(*channels: Channel, team: tuple[str, ...] = ()) -> Contacts:
    names = team or tuple(one.name for one in channels)
    audience = Audience("team", tuple(Told(name) for name in names))
    return Contacts({one.name: one for one in channels}, audiences={"team": audience})


@asynccontextmanager
async def telling(
    folder: Path,
    sandbox: Sandbox,
    who: Contacts,
    journal: Callable[[SqliteJournal], Journal] = lambda real: real,
) -> AsyncIterator[House]:
    """An engine of which only the outbox runs."""
    async with wired(folder, sandbox) as wire:
        house = build(folder, sandbox, wire, journal=journal)
        house.engine.policy = replace(policy(sandbox), contacts=who)
        draft = house.engine.recorder.draft()
        draft.add(PolicyApplied("sha", (), "test", tells=True))
        house.engine.recorder.commit(draft)
        task = asyncio.create_task(house.engine.people.outbox.forever())
        try:
            yield house
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            house.engine.recorder.close()
            house.engine.ports.history.close()


def page(house: House, title: str, *to: str, key: str = "policy:refused") -> None:
    draft = house.engine.recorder.draft()
    draft.tell(key, Severity.P2, title, "", whom=Whom(to))
    house.engine.recorder.commit(draft)


async def until(what: Callable[[], object], within: float = 15.0) -> None:
    ends = time.monotonic() + within
    while not what():
        assert time.monotonic() < ends, "in vain"
        await asyncio.sleep(0.02)


def titles(hook: HookServer) -> list[str]:
    return [note["title"] for post in hook.posts for note in post.document["notes"]]


def told(house: House) -> list[NoteTold]:
    read = house.engine.ports.journal.read()
    return [one.entry for one in read if isinstance(one.entry, NoteTold)]


async def test_a_line_that_hangs_holds_no_other_up(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer, other: HookServer
) -> None:
    chat.hangs = True
    who = contacts(channel("chat", chat), channel("other", other))
    async with telling(tmp_path, sandbox, who) as house:
        page(house, "one")
        await until(lambda: titles(other) == ["one"])
        assert titles(chat) == []
        chat.hangs = False
        await until(lambda: titles(chat) == ["one"])
        await until(lambda: not house.engine.book.notes.waiting)


async def test_what_two_lines_are_told_at_the_same_time_is_told_and_not_dropped(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer, other: HookServer
) -> None:
    chat.answers_after_seconds, other.answers_after_seconds = 0.1, 0.2
    who = contacts(channel("chat", chat), channel("other", other))
    async with telling(tmp_path, sandbox, who) as house:
        page(house, "one")
        await until(lambda: bool(chat.posts and other.posts))
        await until(lambda: not house.engine.book.notes.waiting)
        ends = [(one.line, one.fate, one.over) for one in told(house)]
        assert ends == [("chat", Fate.SENT, ()), ("other", Fate.SENT, ("N1",))]


async def test_what_gathers_during_an_outage_comes_in_order_and_is_told_once(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer
) -> None:
    await chat.shut()
    async with telling(tmp_path, sandbox, contacts(channel("chat", chat))) as house:
        for number in range(12):
            page(house, f"page {number}")
        await asyncio.sleep(0.3)
        await chat.open()
        await until(lambda: len(titles(chat)) == 12)
        await until(lambda: not house.engine.book.notes.waiting)
    assert titles(chat) == [f"page {number}" for number in range(12)]
    letter = chat.posts[-1].document
    assert "First:" in letter["body"]
    assert letter["subject"].endswith("messages)")


async def test_who_has_sent_and_died_before_recording_sends_it_again_by_the_same_name(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer
) -> None:
    who = contacts(channel("chat", chat))
    async with telling(tmp_path, sandbox, who, Filling) as house:
        page(house, "one")
        disk(house).full = True  # it goes out, and that it did cannot be written
        await until(lambda: chat.posts)
        await until(lambda: house.engine.recorder.waits)
    async with telling(tmp_path, sandbox, who) as house:
        assert list(house.engine.book.notes.waiting) == ["N1"]
        await until(lambda: len(chat.posts) == 2)
        await until(lambda: not house.engine.book.notes.waiting)
    first, second = chat.posts
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.notes == second.notes


async def test_beside_a_channel_that_refuses_another_is_told_at_once(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer, other: HookServer
) -> None:
    chat.status = 401
    who = contacts(
        channel("chat", chat, fallback="other", fallback_seconds=600.0),
        channel("other", other),
        team=("chat",),
    )
    async with telling(tmp_path, sandbox, who) as house:
        page(house, "one")
        await until(lambda: titles(other) == ["one"])
        (waiting,) = house.engine.book.notes.waiting.values()
        assert waiting.done == ("other",)
        assert [(one.line, one.fate) for one in told(house)] == [("other", Fate.SENT)]


async def test_a_note_is_given_up_when_its_time_is_over_and_the_next_is_tried(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer
) -> None:
    chat.status = 500
    who = contacts(channel("chat", chat, give_up_seconds=1.0))
    async with telling(tmp_path, sandbox, who) as house:
        page(house, "one")
        await until(lambda: [one.fate for one in told(house)] == [Fate.GIVEN_UP])
        assert "HTTP 500" in told(house)[0].reason
        chat.status = 200
        page(house, "two")
        await until(lambda: titles(chat) == ["two"])


async def test_what_a_channel_gives_up_goes_to_the_one_beside_it_however_soon_that_is(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer, other: HookServer
) -> None:
    chat.status = 500
    who = contacts(
        channel("chat", chat, give_up_seconds=0.5, fallback="other", fallback_seconds=600.0),
        channel("other", other),
        team=("chat",),
    )
    async with telling(tmp_path, sandbox, who) as house:
        page(house, "one")
        await until(lambda: not house.engine.book.notes.waiting)
        assert titles(other) == ["one"]
        ends = [(one.line, one.fate) for one in told(house)]
        assert ends == [("chat", Fate.GIVEN_UP), ("other", Fate.SENT)]


async def test_what_was_handed_on_has_all_the_time_of_the_channel_that_it_comes_to(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer, other: HookServer
) -> None:
    chat.status = other.status = 500
    who = contacts(
        channel("chat", chat, give_up_seconds=1.5, fallback="other", fallback_seconds=600.0),
        channel("other", other, give_up_seconds=1.5),
        team=("chat",),
    )
    async with telling(tmp_path, sandbox, who) as house:
        page(house, "one")
        await until(lambda: bool(other.tried))
        other.status = 200
        await until(lambda: titles(other) == ["one"])
        assert [(one.line, one.fate) for one in told(house)][-1] == ("other", Fate.SENT)


GONE = "it was for commander, and the contacts lead to nobody of that name any more"


async def test_a_note_for_whoever_left_the_contacts_goes_to_the_team_and_says_so(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer, other: HookServer
) -> None:
    who = contacts(channel("chat", chat), channel("other", other))
    async with telling(tmp_path, sandbox, who) as house:
        page(house, "one", "commander")
        await until(lambda: not house.engine.book.notes.waiting)
        assert titles(chat) == titles(other) == ["one"]
        assert chat.posts[0].document["notes"][0]["body"] == f"The team is told: {GONE}."
        ends = {(one.line, one.fate, one.reason) for one in told(house)}
        assert ends == {("chat", Fate.SENT, GONE), ("other", Fate.SENT, GONE)}


async def test_a_note_that_was_told_is_on_the_record_as_told_when_its_other_line_is_removed(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer, other: HookServer
) -> None:
    other.status = 500
    who = contacts(channel("chat", chat), channel("other", other))
    async with telling(tmp_path, sandbox, who) as house:
        page(house, "one")
        await until(lambda: told(house) and other.tried)
        left = contacts(channel("chat", chat))
        house.engine.policy = replace(house.engine.in_force(), contacts=left)
        await until(lambda: not house.engine.book.notes.waiting)
        why = "its other lines were taken out of the contacts"
        ends = [(one.line, one.fate, one.reason) for one in told(house)]
        assert ends == [("chat", Fate.SENT, ""), ("", Fate.SENT, why)]


async def test_what_nobody_can_be_told_of_waits_for_nobody(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer
) -> None:
    nobody = Contacts({"chat": channel("chat", chat)})
    async with telling(tmp_path, sandbox, nobody) as house:
        page(house, "one", "nobody-there")
        await until(lambda: [one.fate for one in told(house)] == [Fate.DROPPED])
        assert not chat.tried


async def test_a_service_that_keeps_matters_apart_gets_a_letter_for_each(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer
) -> None:
    await chat.shut()
    async with telling(tmp_path, sandbox, contacts(channel("chat", chat))) as house:
        for number in range(4):
            page(house, f"page {number}", key=f"action:a{number % 2}:ready")
        await asyncio.sleep(0.3)
        await chat.open()
        await until(lambda: len(titles(chat)) == 4, within=30)
    assert [post.document["key"] for post in chat.posts] == [
        f"sandbox/action:a{number % 2}:ready" for number in range(4)
    ]


async def test_that_nothing_can_be_recorded_is_told_past_the_record_once(
    tmp_path: Path, sandbox: Sandbox, chat: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "CRIED_AFTER_SECONDS", 0.2)
    who = contacts(channel("chat", chat))
    async with telling(tmp_path, sandbox, who, Filling) as house:
        disk(house).full = True
        page(house, "one")
        await until(lambda: chat.posts)
        assert titles(chat) == ["nothing can be recorded, so nothing acts: no room"]
        await asyncio.sleep(1.5)
        assert len(chat.posts) == 1
        disk(house).full = False
        house.engine.recorder.flush()
        await until(lambda: titles(chat)[1:] == ["one"])
        await until(lambda: not house.engine.book.notes.waiting)


async def test_mail_gets_a_storm_as_one_letter_with_its_first_and_last(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with MailServer() as mail:
        url = f"mailto://example.org?smtp=127.0.0.1&port={mail.port}&from=w@example.org&to={{to}}"
        own = Channel("mail", AppriseUrl(url=url), "all@example.org")
        async with telling(tmp_path, sandbox, contacts(own)) as house:
            draft = house.engine.recorder.draft()
            for number in range(30):
                draft.tell(
                    f"action:a{number}:ready", Severity.P2, f"storm {number}", f"body {number}"
                )
            house.engine.recorder.commit(draft)
            await until(lambda: mail.mails, within=30)
            await until(lambda: not house.engine.book.notes.waiting)
    (letter,) = mail.mails
    assert "storm 0\nbody 0" in letter.text
    assert "storm 29\nbody 29" in letter.text
    assert "* storm 1 (N2)" in letter.text
    assert "and 8 more" in letter.text


def test_pages_of_before_there_were_contacts_are_told_to_nobody() -> None:
    assert Paged("k", Severity.P2, "t", "b").note == ""
