"""The two doors of the read-only port: who gets in, what it may bring, and what it is told."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route
from structlog.testing import capture_logs

from tests.e2e.senders import KEY, TOKEN, signed
from tests.engine.test_full_journal import Filling
from tests.web.policies import ERROR_RATE, policy
from tests.web.watching import HOSTS, Watch, watching
from watchdog.core.channels import Channel, EventReceived, EventSignal, Matcher
from watchdog.core.entries import EpisodeOpened
from watchdog.core.spec import RuleSpec, SourceSpec
from watchdog.core.words import Mode, Status
from watchdog.engine import DeployDesk, Orders, Views
from watchdog.ports import Journal
from watchdog.store import SqliteJournal
from watchdog.web.inbound import Inbound
from watchdog.web.inbound.doors import BODY_SECONDS
from watchdog.web.inbound.pace import Bucket
from watchdog.web.readonly import Health, readonly_app
from watchdog.wire.secrets import FileSecrets

SECURITY = SourceSpec("event:security", 5.0, 1.0, 4096, 1, Channel("hmac", "security-webhook"))
ALERTS = SourceSpec("event:alerts", 5.0, 1.0, 65536, 20, Channel("token", "alertmanager"))
OTHERS = SourceSpec("event:others", 5.0, 1.0, 65536, 20, Channel("token", "others"))
OTHER = "the-token-of-yet-another-one"
EVENT, ALERT, DEPLOY = "/api/v1/events", "/api/v1/alertmanager", "/api/v1/deploys"
INCIDENT: RuleSpec = replace(
    ERROR_RATE,
    name="security-incident",
    kind="event",
    source=SECURITY.name,
    signal=EventSignal("security", (Matcher("severity", "=", "critical"),), 3600.0),
    for_seconds=0.0,
    stale_after_seconds=60.0,
    playbook=None,
    mode=Mode.OBSERVE,
)


@asynccontextmanager
async def doors(
    folder: Path, journal: Callable[[SqliteJournal], Journal] = lambda real: real
) -> AsyncIterator[Watch]:
    """An engine that nobody but senders wakes."""
    for name, text in {"security-webhook": KEY, "alertmanager": TOKEN, "others": OTHER}.items():
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
    sources = {one.name: one for one in (SECURITY, ALERTS, OTHERS)}
    found = policy(sources, (INCIDENT,))
    async with watching(folder, found, runs=False, journal=journal) as watch:
        yield watch


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    async with doors(tmp_path) as found:
        yield found


def event(name: str = "inc-42", **more: Any) -> bytes:
    return json.dumps({"id": name, "labels": {"severity": "critical"}} | more).encode()


def alert(name: str = "fp42", **more: Any) -> dict[str, Any]:
    """As an Alertmanager 0.25 writes it."""
    return {
        "status": "firing",
        "labels": {"alertname": "MyceliaDown", "severity": "critical"},
        "annotations": {"summary": "it is down"},
        "startsAt": "2026-01-01T00:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": name,
    } | more


def alerts(*found: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"version": "4", "status": "firing", "alerts": found} | more).encode()


def shown(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def tell(watch: Watch, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """A signed event; `headers` in place of the right ones."""
    return await watch.web.post(EVENT, content=body, headers=headers or signed(body))


def told(watch: Watch) -> list[EventReceived]:
    """What is on record."""
    read = watch.engine.ports.journal.read()
    return [one.entry for one in read if isinstance(one.entry, EventReceived)]


def counted(watch: Watch, channel: str, result: str) -> float:
    labels = {"channel": channel, "result": result}
    found = watch.meters.registry.get_sample_value("slo_watchdog_events_total", labels)
    return found or 0.0


ANSWERS = "/api/v1/answers"

# -- the address -----------------------------------------------------------------------------------


async def test_of_all_addresses_only_these_take_a_body(watch: Watch) -> None:
    engine = watch.engine
    secrets = FileSecrets([])
    deploys = DeployDesk(engine)
    inbound = Inbound(
        engine.inbox, deploys, Orders(engine), engine.in_force, secrets, engine.ports.clock
    )
    health = Health(lambda: "", lambda: "")
    app = readonly_app(Views(engine), health, HOSTS, inbound=inbound)
    routes = [route for route in app.routes if isinstance(route, Route)]
    assert len(routes) == len(app.routes)
    taking = {one.path for one in routes if (one.methods or set()) - {"GET", "HEAD"}}
    assert taking == {EVENT, ALERT, DEPLOY, ANSWERS}
    for route in routes:
        path = route.path.replace("{name}", INCIDENT.name)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = await watch.web.request(method, path, content=b"{}")
            theirs = route.path in taking and method == "POST"
            assert answer.status_code == (401 if theirs else 405), (method, path)
    assert told(watch) == []


@pytest.mark.parametrize("path", [EVENT, ALERT])
async def test_they_show_nothing(watch: Watch, path: str) -> None:
    answer = await watch.get(path)
    assert (answer.status_code, answer.text) == (405, "Events are told here: POST only.\n")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", [EVENT, ALERT])
async def test_no_other_name_leads_to_them(watch: Watch, path: str) -> None:
    body = event()
    headers = {**signed(body), **shown(), "Host": "evil.example"}
    assert (await watch.web.post(path, content=body, headers=headers)).status_code == 400


# -- who -------------------------------------------------------------------------------------------

UNKNOWN = {"refused": "not authenticated"}


async def test_a_signed_event_is_on_record_before_it_is_answered(watch: Watch) -> None:
    answer = await tell(watch, event(summary="a key leaked"))
    assert (answer.status_code, answer.json()) == (200, {"recorded": "inc-42"})
    (entry,) = told(watch)
    assert (entry.channel, entry.id, entry.summary) == ("security", "inc-42", "a key leaked")
    assert watch.engine.memory.verdict(INCIDENT.name).status is Status.BREACHED  # type: ignore[union-attr]  # judged at once
    opened = list(watch.engine.ports.journal.read())
    assert any(isinstance(one.entry, EpisodeOpened) for one in opened)
    assert counted(watch, "security", "new") == 1


def _without(name: str) -> dict[str, str]:
    return {key: value for key, value in signed(event()).items() if key != name}


FORGED = {
    "no header at all": {"X": "y"},
    "no channel": _without("X-Watchdog-Channel"),
    "no timestamp": _without("X-Watchdog-Timestamp"),
    "no signature": _without("X-Watchdog-Signature"),
    "another key": signed(event(), key="another-key-of-somebody-else"),
    "another body": signed(event("inc-43")),
    "another time": {**signed(event()), "X-Watchdog-Timestamp": str(int(time.time()) - 1)},
    "a strange time": {**signed(event()), "X-Watchdog-Timestamp": "1e9"},
    "no such channel": signed(event(), channel="nobody"),
    "a token's channel": signed(event(), key=TOKEN, channel="alerts"),
    "no digest": {**signed(event()), "X-Watchdog-Signature": "sha256="},
    "letters": {**signed(event()), "X-Watchdog-Signature": "sha256=" + "é" * 64},
}


async def test_a_forged_event_is_told_nothing_and_starts_nothing(watch: Watch) -> None:
    for how, forged in FORGED.items():
        headers = [(key.encode(), value.encode()) for key, value in forged.items()]
        answer = await watch.web.post(EVENT, content=event(), headers=headers)
        assert (answer.status_code, answer.json()) == (401, UNKNOWN), how
    assert told(watch) == []
    refused = counted(watch, "security", "unauthenticated")
    assert refused + counted(watch, "unknown", "unauthenticated") == len(FORGED)


async def test_without_the_token_nothing_is_read(watch: Watch) -> None:
    wrong = ("", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é")
    for authorization in wrong:
        headers = [(b"Authorization", authorization.encode())]
        answer = await watch.web.post(ALERT, content=alerts(alert()), headers=headers)
        assert (answer.status_code, answer.json()) == (401, UNKNOWN), authorization
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (told(watch), counted(watch, "unknown", "unauthenticated")) == ([], len(wrong))


async def test_a_signature_counts_for_five_minutes(watch: Watch) -> None:
    for off, status in ((-290, 200), (290, 200), (-320, 401), (320, 401)):
        body = event(f"inc{off}".replace("+", "").replace("-", "."))
        answer = await tell(watch, body, signed(body, at=time.time() + off))
        assert answer.status_code == status, off
        if status == 401:
            way = "-3" if off < 0 else "+3"
            assert answer.json()["refused"].startswith(f"the timestamp is {way}")
    assert len(told(watch)) == 2
    assert counted(watch, "security", "not_fresh") == 2


async def test_the_token_tells_the_channel(watch: Watch) -> None:
    for token, name in ((OTHER, "theirs"), (TOKEN, "ours")):
        headers = shown(token)
        answer = await watch.web.post(ALERT, content=alerts(alert(name)), headers=headers)
        assert answer.json() == {"recorded": 1, "known": 0}
    assert [(one.channel, one.id) for one in told(watch)] == [
        ("others", "theirs"),
        ("alerts", "ours"),
    ]


async def test_two_keys_overlap_while_they_are_rotated(watch: Watch, tmp_path: Path) -> None:
    new = "a-new-key-that-only-security-knows"
    (tmp_path / "security-webhook").write_text(f"{KEY}\n{new}\n", encoding="utf-8")
    for key in (KEY, new):
        body = event(f"with-{key[:5]}")
        assert (await tell(watch, body, signed(body, key=key))).status_code == 200
    (tmp_path / "security-webhook").write_text(f"{new}\n", encoding="utf-8")
    body = event("inc-50")
    assert (await tell(watch, body)).status_code == 401
    assert (await tell(watch, body, signed(body, key=new))).status_code == 200


@pytest.mark.parametrize("text", [None, "", "short\n", f"{KEY}\n{KEY}1\n{KEY}2\n"])
async def test_without_a_usable_credential_the_sender_is_to_try_again(
    watch: Watch, tmp_path: Path, text: str | None
) -> None:
    for name in ("security-webhook", "alertmanager"):
        (tmp_path / name).unlink()
        if text is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
    answer = await tell(watch, event())
    posted = await watch.web.post(ALERT, content=alerts(alert()), headers=shown())
    assert (answer.status_code, posted.status_code) == (503, 503)
    assert told(watch) == []
    assert counted(watch, "security", "deaf") == counted(watch, "alerts", "deaf") == 1
    other = await watch.web.post(ALERT, content=alerts(alert()), headers=shown(OTHER))
    assert other.status_code == 200  # whose own credential is there


# -- again -----------------------------------------------------------------------------------------


async def test_a_replayed_event_is_refused_and_recorded_once(watch: Watch) -> None:
    body = event()
    headers = signed(body)
    answers = [await tell(watch, body, headers) for _ in range(3)]
    answers.append(await tell(watch, body, signed(body, at=time.time() + 5)))
    assert [one.status_code for one in answers] == [200, 409, 409, 409]
    assert answers[1].json() == {"refused": "inc-42 was told before: firing"}
    assert len(told(watch)) == 1
    over = event(status="resolved")
    again = [await tell(watch, over) for _ in range(2)]
    assert [one.status_code for one in again] == [200, 409]


async def test_an_alertmanager_that_repeats_is_answered_and_not_believed_twice(
    watch: Watch,
) -> None:
    said = []
    for status in ("firing", "firing", "resolved", "firing", "resolved"):
        ends = "2026-01-01T01:00:00Z" if status == "resolved" else "0001-01-01T00:00:00Z"
        body = alerts(alert(status=status, endsAt=ends), alert("fp43"))
        answer = await watch.web.post(ALERT, content=body, headers=shown())
        said.append(answer.json()["recorded"])
    assert said == [2, 0, 1, 0, 0]
    assert [(one.id, one.status.value) for one in told(watch)] == [
        ("fp42", "firing"), ("fp43", "firing"), ("fp42", "resolved"),
    ]  # fmt: skip
    assert counted(watch, "alerts", "repeated") > 0
    assert counted(watch, "alerts", "late") == 2


# -- what ------------------------------------------------------------------------------------------

MALFORMED = {
    "no json": b"{",
    "nothing": b"",
    "a list": b"[]",
    "deep": b"[" * 2000,
    "no id": b"{}",
    "an id with a path": event("../../etc/passwd"),
    "an unknown word": event(severity="critical"),
    "another status": event(status="acknowledged"),
    "a number as label": event(labels={"severity": 1}),
    "a strange label": event(labels={"a b": "c"}),
    "a long label": event(labels={"a": "c" * 4097}),
    "many labels": event(labels={f"a{number}": "c" for number in range(101)}),
    "no time": event(startsAt="yesterday"),
    "the future": event(startsAt="2999-01-01T00:00:00Z"),
    "half a character": event(summary="\ud800"),
    "no text": b"\xff\xfe",
}


async def test_what_says_nothing_is_refused_and_named(watch: Watch) -> None:
    for how, body in MALFORMED.items():
        answer = await tell(watch, body)
        assert answer.status_code in {413, 422}, how
        assert answer.json()["wrong"], how
    assert told(watch) == []


async def test_what_no_alertmanager_says_is_refused_whole(watch: Watch) -> None:
    bodies = (
        b"{}",
        alerts(alert(), alert(fingerprint="")),
        alerts(alert(), alert(startsAt="")),
        alerts(alert(), alert(status="pending")),
        alerts(alert(), truncatedAlerts=-1),
        alerts(alert(), truncatedAlerts=10**400),
        alerts(*(alert(f"fp{number}") for number in range(21))),
    )
    for body in bodies:
        answer = await watch.web.post(ALERT, content=body, headers=shown())
        assert answer.status_code == 422, body
    assert (told(watch), counted(watch, "alerts", "malformed")) == ([], len(bodies))


async def test_an_alert_that_begins_in_the_future_is_left_out_and_the_others_are_taken(
    watch: Watch,
) -> None:
    """Believed, it would make every real alert of its fingerprint look known."""
    body = alerts(alert(startsAt="9999-12-31T23:59:59Z"), alert("fp43"))
    with capture_logs() as logs:
        answer = await watch.web.post(ALERT, content=body, headers=shown())
    assert (answer.status_code, answer.json()) == (200, {"recorded": 1, "known": 0})
    assert counted(watch, "alerts", "in_future") == 1
    assert {"channel": "alerts", "result": "in_future"}.items() <= logs[0].items()
    answer = await watch.web.post(ALERT, content=alerts(alert()), headers=shown())
    assert answer.json() == {"recorded": 1, "known": 0}
    assert [one.id for one in told(watch)] == ["fp43", "fp42"]


async def test_words_of_later_alertmanagers_are_left_aside(watch: Watch) -> None:
    body = alerts(alert(newIdea=[1, 2]), truncatedAlerts=7, groupKey="{}", more={"a": None})
    answer = await watch.web.post(ALERT, content=body, headers=shown())
    assert answer.json() == {"recorded": 1, "known": 0}
    assert counted(watch, "alerts", "truncated") == 7


async def test_texts_from_outside_are_made_fit_for_the_record(watch: Watch) -> None:
    labels = {"severity": "crit\x1b[31mical", "token": "Bearer abcdefghijklmnop"}
    await tell(watch, event(labels=labels, summary="line\x00\x07 <b>one</b>" + "x" * 2000))
    (entry,) = told(watch)
    found = dict(entry.labels)
    assert "\x1b" not in found["severity"]
    assert "abcdefghijklmnop" not in found["token"]
    assert len(entry.summary) <= 500
    assert entry.summary.isprintable()
    assert watch.engine.book.heard.find("security", "inc-42").labels == entry.labels  # type: ignore[union-attr]  # it is there


async def test_a_summary_is_one_line_and_a_label_is_as_it_was_told(watch: Watch) -> None:
    lines = "a key leaked\r\n\tand\u2028nobody\u202e knows\n"
    await tell(watch, event(labels={"where": "here\nthere"}, summary=lines))
    body = alerts(alert(annotations={"description": lines}))
    await watch.web.post(ALERT, content=body, headers=shown())
    one, other = told(watch)
    assert one.summary == other.summary == "a key leaked and nobody knows"
    assert dict(one.labels)["where"] == "here\nthere", "rules match on it"


async def test_no_name_of_a_label_steers_a_page_or_passes_for_another(watch: Watch) -> None:
    strange = {"severity": "minor", "severity\x00": "critical", "\x1b[31m\u202e\nred": "x"}
    body = alerts(alert(labels=strange))
    assert (await watch.web.post(ALERT, content=body, headers=shown())).status_code == 200
    (entry,) = told(watch)
    assert all(name.isprintable() for name, _ in entry.labels)
    assert (len(entry.labels), dict(entry.labels)["severity"]) == (3, "minor")


# -- how much --------------------------------------------------------------------------------------


async def test_a_huge_body_is_refused_before_it_is_read(watch: Watch) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 65536

    refused = await tell(watch, b" " * 5000)
    assert (refused.status_code, refused.json()) == (413, {"wrong": "more than 4096 bytes"})
    for address, headers in ((EVENT, signed(b"")), (ALERT, shown())):
        # Whoever goes on sending is cut off, and may find that before the answer.
        with contextlib.suppress(httpx.ReadError, httpx.WriteError):
            answer = await watch.web.post(address, content=endless(), headers=headers)
            assert answer.status_code == 413
    assert counted(watch, "security", "too_large") == 2


async def test_on_a_full_disk_nothing_is_believed_and_the_sender_tries_again(
    tmp_path: Path,
) -> None:
    async with doors(tmp_path, Filling) as watch:
        disk = watch.engine.ports.journal
        assert isinstance(disk, Filling)
        disk.full = True
        refused = [
            await tell(watch, event()),
            await watch.web.post(ALERT, content=alerts(alert()), headers=shown()),
        ]
        assert [one.status_code for one in refused] == [503, 503]
        assert (told(watch), watch.engine.book.episodes) == ([], {})
        disk.full = False
        assert (await tell(watch, event())).status_code == 200
        assert [one.id for one in told(watch)] == ["inc-42"]
        assert counted(watch, "security", "not_recorded") == 1


async def hanging(watch: Watch, path: str, headers: dict[str, str]) -> tuple[bytes, float]:
    """A client that stops in mid-body: what it is answered, and after how long."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", watch.port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n{lines}\r\n"
    writer.write(head.encode() + b'{"id": "inc')
    try:
        answer = await reader.read(4096)
    finally:
        writer.transport.abort()
    return answer, time.monotonic() - began


async def test_who_hangs_in_mid_body_is_cut_off_and_holds_up_nobody(watch: Watch) -> None:
    both = [
        asyncio.create_task(hanging(watch, EVENT, signed(b""))),
        asyncio.create_task(hanging(watch, ALERT, shown())),
    ]
    await asyncio.sleep(0.3)
    began = time.monotonic()
    assert (await tell(watch, event())).status_code == 200
    assert time.monotonic() - began < 1.0
    for answer, lasted in await asyncio.gather(*both):
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert lasted < BODY_SECONDS + 1.0
    assert len(told(watch)) == 1
    assert counted(watch, "security", "too_slow") == counted(watch, "alerts", "too_slow") == 1


async def test_one_channel_tells_no_more_than_its_pace_and_others_go_on(watch: Watch) -> None:
    answers = [await tell(watch, event(f"inc-{number}")) for number in range(32)]
    assert [one.status_code for one in answers[:30]] == [200] * 30
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert len(told(watch)) < 32
    for number in range(40):  # who is not known takes nothing out of the bucket
        await tell(watch, event(f"x{number}"), signed(b"", channel="alerts"))
    posted = await watch.web.post(ALERT, content=alerts(alert()), headers=shown())
    assert posted.status_code == 200


def test_a_bucket_fills_again() -> None:
    bucket = Bucket(10.0, 2.0)
    assert [bucket.wait(5.0, 0.0) for _ in range(3)] == [0.0, 0.0, 2.5]
    assert bucket.wait(5.0, 2.5) == 0.0
    assert bucket.wait(100.0, 100.0) == 0.0  # what never fits is let through by a full one
    assert bucket.wait(1.0, 100.0) == 0.5
