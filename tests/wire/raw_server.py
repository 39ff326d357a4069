"""A real server on a socket that does exactly what a test says, down to the byte."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Behaviour = Callable[["RawServer", asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """Calls `behaviour` for each request; returning keeps the connection, closing ends it."""

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.requests: list[str] = []  # heads and bodies as they came
        self.connections = 0
        self.sent_bytes = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # transports close in the loop's next round

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def instance(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = [
                    int(line.partition(":")[2])
                    for line in head.splitlines()
                    if line.lower().startswith("content-length:")
                ]
                body = await reader.readexactly(length[0]) if length else b""
                self.requests.append(head + body.decode(errors="surrogateescape"))
                await self.behaviour(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()
            self._writers.discard(writer)

    def stop_listening(self) -> None:
        self._server.close()

    async def send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        self.sent_bytes += len(data)
        writer.write(data)
        await writer.drain()


def answering(
    body: bytes | str, content_type: str = "text/plain", status: int = 200, extra: str = ""
) -> Behaviour:
    """Answers every request the same way and keeps the connection. `extra` are header lines."""
    raw = body if isinstance(body, bytes) else body.encode()

    async def behave(server: RawServer, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} So\r\nContent-Type: {content_type}\r\n{extra}"
        head += f"Content-Length: {len(raw)}\r\n\r\n"
        await server.send(writer, head.encode() + raw)

    return behave


def sending(data: bytes) -> Behaviour:
    """Sends these bytes, then closes."""

    async def behave(server: RawServer, writer: asyncio.StreamWriter) -> None:
        await server.send(writer, data)
        writer.close()

    return behave


async def hangs(_server: RawServer, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def resets(_server: RawServer, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def drips(server: RawServer, writer: asyncio.StreamWriter) -> None:
    await server.send(writer, b"HTTP/1.1 200 So\r\nContent-Type: text/plain\r\n")
    await server.send(writer, b"Content-Length: 1000000\r\n\r\n")
    while True:
        await server.send(writer, b"#")
        await asyncio.sleep(0.05)


async def floods(server: RawServer, writer: asyncio.StreamWriter) -> None:
    """A body of 1 GB."""
    await server.send(writer, b"HTTP/1.1 200 So\r\nContent-Type: text/plain\r\n")
    await server.send(writer, b"Content-Length: 1073741824\r\n\r\n")
    for _ in range(16384):
        await server.send(writer, b"#" * 65536)
