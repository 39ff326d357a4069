"""What a metric or a command says wakes nobody, leads nowhere and is not dropped, in any chat."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.notify.test_channels import a_letter
from tests.real_parts.people import HookServer
from watchdog.core.telling.contacts import AppriseUrl, Channel
from watchdog.notify import open_notifier
from watchdog.notify.disarming import BREAK, disarmed
from watchdog.ports import Delivered
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

HOSTILE = (
    "@everyone <!channel> <@U1> [all is well](http://elsewhere.example) ||hidden|| ~~struck~~ "
    "<b>bold</b> <none> (@here) @**all** v1.2-@channel [x]: http://elsewhere.example"
)
TELEGRAM = """
import json, sys, apprise
from apprise.plugins.telegram import NotifyTelegram
asked = json.load(sys.stdin)
NotifyTelegram.notify_url = asked["at"]
service = apprise.Apprise.instantiate("tgram://123456789:abcdefg_hijklmnop/12315544")
for body in asked["bodies"]:
    assert service.notify(body=body, title="", body_format=apprise.NotifyFormat.TEXT)
"""


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets([tmp_path]))
    yield wire
    await wire.aclose()


def test_every_mark_is_broken_and_every_letter_is_left() -> None:
    safe = disarmed(HOSTILE)
    assert safe.replace(BREAK, "") == HOSTILE
    for mark in ("@e", "@h", "<!", "<@", "](", "||", "~~", "<b", "</", "<n", "@*", "@c", "]:"):
        assert mark in HOSTILE
        assert mark not in safe


@pytest.mark.parametrize(
    "text",
    [
        "[production] P0 flag:x: the ratio is 0.5, < 1; at most 3 | 4",
        "mail ada@example.org, or dial +49 30 123",
        "slo-watchdog hold 'rule:peg' --for 30m --reason \"we are looking\"",
        "* a ~ b, x[0] (of 3), 5 > 4",
    ],
)
def test_what_we_say_ourselves_is_left_alone(text: str) -> None:
    assert disarmed(text) == text


async def test_a_chat_that_reads_everything_as_markup_gets_none(wire: Wire) -> None:
    """Mattermost, as Apprise speaks to it."""
    async with HookServer() as chat:
        url = f"mmost://127.0.0.1:{chat.port}/{'k' * 24}"
        letter = a_letter(subject="[sandbox] @all", body=HOSTILE)
        notifier = open_notifier(Channel("chat", AppriseUrl(url=url)), wire)
        sent = await notifier.send(letter, "", deadline_seconds=30.0)
        assert sent.result is Delivered.SENT, sent.reason
        (post,) = chat.posts
    text = json.loads(post.body)["text"]
    assert text.splitlines() == [disarmed("[sandbox] @all"), disarmed(HOSTILE)]


async def test_a_service_that_reads_tags_drops_nothing() -> None:
    """Telegram, by Apprise's own hand, which leaves out what it takes for a tag."""
    async with HookServer() as chat:
        argv = (sys.executable, "-I", "-c", TELEGRAM)
        asked = {"at": f"http://127.0.0.1:{chat.port}/bot", "bodies": [HOSTILE, disarmed(HOSTILE)]}
        sender = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.PIPE)
        async with asyncio.timeout(60):
            await sender.communicate(json.dumps(asked).encode())
        assert sender.returncode == 0
        raw, safe = (json.loads(post.body)["text"] for post in chat.posts)
    assert "none" not in raw, "if it keeps it by now, this test proves nothing"
    for word in ("everyone", "channel", "U1", "hidden", "bold", "none"):
        assert word in safe
