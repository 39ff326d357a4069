"""People's answers by a message: a signed ack or hold, and nothing more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.senders import signed
from tests.web.policies import ERROR_RATE, policy
from tests.web.watching import Watch, watching
from watchdog.core import entries as e
from watchdog.core.channels import Channel
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Severity, World

KEY = "a-key-that-only-the-chat-knows"
ANSWERS = "/api/v1/answers"
CHAT = SourceSpec("event:chatops", 5.0, 1.0, 4096, 1, Channel("answers", "chat-key"))
OTHER = SourceSpec("event:security", 5.0, 1.0, 4096, 1, Channel("hmac", "security-webhook"))


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    for name in ("chat-key", "security-webhook"):
        (tmp_path / name).write_text(KEY + "\n", encoding="utf-8")
    rule = replace(ERROR_RATE, source=OTHER.name)
    found = policy({one.name: one for one in (CHAT, OTHER)}, (rule,))
    async with watching(tmp_path, found, runs=False) as watch:
        draft = watch.engine.recorder.draft()
        draft.add(
            e.EpisodeOpened("E1", rule.name, rule.owner, Severity.P0, World.LIVE, None, rule.sha256)
        )
        watch.engine.recorder.commit(draft)
        yield watch


async def say(watch: Watch, channel: str = "chatops", **said: Any) -> httpx.Response:
    body = json.dumps(said).encode()
    headers = signed(body, key=KEY, channel=channel)
    return await watch.web.post(ANSWERS, content=body, headers=headers)


async def test_an_ack_is_on_record_with_who_gave_it(watch: Watch) -> None:
    answer = await say(watch, do="ack", episode="E1", who="ada", reason="on it")
    assert answer.status_code == 200
    (entry,) = [
        one.entry for one in watch.engine.ports.journal.read() if isinstance(one.entry, e.Acked)
    ]
    assert (entry.episode, entry.actor, entry.reason) == ("E1", "ada by chatops", "on it")


async def test_a_hold_stops_all_and_ends_by_itself_and_told_again_is_one(watch: Watch) -> None:
    answer = await say(watch, do="hold", who="ada", **{"for": "1h"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["known"] is False
    again = await say(watch, do="hold", who="ada", **{"for": "1h"})
    assert again.json()["known"] is True
    assert again.json()["effect"].startswith("H1 stands already, until 20")
    (hold,) = watch.engine.book.holds.values()
    assert (hold.actor, hold.scope.kind) == ("ada by chatops", "all")
    assert hold.expires is not None

    longer = await say(watch, do="hold", who="ada", **{"for": "4h"})
    assert longer.json()["known"] is False
    shorter = await say(watch, do="hold", who="ada", **{"for": "10m"})
    assert shorter.json()["known"] is True, "what stands for longer covers it"
    ends = {one.id: one.expires for one in watch.engine.book.holds.values()}
    first, second = ends["H1"], ends["H2"]
    assert first is not None
    assert second is not None
    assert second.steady - first.steady == pytest.approx(3 * 3600, abs=60)


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        ({"do": "approve", "episode": "E1", "who": "ada"}, 422, "do"),
        ({"do": "undo", "episode": "E1", "who": "ada"}, 422, "do"),
        ({"do": "ack", "who": "ada"}, 422, "needs `episode`"),
        ({"do": "ack", "episode": "E1"}, 422, "who"),
        ({"do": "ack", "episode": "E9", "who": "ada"}, 409, "there is no episode E9"),
        ({"do": "hold", "who": "ada"}, 422, "needs `for`"),
        ({"do": "hold", "who": "ada", "for": "30d"}, 422, "a day at most"),
        ({"do": "hold", "who": "ada", "for": "1h", "rule": "nosuch"}, 409, "nosuch"),
        ({"do": "ack", "episode": "../E1", "who": "ada"}, 422, "episode"),
    ],
)
async def test_all_else_is_refused(
    watch: Watch, said: dict[str, Any], status: int, why: str
) -> None:
    answer = await say(watch, **said)
    assert (answer.status_code, why in answer.text) == (status, True), answer.text
    assert not watch.engine.book.holds


async def test_who_may_tell_of_events_may_not_answer_for_people(watch: Watch) -> None:
    answer = await say(watch, channel="security", do="ack", episode="E1", who="ada")
    assert answer.status_code == 401
    assert not watch.engine.book.episodes["E1"].acked_by
