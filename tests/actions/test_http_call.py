"""Pausing by a request: what each answer, and each silence, says about the effect."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.actions.conftest import AT, Service, full_listener, with_token
from watchdog.actions import open_actuator
from watchdog.core.spec import Command, Endpoint, Header, HttpCall
from watchdog.core.words import CheckReading, Truth
from watchdog.ports import Attempt, Attempted
from watchdog.wire.http import Wire

PAUSE = '{"enabled": false}'


async def attempt(wire: Wire, how: HttpCall, *, deadline_seconds: float = 5.0) -> Attempt:
    return await open_actuator(wire).attempt(how, key="intent-7", deadline_seconds=deadline_seconds)


async def ready(wire: Wire, how: HttpCall, *, deadline_seconds: float = 5.0) -> CheckReading:
    found = await open_actuator(wire).preflight(how, at=AT, deadline_seconds=deadline_seconds)
    return found.reading


def pause(url: str) -> HttpCall:
    return HttpCall("PUT", with_token(f"{url}/api/feature-flags/redemption"), PAUSE)


# -- what is sent ----------------------------------------------------------------------------------


async def test_the_request_is_sent_as_described_with_the_intents_key(
    service: Service, wire: Wire
) -> None:
    service.answers(200, '{"enabled": false}')

    made = await attempt(wire, pause(service.url))

    assert made.result is Attempted.CLAIMED
    assert made.output == '{"enabled": false}'
    assert made.reason == (f"PUT {service.url}/api/feature-flags/redemption answered 200 OK")
    (request,) = service.requests
    assert request.line == "PUT /api/feature-flags/redemption HTTP/1.1"
    assert request.body == PAUSE
    assert request.headers["idempotency-key"] == "intent-7"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer s3cr3t-of-the-flags"


async def test_a_rotated_credential_is_used_at_once_and_neither_is_told(
    service: Service, wire: Wire, credentials: Path
) -> None:
    service.answers(200, '{"you sent": "s3cr3t-of-the-flags"}')
    before = await attempt(wire, pause(service.url))
    (credentials / "flags-token").write_text("an-entirely-new-one")
    service.answers(401, '{"you sent": "an-entirely-new-one"}')
    after = await attempt(wire, pause(service.url))

    sent = [request.headers["authorization"] for request in service.requests]
    assert sent == ["Bearer s3cr3t-of-the-flags", "Bearer an-entirely-new-one"]
    assert before.output == after.output == '{"you sent": "***"}'


async def test_a_credential_rotated_in_the_middle_is_hidden_old_and_new(
    service: Service, wire: Wire, credentials: Path
) -> None:
    service.rotates_meanwhile(credentials / "flags-token", "an-entirely-new-one")

    made = await attempt(wire, pause(service.url))

    assert made.output == '{"enabled": "*** ***"}'


# -- what is answered ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Attempted.CLAIMED),
        (201, Attempted.CLAIMED),
        (202, Attempted.CLAIMED),
        (204, Attempted.CLAIMED),
        (302, Attempted.UNKNOWN),
        (304, Attempted.UNKNOWN),
        (400, Attempted.REFUSED),
        (401, Attempted.REFUSED),
        (403, Attempted.REFUSED),
        (404, Attempted.REFUSED),
        (405, Attempted.REFUSED),
        (408, Attempted.UNKNOWN),
        (409, Attempted.CONFLICT),
        (412, Attempted.CONFLICT),
        (422, Attempted.REFUSED),
        (423, Attempted.NOT_DONE),
        (428, Attempted.REFUSED),
        (429, Attempted.NOT_DONE),
        (451, Attempted.REFUSED),
        (500, Attempted.UNKNOWN),
        (502, Attempted.UNKNOWN),
        (503, Attempted.UNKNOWN),
        (504, Attempted.UNKNOWN),
        (599, Attempted.UNKNOWN),
    ],
)
async def test_what_each_status_says(
    service: Service, wire: Wire, status: int, result: Attempted
) -> None:
    service.answers(status, "" if status in {204, 304} else '{"said": "so"}')

    made = await attempt(wire, pause(service.url))

    assert made.result is result
    assert str(status) in made.reason
    assert len(service.requests) == 1  # one attempt is one request, whatever comes


async def test_too_many_requests_says_when_to_come_back(service: Service, wire: Wire) -> None:
    service.answers(429, retry_after="7")

    made = await attempt(wire, pause(service.url))

    assert (made.result, made.retry_after_seconds) == (Attempted.NOT_DONE, 7.0)


@pytest.mark.parametrize(
    ("date", "retry_after", "seconds"),
    [
        # By the server's own clock, however wrong that is.
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed Oct 21 07:28:05 2015", 5.0),
        ("nonsense", "soon", None),
        ("", "-5", None),
        ("", "9" * 400, None),
        ("", "1.5", None),
        ("", "", None),
        ("", "Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
async def test_retry_after_may_be_a_date(
    service: Service, wire: Wire, date: str, retry_after: str, seconds: float | None
) -> None:
    service.answers(429, retry_after=retry_after, date=date)

    assert (await attempt(wire, pause(service.url))).retry_after_seconds == seconds


async def test_a_date_without_the_servers_clock_is_held_against_ours(
    service: Service, wire: Wire
) -> None:
    service.answers(503, retry_after=formatdate(time.time() + 60, usegmt=True))

    made = await attempt(wire, pause(service.url))

    assert made.result is Attempted.UNKNOWN
    assert made.retry_after_seconds == pytest.approx(60, abs=3)


async def test_a_long_answer_is_kept_only_in_part(service: Service, wire: Wire) -> None:
    service.answers(400, "x" * 500_000)

    made = await attempt(wire, pause(service.url))

    assert made.result is Attempted.REFUSED
    assert len(made.output) == 2000


# -- silence ---------------------------------------------------------------------------------------


async def test_a_refused_connection_is_not_done(nobody: str, wire: Wire) -> None:
    made = await attempt(wire, pause(nobody))

    assert made.result is Attempted.NOT_DONE
    assert "refused" in made.reason


async def test_an_unknown_host_is_not_done(wire: Wire) -> None:
    made = await attempt(wire, pause("http://flags.invalid"))

    assert made.result is Attempted.NOT_DONE


async def test_a_server_without_tls_is_not_done(wire: Wire) -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        made = await attempt(wire, pause(f"https://127.0.0.1:{port}"))

    assert made.result is Attempted.NOT_DONE
    assert made.reason


async def test_a_missing_credential_sends_nothing(
    service: Service, wire: Wire, credentials: Path
) -> None:
    (credentials / "flags-token").unlink()

    made = await attempt(wire, pause(service.url))

    assert made.result is Attempted.NOT_DONE
    assert "flags-token" in made.reason
    assert service.connections == 0


async def test_a_server_that_never_takes_the_connection_is_not_done(wire: Wire) -> None:
    """Its queue of connections is full, so the handshake never ends: nothing was sent."""
    async with full_listener() as port:
        made = await attempt(wire, pause(f"http://127.0.0.1:{port}"), deadline_seconds=0.5)

    assert made.result is Attempted.NOT_DONE
    assert "no connection within 0.5 s" in made.reason


async def test_a_server_that_hangs_after_reading_leaves_it_open(
    service: Service, wire: Wire
) -> None:
    service.hangs_after_reading()
    began = time.monotonic()

    made = await attempt(wire, pause(service.url), deadline_seconds=0.5)

    assert 0.4 < time.monotonic() - began < 1.5
    assert made.result is Attempted.UNKNOWN
    assert len(service.requests) == 1


async def test_an_answer_that_drips_leaves_it_open(service: Service, wire: Wire) -> None:
    service.drips("x" * 100)
    began = time.monotonic()

    made = await attempt(wire, pause(service.url), deadline_seconds=0.5)

    assert time.monotonic() - began < 1.5
    assert made.result is Attempted.UNKNOWN


@pytest.mark.parametrize(
    "after", ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", "hello\r\n"]
)
async def test_a_broken_answer_leaves_it_open_and_is_not_repeated(
    service: Service, wire: Wire, after: str
) -> None:
    service.breaks_off(after)

    made = await attempt(wire, pause(service.url))

    assert made.result is Attempted.UNKNOWN
    assert len(service.requests) == 1


async def test_a_flood_leaves_it_open(service: Service, wire: Wire) -> None:
    service.answers(200, "x" * 2_000_000)

    made = await attempt(wire, pause(service.url))

    assert made.result is Attempted.UNKNOWN
    assert made.output == ""


async def test_a_cancelled_attempt_harms_no_later_one(service: Service, wire: Wire) -> None:
    service.hangs_after_reading()
    running = asyncio.create_task(attempt(wire, pause(service.url)))
    await asyncio.sleep(0.2)
    assert service.requests
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    service.answers(200)

    assert (await attempt(wire, pause(service.url))).result is Attempted.CLAIMED


# -- preflight -------------------------------------------------------------------------------------


async def test_a_service_that_listens_is_ready_and_gets_no_request(
    service: Service, wire: Wire
) -> None:
    reading = await ready(wire, pause(service.url))

    assert reading.truth is Truth.TRUE
    assert "takes connections" in reading.reason
    await asyncio.sleep(0.05)
    assert service.connections == 1
    assert service.requests == []


async def test_a_name_is_looked_up(service: Service, wire: Wire) -> None:
    reading = await ready(wire, pause(service.url.replace("127.0.0.1", "localhost")))

    assert reading.truth is Truth.TRUE


async def test_where_nobody_listens_it_is_not_ready(nobody: str, wire: Wire) -> None:
    reading = await ready(wire, pause(nobody))

    assert reading.truth is Truth.FALSE
    assert "nobody listens" in reading.reason


async def test_what_cannot_be_found_out_is_unknown(wire: Wire) -> None:
    assert (await ready(wire, pause("http://flags.invalid"))).truth is Truth.UNKNOWN
    async with full_listener() as port:
        reading = await ready(wire, pause(f"http://127.0.0.1:{port}"), deadline_seconds=0.3)
    assert reading.truth is Truth.UNKNOWN
    assert "no connection within 0.3 s" in reading.reason


async def test_what_is_missing_on_our_side_is_said(
    service: Service, wire: Wire, credentials: Path
) -> None:
    url = service.url
    no_secret = HttpCall("PUT", Endpoint(url, (Header("A", secret="nosuch"),)))
    no_ca = HttpCall("PUT", Endpoint(url, ca_file=str(credentials / "nosuch.pem")))
    for how, reason in (
        (no_secret, "nosuch"),
        (no_ca, "nosuch.pem"),
        (HttpCall("PUT", Endpoint(url), "{not json"), "not JSON"),
        (HttpCall("PUT", Endpoint("ftp://host/")), "http:// and https://"),
        (HttpCall("PUT", Endpoint("http://[::1")), "cannot be read"),
    ):
        reading = await ready(wire, how)
        assert reading.truth is Truth.FALSE
        assert reason in reading.reason
    assert service.connections == 0


async def test_one_actuator_does_both(service: Service, wire: Wire) -> None:
    service.answers(200)
    actuator = open_actuator(wire)

    by_tool = await actuator.attempt(Command(("true",)), key="k", deadline_seconds=5)
    by_call = await actuator.attempt(pause(service.url), key="k", deadline_seconds=5)

    assert by_tool.result is by_call.result is Attempted.CLAIMED
    found = await actuator.preflight(Command(("true",)), at=AT, deadline_seconds=5)
    assert found.reading.truth is Truth.TRUE
