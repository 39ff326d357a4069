"""A real HTTP server that answers as it is told, or in the ways in which servers fail."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from watchdog.core.spec import Endpoint, Header
from watchdog.core.words import Instant
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

AT = Instant(wall=1_700_000_000.0, steady=1000.0)

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    line: str
    headers: Mapping[str, str]
    body: str


@dataclass
class Service:
    """Listens on a port of its own; `requests` are those that it has read whole."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    answering: Answering | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, status: int = 200, body: str = "{}", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = {"content-type": "application/json", "content-length": str(len(body.encode()))}
        head = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **named}.items())
        raw = f"HTTP/1.1 {status} X\r\n{head}\r\n{body}".encode()

        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(raw)
            await writer.drain()

        self.answering = write

    def hangs_after_reading(self) -> None:
        async def write(_writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(3600)

        self.answering = write

    def rotates_meanwhile(self, credential: Path, new: str, status: int = 200) -> None:
        """Somebody renews the credential while this answer is made; it quotes both."""

        def renew() -> str:
            old = credential.read_text().strip()
            credential.write_text(new)
            return f'{{"enabled": "{old} {new}"}}'

        async def write(writer: asyncio.StreamWriter) -> None:
            body = renew()
            head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
            await writer.drain()

        self.answering = write

    def drips(self, body: str) -> None:
        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode())
            for char in body:
                writer.write(char.encode())
                await writer.drain()
                await asyncio.sleep(0.1)

        self.answering = write

    def breaks_off(self, after: str = "") -> None:
        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(after.encode())
            await writer.drain()
            writer.transport.abort()

        self.answering = write

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    await self._serve_one(reader, writer)
        finally:
            writer.transport.abort()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(head[0], headers, body.decode()))
        assert self.answering is not None, "the service was not told how to answer"
        await self.answering(writer)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(service.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    yield service
    server.close()
    for task in tuple(serving):
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    await asyncio.sleep(0)  # aborted connections are closed in the loop's next turn


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "flags-token").write_text("s3cr3t-of-the-flags\n")
    return folder


@pytest.fixture
async def wire(credentials: Path) -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets([credentials]))
    yield wire
    await wire.aclose()


def with_token(url: str) -> Endpoint:
    return Endpoint(url, (Header("Authorization", "Bearer ", secret="flags-token"),))


@pytest.fixture
async def nobody() -> str:
    """A URL behind which nobody listens."""
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def full_listener() -> AsyncIterator[int]:
    """A port whose queue of connections is full: the next handshake does not end."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.settimeout(0)
        one.connect_ex(("127.0.0.1", port))
    try:
        yield port
    finally:
        for one in (*waiting, listener):
            one.close()
