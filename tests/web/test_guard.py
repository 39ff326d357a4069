"""The read-only face against whoever should not get anything out of it, or hold it up."""

import asyncio
import time

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from tests.web.conftest import Paused
from watchdog.web.patience import ANSWER_SECONDS, REQUEST_SECONDS
from watchdog.web.serve import serve_tcp

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = (
    "/",
    "/decisions",
    "/metrics",
    "/-/healthy",
    "/api/v1/status",
    "/api/v1/rules",
    "/static/style.css",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", ""])
async def test_no_other_name_leads_here(paused: Paused, path: str, host: str) -> None:
    answer = await paused.watch.get(path, Host=host)
    assert answer.status_code == 400
    assert "slo" not in answer.text


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:9847", "LOCALHOST"])
async def test_our_own_names_do(paused: Paused, host: str) -> None:
    assert (await paused.watch.get("/-/healthy", Host=host)).text == "ok"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "MOVE"])
async def test_nothing_can_be_changed(paused: Paused, path: str, method: str) -> None:
    before = what_orders_change(paused)
    answer = await paused.watch.web.request(method, path, content=b"{}")
    assert answer.status_code == 405
    assert answer.headers["allow"].replace(" ", "") in {"GET,HEAD", "HEAD,GET"}
    assert what_orders_change(paused) == before


def what_orders_change(paused: Paused) -> object:
    """Everything that a person's order could have changed; the watch itself goes on meanwhile."""
    engine = paused.watch.engine
    numbers = {letter: engine.book.counts.get(letter, 0) for letter in "HI"}
    return engine.in_force().sha256, numbers, dict(engine.book.holds), str(engine.book.claims)


@pytest.mark.parametrize("path", PAGES)
async def test_head_is_get_without_the_page(paused: Paused, path: str) -> None:
    answer = await paused.watch.web.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", [*PAGES, "/no-such-page"])
async def test_a_browser_may_only_show_it(paused: Paused, path: str) -> None:
    answer = await paused.watch.get(path, Origin="https://evil.example")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; connect-src 'self';")
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/%3Cscript%3Ealert(1)%3C/script%3E",
        "/rules/%3Cscript%3E",
        "/rules/a%2F..%2Fb",
        "/rules/..",
        "/rules/" + "a" * 200,
        "/rules/a;id",
        "/static/../readonly.py",
        "/static/%2e%2e/readonly.py",
        "/api/v1/why/%00",
        "/metrics/",
        "//evil.example/",
    ],
)
async def test_what_does_not_exist_is_not_repeated(paused: Paused, path: str) -> None:
    answer = await raw(paused, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert body == b"There is nothing here.\n"
    assert b"location" not in head.lower()


async def raw(paused: Paused, request: bytes) -> bytes:
    """The whole answer to bytes as they are, until the other side closes or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", paused.watch.port)
    writer.write(request)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = [
        int(line.split(b":")[1])
        for line in answer.splitlines()
        if line.lower().startswith(b"content-length:")
    ]
    answer += await reader.readexactly(length[0]) if length else b""
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_head_that_never_ends_is_refused(paused: Paused) -> None:
    huge = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 64 * 1024
    assert (await raw(paused, huge)).startswith(b"HTTP/1.1 400 ")


async def test_the_slow_are_cut_off_while_others_are_served(paused: Paused) -> None:
    """Silent, a dripping head, a dripping body: each ends, and nobody waits for them."""
    starts = (
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
        b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n",
    )
    slow = [asyncio.create_task(dripping(paused.watch.port, start)) for start in starts * 5]
    unread = asyncio.create_task(not_reading())
    await asyncio.sleep(0.5)
    assert (await paused.watch.get("/-/healthy")).status_code == 200
    for lasted in await asyncio.gather(*slow):
        assert lasted < REQUEST_SECONDS + 2
    await unread


async def dripping(port: int, start: bytes) -> float:
    """Seconds until the server ends it; sends a byte now and then where it has begun."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(start)
    try:
        while time.monotonic() - began < 4 * REQUEST_SECONDS:
            if start:
                writer.write(b"a")
            try:
                async with asyncio.timeout(0.3):
                    if not await reader.read(4096):
                        break
            except TimeoutError:
                continue
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return time.monotonic() - began


async def not_reading() -> None:
    """A client that asks for much and takes none of it does not stay for ever."""

    async def much(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"#" * 64_000_000})

    served = await serve_tcp(much, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(0.5)
        assert served.connections == 1
        async with asyncio.timeout(ANSWER_SECONDS + 5):
            while served.connections:  # noqa: ASYNC110  # a server tells nobody that it cut one off
                await asyncio.sleep(0.1)
    finally:
        writer.transport.abort()
        await served.stop()


async def test_who_still_waits_when_the_daemon_stops_is_told_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = asyncio.Event()

    async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        asked.set()
        await asyncio.Event().wait()

    served = await serve_tcp(hangs, "127.0.0.1", 0)
    async with httpx.AsyncClient() as client:
        waiting = asyncio.create_task(client.get(f"http://127.0.0.1:{served.port}/", timeout=20))
        await asked.wait()
        await served.stop()
        answer = await waiting
    assert answer.status_code == 503
    assert answer.json()["wrong"].startswith("the daemon stops. ")
    assert "Exception in ASGI application" not in caplog.text
