"""Streams that tell pages to look again: few, short, and in nobody's way."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.web.policies import policy
from tests.web.watching import HOSTS, Watch, watching
from watchdog.core.entries import ReadinessChanged
from watchdog.core.words import Truth
from watchdog.engine import Views
from watchdog.web.live import MOST_STREAMS
from watchdog.web.readonly import Health, readonly_app
from watchdog.web.serve import serve_tcp

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def asked(port: int, more: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    """A stream was asked for; at the end it is dropped as a closed lid does it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /live HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n")
    try:
        yield reader
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def status(reader: asyncio.StreamReader) -> int:
    return int((await reader.readuntil(b"\r\n")).split()[1])


def something_happens(watch: Watch) -> None:
    draft = watch.engine.recorder.draft()
    draft.add(ReadinessChanged("pause", Truth.TRUE, "looked again"))
    watch.engine.recorder.commit(draft)


async def test_what_is_recorded_is_told_at_once(tmp_path: Path) -> None:
    async with (
        watching(tmp_path, policy({}, (), ()), runs=False) as watch,
        asked(watch.port) as reader,
    ):
        assert await status(reader) == 200
        assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"retry: 2000\n\n")
        began = time.monotonic()
        something_happens(watch)
        told = await reader.readuntil(b"\n\n")
        assert time.monotonic() - began < 1.0
        assert told.endswith(f"event: look\ndata: {watch.engine.recorder.last_seq}\n\n".encode())


async def test_streams_are_few_and_leave_room_for_those_who_ask(tmp_path: Path) -> None:
    async with watching(tmp_path, policy({}, (), ()), runs=False) as watch:
        async with AsyncExitStack() as stack:
            for _ in range(MOST_STREAMS):
                assert await status(await stack.enter_async_context(asked(watch.port))) == 200
            refused = await stack.enter_async_context(asked(watch.port))
            assert await status(refused) == 503
            assert b"retry-after: 30" in (await refused.readuntil(b"\r\n\r\n")).lower()
            for path in ("/", "/-/healthy", "/metrics"):
                assert (await watch.get(path)).status_code == 200
        async with asyncio.timeout(10):
            while not await _is_given(watch):  # noqa: ASYNC110  # it tells nobody that one is free
                await asyncio.sleep(0.2)


async def _is_given(watch: Watch) -> bool:
    async with asked(watch.port) as reader:
        return await status(reader) == 200


async def test_other_sites_get_no_stream(tmp_path: Path) -> None:
    async with watching(tmp_path, policy({}, (), ()), runs=False) as watch:
        for site, answer in ((b"cross-site", 400), (b"same-site", 400), (b"same-origin", 200)):
            async with asked(watch.port, b"Sec-Fetch-Site: " + site + b"\r\n") as reader:
                assert await status(reader) == answer


async def test_a_stream_ends_by_itself_and_none_holds_up_the_end(tmp_path: Path) -> None:
    async with watching(tmp_path, policy({}, (), ()), runs=False) as watch:
        app = readonly_app(Views(watch.engine), Health(lambda: "", lambda: ""), HOSTS)
        live = app.state.live
        served = await serve_tcp(app, "127.0.0.1", 0, live.run)
        live.stream_seconds = 0.5
        async with asked(served.port) as reader, asyncio.timeout(8):
            await reader.readuntil(b"\r\n0\r\n\r\n")  # the answer's end
        live.stream_seconds = 300.0
        async with asked(served.port) as long:
            assert await status(long) == 200
            began = time.monotonic()
            await served.stop()
            assert time.monotonic() - began < 1.5
        assert live.streams == 0
