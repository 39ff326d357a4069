"""Reading a flag back: what the endpoint says, and when it says nothing that counts."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.actions.conftest import AT, Service, full_listener, with_token
from watchdog.actions import open_probe
from watchdog.core.spec import Endpoint
from watchdog.core.words import CheckReading, Truth
from watchdog.wire.http import Wire

OFF = "enabled == `false`"


async def read(
    wire: Wire, endpoint: Endpoint, expect: str = OFF, *, deadline_seconds: float = 5.0
) -> CheckReading:
    reading = await open_probe(wire).read(
        endpoint, expect, at=AT, deadline_seconds=deadline_seconds
    )
    assert reading.at == AT
    return reading


async def test_a_flag_that_is_off_is_read_as_off(service: Service, wire: Wire) -> None:
    service.answers(200, '{"name": "redemption", "enabled": false}')

    reading = await read(wire, with_token(f"{service.url}/flags/redemption"))

    assert reading == CheckReading(
        Truth.TRUE, "enabled == false holds: enabled is false", AT, "enabled: false"
    )
    (request,) = service.requests
    assert request.line == "GET /flags/redemption HTTP/1.1"
    assert request.headers["authorization"] == "Bearer s3cr3t-of-the-flags"
    assert request.headers["cache-control"] == "no-cache"


async def test_a_flag_that_is_still_on_is_proven_so(service: Service, wire: Wire) -> None:
    service.answers(200, '{"name": "redemption", "enabled": true}')

    reading = await read(wire, Endpoint(service.url))

    assert (reading.truth, reading.seen) == (Truth.FALSE, "enabled: true")
    assert reading.reason == "enabled == false does not hold: enabled is true"


@pytest.mark.parametrize("expect", [OFF, "enabled != `true`", "!enabled"])
@pytest.mark.parametrize(
    "body",
    [
        '{"error": "try again"}',
        '{"enabled": null}',
        '{"enabled": "false"}',
        '{"enabled": 0}',
        "[]",
        "null",
        "false",
        "",
        "<html><title>Sign in</title></html>",
        '{"enabled": fal',
        '{"enabled": false, "enabled": true}',
        '{"enabled": false, "load": NaN}',
        '{"enabled": false}{"enabled": true}',
        '{"enabled": false, "id": ' + "9" * 5000 + "}",
        '{"enabled": false, "deep": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
async def test_a_document_that_is_not_the_flags_proves_nothing(
    service: Service, wire: Wire, body: str, expect: str
) -> None:
    service.answers(200, body)

    reading = await read(wire, Endpoint(service.url), expect)

    assert reading.truth is Truth.UNKNOWN
    assert reading.reason
    assert len(reading.reason) <= 400
    assert len(reading.seen) <= 200


@pytest.mark.parametrize("status", [301, 302, 304, 400, 401, 403, 404, 429, 500, 502, 503])
async def test_only_a_good_status_proves_anything(
    service: Service, wire: Wire, status: int
) -> None:
    service.answers(status, "" if status == 304 else '{"enabled": false}')

    reading = await read(wire, Endpoint(service.url))

    assert reading.truth is Truth.UNKNOWN
    assert str(status) in reading.reason


async def test_bytes_that_are_no_text_prove_nothing(service: Service, wire: Wire) -> None:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{"enabled": false\xff')

    service.answering = write

    reading = await read(wire, Endpoint(service.url))

    assert reading.truth is Truth.UNKNOWN
    assert "not UTF-8" in reading.reason


async def test_a_login_page_is_named_for_what_it_is(service: Service, wire: Wire) -> None:
    service.answers(200, "<html>Sign in", content_type="text/html; charset=utf-8")

    reading = await read(wire, Endpoint(service.url))

    assert "text/html, not a JSON document" in reading.reason
    assert reading.seen == "<html>Sign in"


async def test_nobody_there_proves_nothing(nobody: str, wire: Wire) -> None:
    reading = await read(wire, Endpoint(nobody))

    assert reading.truth is Truth.UNKNOWN
    assert "refused" in reading.reason


@pytest.mark.parametrize("how", ["hangs", "drips", "breaks", "floods"])
async def test_no_whole_answer_proves_nothing_and_takes_no_longer_than_allowed(
    service: Service, wire: Wire, how: str
) -> None:
    match how:
        case "hangs":
            service.hangs_after_reading()
        case "drips":
            service.drips('{"enabled": false}')
        case "breaks":
            service.breaks_off("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}")
        case "floods":
            service.answers(200, '{"enabled": false}' + " " * 2_000_000)
    began = time.monotonic()

    reading = await read(wire, Endpoint(service.url), deadline_seconds=0.5)

    assert time.monotonic() - began < 1.5
    assert reading.truth is Truth.UNKNOWN


async def test_a_handshake_that_never_ends_proves_nothing(wire: Wire) -> None:
    async with full_listener() as port:
        reading = await read(wire, Endpoint(f"http://127.0.0.1:{port}"), deadline_seconds=0.3)

    assert reading.truth is Truth.UNKNOWN


async def test_a_missing_credential_proves_nothing(
    service: Service, wire: Wire, credentials: Path
) -> None:
    (credentials / "flags-token").unlink()

    reading = await read(wire, with_token(service.url))

    assert reading.truth is Truth.UNKNOWN
    assert "flags-token" in reading.reason
    assert service.connections == 0


async def test_an_echoed_credential_is_not_told(service: Service, wire: Wire) -> None:
    service.answers(200, '{"enabled": "no", "for": "s3cr3t-of-the-flags"}')
    for expect in (OFF, "for == 'x'", "missing == 'x'"):
        reading = await read(wire, with_token(service.url), expect)
        assert "s3cr3t" not in reading.reason + reading.seen

    service.answers(500, "no such token: s3cr3t-of-the-flags")
    reading = await read(wire, with_token(service.url))
    assert reading.seen == "no such token: ***"


@pytest.mark.parametrize("status", [200, 500])
async def test_a_credential_rotated_in_the_middle_is_hidden_old_and_new(
    service: Service, wire: Wire, credentials: Path, status: int
) -> None:
    service.rotates_meanwhile(credentials / "flags-token", "an-entirely-new-one", status)

    reading = await read(wire, with_token(service.url))

    assert '"*** ***"' in reading.seen


async def test_a_credential_at_the_edge_of_what_is_shown_is_hidden_whole(
    service: Service, wire: Wire
) -> None:
    for before in range(170, 200):
        service.answers(500, "x" * before + " s3cr3t-of-the-flags")
        reading = await read(wire, with_token(service.url))
        assert "s3" not in reading.seen


async def test_what_was_seen_is_shortened(service: Service, wire: Wire) -> None:
    service.answers(200, '{"enabled": false, "why": "' + "x" * 9000 + '"}')

    reading = await read(wire, Endpoint(service.url), "why == 'x'")

    assert reading.truth is Truth.FALSE
    assert len(reading.seen) == 200
    assert reading.reason.startswith('why == "x" does not hold: why is "xxx')


async def test_an_expectation_that_slipped_through_proves_nothing(
    service: Service, wire: Wire
) -> None:
    service.answers(200, '{"enabled": false}')

    reading = await read(wire, Endpoint(service.url), "length(enabled) == `0`")

    assert reading.truth is Truth.UNKNOWN
    assert "cannot be judged" in reading.reason


@pytest.mark.parametrize(
    ("env", "truth", "reason"),
    [
        ('"production"', Truth.TRUE, "enabled == false holds: enabled is false"),
        ('"staging"', Truth.UNKNOWN, 'env is "staging"'),
        ("null", Truth.UNKNOWN, "env is missing or null"),
        ("7", Truth.UNKNOWN, "env is a number"),
    ],
)
async def test_a_document_of_something_else_proves_nothing_whatever_it_says(
    service: Service, wire: Wire, env: str, truth: Truth, reason: str
) -> None:
    service.answers(200, f'{{"enabled": false, "env": {env}}}')

    reading = await read(wire, Endpoint(service.url, given="env == 'production'"))

    assert reading.truth is truth
    assert reason in reading.reason
    assert ("not what is meant" in reading.reason) is (truth is Truth.UNKNOWN)


async def test_a_credential_in_a_document_of_something_else_is_not_told(
    service: Service, wire: Wire
) -> None:
    service.answers(200, '{"enabled": false, "env": "s3cr3t-of-the-flags"}')
    endpoint = replace(with_token(service.url), given="env == 'production'")

    reading = await read(wire, endpoint)

    assert "s3cr3t" not in reading.reason + reading.seen
