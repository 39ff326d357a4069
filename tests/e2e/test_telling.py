"""People are told: by real mail and a real webhook, in order, and once under each name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.e2e.household import Refused, Watchdog
from tests.e2e.rulebook import ERRORS
from tests.e2e.senders import secret
from tests.real_parts.people import HookServer, MailServer
from watchdog.core.entries import Announced, NoteTold, Paged
from watchdog.core.telling.notes import Fate
from watchdog.sandbox.handle import Sandbox

KEY = "a-key-that-only-the-pipeline-knows"


def tell(watchdog: Watchdog, mail: MailServer, hook: HookServer) -> None:
    """A chat by webhook with mail beside it while it fails, and a person on call."""
    secret(watchdog, "hook", KEY)
    host = f"smtp=127.0.0.1&port={mail.port}"
    watchdog.rules.contacts = {
        "version": 1,
        "zone": "Europe/Zurich",
        "link": "https://watchdog.example.org",
        "channels": {
            "chat": {
                "webhook": hook.url,
                "hmac": "hook",
                "deadline": "1s",
                "fallback": "mail",
                "fallback_after": "2s",
            },
            "mail": {
                "url": f"mailto://example.org?{host}&from=watchdog@example.org&to={{to}}",
                "to": "incident-response@example.org",
            },
        },
        "people": {"ada": {"name": "Ada", "reach": {"mail": "ada@example.org"}}},
        "on-call": {"people": ["ada"]},
        "audiences": {"team": {"to": ["chat"]}},
        "escalation": {"P0": {"steps": [{"tell": ["on-call"]}], "updates": "30m"}},
    }


async def until(what: Callable[[], bool], within: float = 20.0) -> None:
    ends = time.monotonic() + within
    while not what():
        assert time.monotonic() < ends, "in vain"
        await asyncio.sleep(0.05)


async def test_a_pause_is_told_from_the_effect_to_the_end_once_and_in_order(
    sandbox: Sandbox, watchdog: Watchdog, mail: MailServer, hook: HookServer
) -> None:
    watchdog.rules.watch_errors()
    tell(watchdog, mail, hook)
    await watchdog.on_guard()
    await sandbox.break_redemption()
    episode = await watchdog.episode(ERRORS, state="contained")
    await until(lambda: any("contained" in post.document["body"] for post in hook.posts))

    assert all(post.is_signed_by(KEY) for post in hook.posts)
    notes = [note for post in hook.posts for note in post.notes]
    named = [f"sandbox/{page.note}" for page in watchdog.entries(Paged) if page.note]
    assert [note.rpartition("/")[0] for note in notes] == named  # each once, in the record's order
    last = hook.posts[-1].document
    assert last["subject"].startswith("[sandbox] P0 flag:btc_mainnet_redemption: contained")
    assert "read back: enabled: false" in last["subject"]
    assert f"Stop: slo-watchdog undo {episode.id}" in last["subject"]
    assert last["notes"][-1]["link"] == f"https://watchdog.example.org/episodes/{episode.id}"
    fates = {told.fate for told in watchdog.entries(NoteTold)}
    assert fates == {Fate.SENT}


@pytest.mark.sim
async def test_a_channel_that_is_down_is_told_later_and_another_at_once(
    sandbox: Sandbox, watchdog: Watchdog, mail: MailServer, hook: HookServer
) -> None:
    """The chat dies before the breach and comes back after it; the daemon dies in between."""
    watchdog.rules.watch_errors()
    tell(watchdog, mail, hook)
    await watchdog.on_guard()
    await hook.shut()
    await sandbox.break_redemption()
    await watchdog.episode(ERRORS, state="contained")
    await until(lambda: any("contained" in one.text for one in mail.mails))
    await watchdog.kill()
    await watchdog.start()
    await hook.open()
    await until(lambda: bool(hook.posts))
    await until(lambda: not watchdog.untold())

    notes = [note for post in hook.posts for note in post.notes]
    named = [f"sandbox/{page.note}" for page in watchdog.entries(Paged) if page.note]
    assert list(dict.fromkeys(note.rpartition("/")[0] for note in notes)) == named
    assert len({note.partition("/N")[2].partition("/")[0] for note in notes}) == len(set(notes))
    assert all(one.to == ("incident-response@example.org",) for one in mail.mails)


async def test_the_outside_is_told_what_a_person_saw_and_let_go(
    sandbox: Sandbox, watchdog: Watchdog, mail: MailServer, hook: HookServer
) -> None:
    watchdog.rules.watch_errors()
    tell(watchdog, mail, hook)
    watchdog.rules.contacts["audiences"]["community"] = {
        "to": [{"mail": "community@example.org"}],
        "outside": True,
    }
    await watchdog.on_guard()
    tried = await watchdog.command("notify", "test", "ada", "--yes")
    assert tried.status == 0, tried.output
    assert mail.mails[-1].to == ("ada@example.org",)
    await sandbox.break_redemption()
    episode = await watchdog.episode(ERRORS, state="contained")

    seen = await watchdog.order("announce", episode=episode.id, audiences=["community"], dry=True)
    outside = [one for one in mail.mails if one.to == ("community@example.org",)]
    assert not outside
    answer = await watchdog.command(
        "announce", episode.id, "--to", "community", "--said", "We look for the cause.", "--yes"
    )
    assert answer.status == 0, answer.output
    await until(lambda: any(one.to == ("community@example.org",) for one in mail.mails))
    (letter,) = [one for one in mail.mails if one.to == ("community@example.org",)]
    assert letter.subject == "Rollback Complete - System Restored" == seen["data"]["subject"]
    with pytest.raises(Refused, match="that you saw"):
        await watchdog.order("announce", episode=episode.id, audiences=["community"])
    assert "Next Steps: We look for the cause." in letter.text
    (announced,) = watchdog.entries(Announced)
    assert announced.body.strip() == letter.text.strip()

    refused = await watchdog.command("announce", episode.id, "--to", "team", "--yes")
    assert refused.status != 0
    assert "no audience outside; there are: community" in refused.output
