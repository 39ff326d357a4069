"""Every bound on an HTTP request holds against a real server that breaks it."""

import asyncio
import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from tests.wire.raw_server import (
    RawServer,
    answering,
    drips,
    floods,
    hangs,
    resets,
    sending,
)
from watchdog.core.spec import Endpoint
from watchdog.wire.http import HttpAnswer, HttpProblem, Trouble, Wire


async def ask(
    wire: Wire,
    url: str,
    deadline_seconds: float = 2.0,
    max_bytes: int = 10_000,
    method: str = "GET",
) -> HttpAnswer | HttpProblem:
    return await wire.ask(
        Endpoint(url),
        method=method,
        body="{}" if method == "POST" else None,
        deadline_seconds=deadline_seconds,
        max_bytes=max_bytes,
    )


async def problem(
    wire: Wire, url: str, deadline_seconds: float = 2.0, max_bytes: int = 10_000
) -> HttpProblem:
    outcome = await ask(wire, url, deadline_seconds, max_bytes)
    assert isinstance(outcome, HttpProblem)
    return outcome


async def test_an_answer_comes_with_status_headers_and_body(wire: Wire) -> None:
    async with RawServer(answering("nothing here", status=404)) as server:
        outcome = await ask(wire, server.url + "/flags?name=x")
    assert isinstance(outcome, HttpAnswer)
    assert (outcome.status, outcome.body) == (404, b"nothing here")
    assert outcome.headers["CONTENT-TYPE"] == "text/plain"
    assert server.requests[0].startswith("GET /flags?name=x HTTP/1.1\r\n")


async def test_requests_that_hang_take_no_connection_from_those_apart(wire: Wire) -> None:
    async def picky(server: RawServer, writer: asyncio.StreamWriter) -> None:
        await (hangs if "/slow" in server.requests[-1] else answering("here"))(server, writer)

    async with RawServer(picky) as server:
        many = [asyncio.create_task(ask(wire, server.url + "/slow")) for _ in range(16)]
        while len(server.requests) < len(many):  # noqa: ASYNC110  # it is seen at the server alone
            await asyncio.sleep(0.01)
        outcome = await ask(wire.apart("polls"), server.url + "/", deadline_seconds=1.0)
        for task in many:
            task.cancel()
        await asyncio.gather(*many, return_exceptions=True)
    assert isinstance(outcome, HttpAnswer)


# -- time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [hangs, drips])
async def test_the_deadline_is_total(wire: Wire, behaviour: object) -> None:
    async with RawServer(behaviour) as server:  # type: ignore[arg-type]  # parametrize loses it
        began = time.monotonic()
        outcome = await problem(wire, server.url, deadline_seconds=0.5)
        took_seconds = time.monotonic() - began
    assert outcome.kind is Trouble.TIMED_OUT, outcome
    assert "within 0.5 s" in outcome.reason
    assert outcome.sent
    assert 0.45 < took_seconds < 1.0


async def test_a_time_out_while_our_own_loop_stood_still_is_ours(wire: Wire) -> None:
    async with RawServer(hangs) as server:
        asyncio.get_running_loop().call_later(0.1, time.sleep, 0.6)
        outcome = await problem(wire, server.url, deadline_seconds=0.5)
    assert outcome.kind is Trouble.LATE
    assert "our own loop stood still" in outcome.reason


async def test_an_answer_that_came_while_our_loop_stood_still_is_not_the_servers_failure(
    wire: Wire,
) -> None:
    async with RawServer(answering("slow", extra="X: y\r\n")) as server:

        async def late(server: RawServer, writer: asyncio.StreamWriter) -> None:
            time.sleep(0.5)  # noqa: ASYNC251  # the very thing: the loop is blocked
            await answering("slow")(server, writer)

        server.behaviour = late
        outcome = await problem(wire, server.url, deadline_seconds=0.3)
    assert outcome.kind is Trouble.LATE


async def test_a_listener_that_never_accepts_is_timed_out_unsent(wire: Wire) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    fillers = []
    for _ in range(3):  # fill the queue, so that no further handshake is answered
        filler = socket.socket()
        filler.settimeout(0)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    try:
        outcome = await problem(wire, f"http://127.0.0.1:{port}", deadline_seconds=0.4)
    finally:
        for each in [listener, *fillers]:
            each.close()
    assert (outcome.kind, outcome.sent) == (Trouble.TIMED_OUT, False)
    assert "no connection within 0.4 s" in outcome.reason


async def test_a_cancelled_caller_is_cancelled(wire: Wire) -> None:
    async with RawServer(hangs) as server:
        task = asyncio.create_task(ask(wire, server.url))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_requests_that_timed_out_leave_the_pool_free(wire: Wire) -> None:
    async with RawServer(hangs) as server:
        many = [problem(wire, server.url, deadline_seconds=0.3) for _ in range(20)]
        kinds = {outcome.kind for outcome in await asyncio.gather(*many)}
        assert Trouble.TIMED_OUT in kinds
        server.behaviour = answering("well again")
        outcome = await ask(wire, server.url)
    assert isinstance(outcome, HttpAnswer), outcome


async def test_one_hung_server_does_not_delay_another(wire: Wire) -> None:
    async with RawServer(hangs) as hung, RawServer(answering("ok")) as well:
        tasks = [asyncio.create_task(ask(wire, hung.url, 1.0)) for _ in range(30)]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        assert isinstance(await ask(wire, well.url), HttpAnswer)
        assert time.monotonic() - began < 0.5
        await asyncio.gather(*tasks)


# -- size ------------------------------------------------------------------------------------------


async def test_a_body_of_1_gb_is_dropped_at_the_cap(wire: Wire) -> None:
    async with RawServer(floods) as server:
        outcome = await problem(wire, server.url, max_bytes=100_000)
        assert outcome.kind is Trouble.TOO_LARGE
        assert outcome.reason.endswith("more than 100000 bytes")
        assert server.sent_bytes < 20_000_000  # what socket buffers hold


async def test_a_gzip_bomb_never_unpacks_in_memory(wire: Wire) -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    async with RawServer(answering(bomb, extra="Content-Encoding: gzip\r\n")) as server:
        tracemalloc.start()
        try:
            outcome = await problem(wire, server.url, max_bytes=1_000_000)
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert outcome.kind is Trouble.TOO_LARGE
    assert peak_bytes < 10_000_000


async def test_compressed_answers_are_unpacked(wire: Wire) -> None:
    packed = gzip.compress(b"metric 1\n" * 100)
    async with RawServer(answering(packed, extra="Content-Encoding: gzip\r\n")) as server:
        outcome = await ask(wire, server.url)
    assert isinstance(outcome, HttpAnswer)
    assert outcome.body == b"metric 1\n" * 100
    assert "accept-encoding: gzip" in server.requests[0]


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (gzip.compress(b"cut" * 99, mtime=0)[:-12], "gzip", "ends in the middle"),
        (b"not gzip at all", "gzip", "broken compressed body"),
        (gzip.compress(b"x", mtime=0) + b"more", "gzip", "data after the end"),
        (b"anything", "br", "'br' was not asked for"),
    ],
)
async def test_broken_encodings_are_named(
    wire: Wire, body: bytes, encoding: str, reason: str
) -> None:
    extra = f"Content-Encoding: {encoding}\r\n"
    async with RawServer(answering(body, extra=extra)) as server:
        outcome = await problem(wire, server.url)
    assert outcome.kind is Trouble.BROKEN
    assert reason in outcome.reason


# -- connections -----------------------------------------------------------------------------------


async def test_polls_share_one_connection(wire: Wire) -> None:
    async with RawServer(answering("ok")) as server:
        for _ in range(5):
            assert isinstance(await ask(wire, server.url), HttpAnswer)
    assert server.connections == 1


async def test_a_kept_connection_closed_meanwhile_is_no_failure_of_the_service(wire: Wire) -> None:
    async def once_a_connection(server: RawServer, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == 2:
            writer.transport.abort()  # had read the request, and gives no answer
        else:
            await answering("ok")(server, writer)

    async with RawServer(once_a_connection) as server:
        assert isinstance(await ask(wire, server.url), HttpAnswer)
        outcome = await ask(wire, server.url)
    assert isinstance(outcome, HttpAnswer), outcome
    assert (server.connections, len(server.requests)) == (2, 3)


async def test_a_get_is_repeated_once_at_most(wire: Wire) -> None:
    async with RawServer(answering("ok")) as server:
        await ask(wire, server.url)
        server.behaviour = resets
        outcome = await problem(wire, server.url)
    assert outcome.kind is Trouble.RESET
    assert len(server.requests) == 3


async def test_what_was_seen_once_stays_sent_when_the_repetition_is_refused(wire: Wire) -> None:
    async def goes_away(server: RawServer, writer: asyncio.StreamWriter) -> None:
        server.stop_listening()
        writer.transport.abort()

    async with RawServer(answering("ok")) as server:
        await ask(wire, server.url)
        server.behaviour = goes_away
        outcome = await problem(wire, server.url)
    assert (outcome.kind, outcome.sent) == (Trouble.REFUSED, True)


async def test_a_change_is_never_sent_twice(wire: Wire) -> None:
    async with RawServer(answering("ok")) as server:
        await ask(wire, server.url)
        await ask(wire, server.url, method="POST")
        assert server.connections == 2  # a change never goes over a kept connection
        server.behaviour = resets
        outcome = await ask(wire, server.url, method="POST")
    assert isinstance(outcome, HttpProblem)
    assert (outcome.kind, outcome.sent) == (Trouble.RESET, True)
    assert len(server.requests) == 3
    assert "content-type: application/json" in server.requests[1].lower()


async def test_refused_is_certainly_unsent(wire: Wire) -> None:
    async with RawServer(hangs) as server:
        url = server.url
    outcome = await problem(wire, url)
    assert (outcome.kind, outcome.sent) == (Trouble.REFUSED, False)
    assert outcome.reason == f"{url}/: connection refused"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Trouble.RESET),
        (b"HTTP/1.1 200 So\r\nContent-Length: 100\r\n\r\nonly this", Trouble.RESET),
        (b"HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Trouble.RESET),
        (b"220 mail.mycelia.test ESMTP\r\n\r\n", Trouble.BROKEN),
        (b"HTTP/1.1 200 So\r\nContent-Length: many\r\n\r\n", Trouble.BROKEN),
    ],
)
async def test_answers_that_are_cut_or_no_http(wire: Wire, data: bytes, kind: Trouble) -> None:
    async with RawServer(sending(data)) as server:
        outcome = await problem(wire, server.url)
    assert (outcome.kind, outcome.sent) == (kind, True), outcome.reason


async def test_a_redirect_is_reported_and_not_followed(wire: Wire) -> None:
    async with RawServer(answering("login page")) as elsewhere:
        extra = f"Location: {elsewhere.url}/login?ticket=hush-hush\r\n"
        async with RawServer(answering("", status=302, extra=extra)) as server:
            outcome = await problem(wire, server.url)
    assert outcome.kind is Trouble.REDIRECTED
    assert f"302 redirects to {elsewhere.url}/login?..." in outcome.reason
    assert elsewhere.connections == 0


async def test_proxies_of_the_environment_are_ignored(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with RawServer(answering("direct")) as server:
        assert isinstance(await ask(wire, server.url), HttpAnswer)


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "http://", "not a url", "http://[::1", "file:///etc"]
)
async def test_what_cannot_be_asked_is_ours(wire: Wire, url: str) -> None:
    outcome = await problem(wire, url)
    assert (outcome.kind, outcome.sent) == (Trouble.OURS, False), outcome


# -- names -----------------------------------------------------------------------------------------


async def test_an_unknown_name_is_not_the_services_fault(wire: Wire) -> None:
    outcome = await problem(wire, "http://no-such-host.invalid/")
    assert (outcome.kind, outcome.sent) == (Trouble.UNRESOLVED, False)


async def test_a_name_with_two_addresses_is_tried_at_both(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_addresses(*_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.9.9.9", 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
    async with RawServer(answering("ok")) as server:
        outcome = await ask(wire, f"http://mycelia.test:{server.port}")
    assert isinstance(outcome, HttpAnswer), outcome
    assert f"Host: mycelia.test:{server.port}" in server.requests[0]


async def test_a_hung_name_server_costs_one_thread_and_delays_nobody(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    end = threading.Event()
    real = socket.getaddrinfo

    def hanging(host: str, *rest: Any, **more: Any) -> object:
        if host != "hung.test":
            return real(host, *rest, **more)
        asked.append(host)
        end.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    try:
        for _ in range(3):
            outcome = await problem(wire, "http://hung.test/", deadline_seconds=0.2)
            assert (outcome.kind, outcome.sent) == (Trouble.UNRESOLVED, False)
            assert "the name lookup did not end within 0.2 s" in outcome.reason
        assert asked == ["hung.test"]
        async with RawServer(answering("ok")) as server:
            well = await ask(wire, f"http://localhost:{server.port}")
        assert isinstance(well, HttpAnswer), well
    finally:
        end.set()
