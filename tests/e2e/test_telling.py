"""People are told: by real mail and a real webhook, in order, and once under each name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

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


@pytest.mark.sim
async def test_every_channel_dies_and_comes_back_in_mid_episode_and_so_does_the_daemon(
    sandbox: Sandbox, watchdog: Watchdog, mail: MailServer, hook: HookServer
) -> None:
    """One is dead before the breach, one dies after the pause, one hangs; none has another beside
    it. Each line tells everything in the record's order, and twice only under one name."""
    watchdog.rules.watch_errors()
    tell(watchdog, mail, hook)
    channels = watchdog.rules.contacts["channels"]
    for alone in ("fallback", "fallback_after"):
        del channels["chat"][alone]
    async with HookServer() as service:
        channels["service"] = {"url": f"json://127.0.0.1:{service.port}/", "deadline": "15s"}
        watchdog.rules.contacts["audiences"]["team"] = {"to": ["chat", "mail", "service"]}
        await watchdog.on_guard()
        await hook.shut()
        await sandbox.break_redemption()
        episode = await watchdog.episode(ERRORS, state="contained")
        await mail.shut()
        service.hangs = True
        await watchdog.command("ack", episode.id, "--yes")
        await watchdog.kill()
        await watchdog.start()
        await sandbox.mend_redemption()
        await watchdog.command("undo", episode.id, "-r", "mended", "--force", "--yes")
        await hook.open()
        await mail.open()
        await service.shut()  # whoever hangs there is cut off
        service.hangs = False
        await service.open()
        await watchdog.episode(ERRORS, state="ok")
        await until(lambda: not watchdog.untold(), within=150)

        pages = [page for page in watchdog.entries(Paged) if page.note]
        assert {"rollback-announced", "incident-resolved"} <= {str(page.topic) for page in pages}
        named = [f"sandbox/{page.note}" for page in pages]
        chat = [note for post in hook.posts for note in post.notes]
        assert [one.rpartition("/")[0] for one in dict.fromkeys(chat)] == named
        titles = [page.title for page in pages]
        letters = [f"{one.subject}\n{one.text}" for one in mail.mails]
        assert told_in_order(titles, letters)
        sent = [f"{post.document['title']}\n{post.document['message']}" for post in service.posts]
        assert told_in_order(titles, sent)
        for names, texts in (
            ([str(one.message["X-Watchdog-Id"]) for one in mail.mails], letters),
            ([post.headers["x-watchdog-id"] for post in service.posts], sent),
        ):
            for title in titles:
                under = {name for name, text in zip(names, texts, strict=True) if title in text}
                assert len(under) == 1, f"{title} is told under {under}"
    fates = {told.fate for told in watchdog.entries(NoteTold)}
    assert fates == {Fate.SENT}


def told_in_order(titles: list[str], letters: list[str]) -> bool:
    """Whether each title stands in a letter, none in an earlier one than the title before it."""
    at = 0
    for title in titles:
        while at < len(letters) and title not in letters[at]:
            at += 1
    return at < len(letters)


async def test_a_test_says_which_lines_took_it_and_which_did_not(
    watchdog: Watchdog, mail: MailServer, hook: HookServer
) -> None:
    tell(watchdog, mail, hook)
    watchdog.rules.contacts["people"]["ada"]["reach"] = {"chat": "ada", "mail": "ada@example.org"}
    await watchdog.start()
    tried = await watchdog.command("notify", "test", "ada", "--yes")
    assert tried.status == 0, tried.output
    assert mail.mails[-1].to == ("ada@example.org",)

    hook.status = 403
    tried = await watchdog.command("notify", "test", "on-call", "--yes")
    said = ["chat ada: not told: HTTP 403", "mail ada@example.org: told"]
    assert (tried.status, tried.output.splitlines()) == (1, said)
    assert len(mail.mails) == 2
    unknown = await watchdog.command("notify", "test", "eva", "--yes")
    assert unknown.status == 4
    names = "there are: ada, chat, mail, next-on-call, on-call, team"
    assert f"the contacts have no eva; {names}" in unknown.output


async def test_a_test_reaches_nobody_outside_unless_it_is_said(
    watchdog: Watchdog, mail: MailServer, hook: HookServer
) -> None:
    tell(watchdog, mail, hook)
    contacts = watchdog.rules.contacts
    contacts["people"]["press"] = {
        "name": "Press", "reach": {"mail": "press@example.org"}, "outside": True,
    }  # fmt: skip
    contacts["roles"] = {"spokesman": {"title": "Spokesman", "people": ["ada", "press"]}}
    contacts["audiences"]["staff"] = {"to": ["spokesman"]}
    await watchdog.start()
    for name in ("press", "spokesman", "staff"):
        tried = await watchdog.command("notify", "test", name, "--yes")
        assert tried.status == 4
        assert "press would get the test and is outside: nothing was sent." in tried.output
        assert f"slo-watchdog notify test {name} --outside" in tried.output
    assert mail.mails == []
    told = await watchdog.command("notify", "test", "press", "--outside", "--yes")
    assert (told.status, told.output.strip()) == (0, "mail press@example.org: told")
    assert mail.mails[-1].to == ("press@example.org",)


async def test_a_channel_without_its_credential_is_told_before_it_is_needed(
    watchdog: Watchdog, mail: MailServer, hook: HookServer
) -> None:
    tell(watchdog, mail, hook)
    await watchdog.start()
    calm = await watchdog.command("status")
    assert "nobody is told by" not in calm.output
    watchdog.rules.contacts["channels"]["sms"] = {"apprise": "apprise-sms"}
    watchdog.rules.save()
    await watchdog.order("apply")

    async def told() -> bool:
        return (
            "nobody is told by sms: credential apprise-sms"
            in (await watchdog.command("status")).output
        )

    await watchdog.until("status tells it after an apply", told)
    handed = (await watchdog.command("handover")).output
    assert "nobody is told by sms: credential apprise-sms does not exist" in handed
    assert 'slo_watchdog_channel_failing{channel="sms"} 1.0' in await watchdog.page("/metrics")
    assert 'slo_watchdog_channel_failing{channel="mail"} 0.0' in await watchdog.page("/metrics")
    assert "credential.missing" in watchdog._log()  # our own
    secret(watchdog, "apprise-sms", "json://127.0.0.1:1/")

    async def found() -> bool:
        return not await told()

    await watchdog.until("it is there", found)


async def test_who_is_on_call_is_called_when_a_rule_cannot_see_and_hears_when_it_can_again(
    sandbox: Sandbox, watchdog: Watchdog, mail: MailServer, hook: HookServer
) -> None:
    watchdog.rules.watch_errors(on_blind={"page_after": "1s"})
    tell(watchdog, mail, hook)
    await watchdog.on_guard()

    def heard(what: str) -> bool:
        return any(one.to == ("ada@example.org",) and what in one.text for one in mail.mails)

    sandbox.fault("metrics", "html")
    await until(lambda: heard(f"you are called: {ERRORS} is blind"))
    assert not any("can be judged again" in post.document["body"] for post in hook.posts)
    sandbox.clear_faults("metrics")
    await until(lambda: heard("no rule of P0 calls any more"))
    await until(lambda: any("can be judged again" in p.document["body"] for p in hook.posts))
    assert [post.document["phase"] for post in hook.posts] == ["opened", "ended"]
    assert len({post.document["key"] for post in hook.posts}) == 1


async def test_the_outside_is_told_what_a_person_saw_and_let_go(
    sandbox: Sandbox, watchdog: Watchdog, mail: MailServer, hook: HookServer, tmp_path: Path
) -> None:
    watchdog.rules.watch_errors()
    tell(watchdog, mail, hook)
    site = tmp_path / "site.json"
    site.write_text("{}")
    redemption = {
        "name": "Redemptions of BTC",
        "targets": ["flag:btc_mainnet_redemption"],
        "summary": "No BTC can be redeemed, as a precaution.",
        "impact": "Balances are not affected.",
    }
    watchdog.rules.contacts["status-pages"] = {
        "site": {"file": str(site), "host": "any", "components": {"redemption": redemption}}
    }
    watchdog.rules.contacts["audiences"]["community"] = {
        "to": [{"mail": "community@example.org"}],
        "outside": True,
    }
    await watchdog.on_guard()
    await sandbox.break_redemption()
    episode = await watchdog.episode(ERRORS, state="contained")

    await watchdog.command("impact", episode.id, "--affected", "40", "--yes")
    seen = await watchdog.order("announce", episode=episode.id, audiences=["community"], dry=True)
    outside = [one for one in mail.mails if one.to == ("community@example.org",)]
    assert not outside
    answer = await watchdog.command(
        "announce", episode.id, "--to", "community", "--said", "We look for the cause.", "--yes"
    )
    assert answer.status == 0, answer.output
    assert "A1 is let go, and sent to community by mail community@example.org:" in answer.output
    await until(lambda: any(one.to == ("community@example.org",) for one in mail.mails))
    (letter,) = [one for one in mail.mails if one.to == ("community@example.org",)]
    paused = "Rollback Complete - Redemptions of BTC in a Safe State"
    assert letter.subject == paused == seen["data"]["subject"]
    with pytest.raises(Refused, match="that you saw"):
        await watchdog.order("announce", episode=episode.id, audiences=["community"])
    assert "Next Steps: We look for the cause." in letter.text
    assert letter.text.startswith("As we have verified, Redemptions of BTC is back in a safe state")
    assert "Status: No BTC can be redeemed, as a precaution." in letter.text
    assert "Impact: 40 users affected; Balances are not affected." in letter.text
    assert "flag:" not in letter.text
    (announced,) = watchdog.entries(Announced)
    assert announced.body.strip() == letter.text.strip()

    refused = await watchdog.command("announce", episode.id, "--to", "team", "--yes")
    assert refused.status != 0
    assert "no audience outside; there are: community" in refused.output
