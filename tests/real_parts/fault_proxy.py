"""A TCP proxy that makes a good network bad: between the watchdog and any server of a test.

What it does is one frozen Weather, replaced as a whole; connections that are open feel the new one
at their next chunk, so a fault can begin in the middle of an answer.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK_BYTES = 65536
_TICK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Weather:
    """How the network treats what the server answers. The default lets everything pass."""

    latency_seconds: float = 0.0
    """Each chunk of an answer waits so long."""
    bytes_per_second: float | None = None
    slice_bytes: int | None = None
    """Answers arrive in pieces of this size, `slice_seconds` apart."""
    slice_seconds: float = 0.0
    slow_close_seconds: float = 0.0
    """The end of a connection is passed on so much later."""
    blackhole: bool = False
    """Connections are accepted, and nothing passes in either direction."""
    reset_after_bytes: int | None = None
    """The connection is reset (RST) after so many bytes of answers; 0 before the first one."""


class FaultProxy:
    """Listens on a free loopback port and passes everything on to one server."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._weather = Weather()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = 0
        self.connections = 0
        """How many connections have been accepted so far."""

    @classmethod
    def start(cls, url: str) -> Self:
        """A proxy before the server of this URL, working inside `async with`."""
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError(f"{url}: a host and a port are needed")
        return cls(parts.hostname, parts.port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set(self, weather: Weather) -> None:
        """This weather from now on."""
        self._weather = weather

    def heal(self) -> None:
        self._weather = Weather()

    async def down(self) -> None:
        """Refuse connections, and reset those that are open."""
        if self._server is None:
            return
        self._server.close()
        for task, writer in list(self._open.items()):
            _reset(writer)
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def up(self) -> None:
        """Accept connections, on the port from before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.down()

    def passed_on(self, request: bytes) -> bytes:
        """What the server gets to see of what is sent: all of it, unless a proxy lies."""
        return request

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            _reset(writer)  # the server is not there, or the proxy goes down
        finally:
            del self._open[task]
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._weather.reset_after_bytes == 0:
            _reset(writer)
            return
        far_reader, far_writer = await asyncio.open_connection(*self._upstream)
        pumps = {
            asyncio.create_task(self._carry_requests(reader, far_writer)),
            asyncio.create_task(self._carry_answers(far_reader, writer)),
        }
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            far_writer.close()
            with contextlib.suppress(OSError):
                await far_writer.wait_closed()

    async def _carry_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK_BYTES):
            if not self._weather.blackhole:
                writer.write(self.passed_on(data))
                await writer.drain()

    async def _carry_answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        carried = 0
        while data := await reader.read(_CHUNK_BYTES):
            await asyncio.sleep(self._weather.latency_seconds)
            for piece in _pieces(data, self._weather):
                while self._weather.blackhole:  # noqa: ASYNC110 - the weather has no event
                    await asyncio.sleep(_TICK_SECONDS)
                weather = self._weather
                limit = weather.reset_after_bytes
                if limit is not None and carried + len(piece) > limit:
                    writer.write(piece[: max(0, limit - carried)])
                    await writer.drain()
                    _reset(writer)
                    return
                writer.write(piece)
                await writer.drain()
                carried += len(piece)
                await asyncio.sleep(_pause_seconds(len(piece), weather))
        await asyncio.sleep(self._weather.slow_close_seconds)
        while self._weather.blackhole:  # noqa: ASYNC110 - as above
            await asyncio.sleep(_TICK_SECONDS)


def _pieces(data: bytes, weather: Weather) -> Iterator[bytes]:
    size = weather.slice_bytes
    if size is None:
        # A bandwidth is kept in steps of a tenth of a second.
        rate = weather.bytes_per_second
        size = _CHUNK_BYTES if rate is None else max(1, int(rate / 10))
    return (data[start : start + size] for start in range(0, len(data), size))


def _pause_seconds(size: int, weather: Weather) -> float:
    pause = weather.slice_seconds if weather.slice_bytes is not None else 0.0
    if weather.bytes_per_second is not None:
        pause += size / weather.bytes_per_second
    return pause


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        # Lingering for zero seconds makes the kernel answer with RST instead of FIN.
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
