"""By which people are told: a webhook and Apprise, told, refused, hung, and clean of secrets."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real_parts.people import HookServer, MailServer
from watchdog.core.asking import Endpoint
from watchdog.core.telling.contacts import AppriseUrl, Channel, Webhook
from watchdog.notify import open_notifier
from watchdog.notify.apprise_url import filled
from watchdog.ports import Delivered, Delivery, Letter, Phase
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

KEY = "only-we-and-they-know-this"


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    (tmp_path / "hook").write_text(KEY + "\n")
    wire = Wire(FileSecrets([tmp_path]))
    yield wire
    await wire.aclose()


@pytest.fixture
async def hook() -> AsyncIterator[HookServer]:
    async with HookServer() as server:
        yield server


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


def a_letter(**different: object) -> Letter:
    notes = json.dumps([{"id": "sandbox/N4/1"}])
    letter = {
        "identity": "sandbox/N4/1",
        "key": "sandbox/episode:E2",
        "phase": Phase.OPENED,
        "urgent": True,
        "subject": "[sandbox] P0 flag:x: latched <!channel> & more",
        "body": "first line\nsecond line <b>bold</b>",
        "data": notes,
        **different,
    }
    return Letter(**letter)  # type: ignore[arg-type]  # fields by name


async def post(wire: Wire, hook: HookServer, *, deadline: float = 5.0) -> Delivery:
    channel = Channel("hook", Webhook(Endpoint(hook.url), "hook"))
    return await open_notifier(channel, wire).send(a_letter(), "", deadline_seconds=deadline)


async def write(
    wire: Wire,
    mail: MailServer,
    to: str = "ada@example.org",
    *,
    deadline: float = 30.0,
    url: str = "",
) -> Delivery:
    own = f"mailto://example.org?smtp=127.0.0.1&port={mail.port}&from=w@example.org&to={{to}}"
    channel = Channel("mail", AppriseUrl(url=url or own))
    return await open_notifier(channel, wire).send(a_letter(), to, deadline_seconds=deadline)


async def test_a_webhook_is_signed_and_named_so_that_twice_is_once(
    wire: Wire, hook: HookServer
) -> None:
    assert (await post(wire, hook)).result is Delivered.SENT
    assert (await post(wire, hook)).result is Delivered.SENT
    first, second = hook.posts
    assert first.is_signed_by(KEY)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "sandbox/N4/1"
    assert first.document["key"] == "sandbox/episode:E2"
    assert first.notes == ["sandbox/N4/1"]


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (401, Delivered.REFUSED),
        (404, Delivered.REFUSED),
        (408, Delivered.NOT_SENT),
        (429, Delivered.NOT_SENT),
        (500, Delivered.NOT_SENT),
        (503, Delivered.NOT_SENT),
    ],
)
async def test_what_a_webhook_answers_decides_whether_it_is_tried_soon(
    wire: Wire, hook: HookServer, status: int, wanted: Delivered
) -> None:
    hook.status, hook.retry_after = status, "7"
    found = await post(wire, hook)
    assert (found.result, found.retry_after_seconds) == (wanted, 7.0)
    assert found.reason == f"HTTP {status}"


async def test_a_webhook_that_hangs_costs_its_deadline_and_no_more(
    wire: Wire, hook: HookServer
) -> None:
    hook.hangs = True
    began = time.monotonic()
    found = await post(wire, hook, deadline=0.5)
    assert found.result is Delivered.NOT_SENT
    assert time.monotonic() - began < 5.0


async def test_a_webhook_without_its_key_is_refused_by_name(tmp_path: Path) -> None:
    wire = Wire(FileSecrets([tmp_path]))
    try:
        async with HookServer() as hook:
            found = await post(wire, hook)
            assert found.result is Delivered.REFUSED
            assert "credential hook does not exist" in found.reason
            assert not hook.tried
    finally:
        await wire.aclose()


async def test_mail_arrives_with_its_name_and_as_it_was_written(
    wire: Wire, mail: MailServer
) -> None:
    assert (await write(wire, mail)).result is Delivered.SENT
    (got,) = mail.mails
    assert got.to == ("ada@example.org",)
    assert got.subject == a_letter().subject
    assert got.text.strip() == a_letter().body
    assert got.message["X-Watchdog-Id"] == "sandbox/N4/1"


async def test_mail_that_is_not_taken_is_not_sent(wire: Wire, mail: MailServer) -> None:
    mail.refuses = True
    found = await write(wire, mail)
    assert found.result is Delivered.NOT_SENT
    await mail.shut()
    found = await write(wire, mail)
    assert found.result is Delivered.NOT_SENT
    assert found.reason


async def test_a_mail_server_that_hangs_is_cut_off_with_its_process(
    wire: Wire, hook: HookServer, mail: MailServer
) -> None:
    hook.hangs = True
    url = f"mailto://example.org?smtp=127.0.0.1&port={hook.port}&from=w@example.org&to={{to}}"
    began = time.monotonic()
    found = await write(wire, mail, deadline=2.0, url=url)
    assert found.result is Delivered.NOT_SENT
    assert "did not end within 2 s, killed" in found.reason
    assert time.monotonic() - began < 10.0


async def test_what_went_wrong_is_told_without_the_secrets_of_the_url(
    wire: Wire, hook: HookServer, mail: MailServer
) -> None:
    hook.status = 403
    url = f"json://user:hunter2-secret@127.0.0.1:{hook.port}/token-abcdef?x=another-secret"
    found = await write(wire, mail, url=url)
    assert found.result is Delivered.NOT_SENT
    assert hook.tried == 1
    for secret in ("hunter2", "token-abcdef", "another-secret"):
        assert secret not in found.reason


@pytest.mark.parametrize("url", ["nosuchservice://x", "mailto://", "not a url"])
async def test_a_url_that_apprise_does_not_know_is_refused(
    wire: Wire, mail: MailServer, url: str
) -> None:
    found = await write(wire, mail, url=url)
    assert found.result is Delivered.REFUSED
    assert "Apprise" in found.reason


async def test_a_channel_for_persons_needs_one(wire: Wire, mail: MailServer) -> None:
    found = await write(wire, mail, to="")
    assert found.result is Delivered.REFUSED
    assert "asks for an address" in found.reason


def test_what_is_put_into_a_url_stays_in_its_place() -> None:
    letter = a_letter(key="sandbox/episode:E2?x=1&y", phase=Phase.ENDED)
    url = filled(
        "pagerduty://KEY@API?dedup={key}&action={phase}&who={to}",
        letter,
        "a&b=c/d",
        {"opened": "trigger", "ended": "resolve"},
    )
    assert url == (
        "pagerduty://KEY@API?dedup=sandbox%2Fepisode%3AE2%3Fx%3D1%26y&action=resolve"
        "&who=a%26b%3Dc%2Fd"
    )


async def test_a_url_that_is_none_is_refused_and_not_shown(tmp_path: Path, wire: Wire) -> None:
    (tmp_path / "broken").write_text("mailto://[TokenAAAA")
    channel = Channel("chat", AppriseUrl("broken", ""))
    told = await open_notifier(channel, wire).send(a_letter(), "", deadline_seconds=20.0)
    assert told.result is Delivered.REFUSED
    assert "Token" not in told.reason
