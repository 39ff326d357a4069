"""Many more connections than there are places: who asks at once is heard, and the loop is free."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
from starlette.types import Receive, Scope, Send

from watchdog.web.json_response import Json
from watchdog.web.lobby import MOST_WAITING, Line
from watchdog.web.serve import MOST_CONNECTIONS, Served, serve_tcp
from watchdog.web.turnstile import A_SECOND

CROWD = 600
ASKS = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LIMITS = resource.getrlimit(resource.RLIMIT_NOFILE)
TELLS = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n"


async def says_ok(scope: Scope, receive: Receive, send: Send) -> None:
    await Json("ok")(scope, receive, send)


@asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    served = await serve_tcp(says_ok, "127.0.0.1", 0)
    yield served
    await served.stop()


@contextmanager
def crowd(port: int, says: bytes, number: int = CROWD) -> Iterator[list[socket.socket]]:
    """Connections that say so much, and hold on."""
    there = []
    for _ in range(number):
        one = socket.socket()
        one.settimeout(0)
        one.connect_ex(("127.0.0.1", port))
        there.append(one)
    for one in there:
        if says:
            one.send(says)
    yield there
    for one in there:
        one.close()


async def answered(served: Served) -> float:
    began = time.monotonic()
    async with httpx.AsyncClient(trust_env=False, timeout=10) as web:
        answer = await web.get(f"http://127.0.0.1:{served.port}/")
    assert answer.status_code == 200
    return time.monotonic() - began


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def standing_still(seconds: float) -> float:
    """The longest that the loop was held meanwhile."""
    longest, ends = 0.0, time.monotonic() + seconds
    while (before := time.monotonic()) < ends:
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - before)
    return longest


async def test_a_crowd_that_says_nothing_or_half_a_head_keeps_nobody_out() -> None:
    before = open_files()
    async with serving() as served:
        for says in (b"", b"GET / HTTP/1.1\r\nHost: "):
            with crowd(served.port, says) as there:
                assert await answered(served) < 5.0
                assert open_files() - before - len(there) <= MOST_WAITING + 10
                assert served.connections <= 1


async def test_a_crowd_that_tells_leaves_those_who_read_their_places() -> None:
    async with serving() as served:
        with crowd(served.port, TELLS):
            assert await answered(served) < 5.0
            assert served.connections <= MOST_CONNECTIONS


async def test_a_body_that_comes_after_its_answer_spoils_no_connection_and_takes_no_time() -> None:
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await reader.readexactly(4)
            writer.write(b"x" * 5000)
            await asyncio.sleep(1.2)  # longer than a body may still come
        writer.write(TELLS)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"x" * 99_000)
        async with asyncio.timeout(3):
            assert b"HTTP/1.1" not in await read_to_its_end(reader)
        writer.close()


async def read_to_its_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_who_asks_as_fast_as_he_can_is_slowed_down_and_nobody_else() -> None:
    """One with a connection for each request's answer; the loop turns meanwhile."""
    async with serving() as served:

        async def greedy() -> int:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            count, ends = 0, time.monotonic() + 1.5
            while time.monotonic() < ends:
                writer.write(ASKS)
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200")
                await reader.readexactly(4)
                count += 1
            writer.close()
            return count

        many = [asyncio.create_task(greedy()) for _ in range(20)]
        longest = await standing_still(1.0)
        assert await answered(served) < 1.5
        total = sum(await asyncio.gather(*many))
    assert total < 2.5 * A_SECOND[Line.READS]
    assert longest < 0.25


async def test_with_no_descriptors_left_it_waits_and_goes_on() -> None:
    """Taking in is given up for a moment; who has come meanwhile is heard after it."""
    async with serving() as served:
        with crowd(served.port, ASKS, 1) as (asks,), no_descriptors():
            await asyncio.sleep(0.3)
            assert served.connections == 0
            assert not answer_of(asks)
            free_again()
            async with asyncio.timeout(5):
                while not (answer := answer_of(asks)):  # noqa: ASYNC110  # a bare socket has no event
                    await asyncio.sleep(0.05)
            assert answer.startswith(b"HTTP/1.1 200")


def answer_of(asks: socket.socket) -> bytes:
    try:
        return asks.recv(65_536)
    except BlockingIOError:
        return b""


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Not one more file can be opened in this process."""
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, LIMITS[1]))
    try:
        yield
    finally:
        free_again()


def free_again() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, LIMITS)
