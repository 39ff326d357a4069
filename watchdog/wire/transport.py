"""One pool of connections to one origin, that tells how far each request came.

An httpx transport on httpcore's pool, for two things that httpx's own does not give: names are
looked up by `Names`, and a `Progress` notes what happened to the request, so that whoever
judges a failure knows whether the server can have seen it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import httpcore
import httpx

from watchdog.wire.names import Names

# Its debug lines quote the headers of answers, which may throw our credentials back at us.
logging.getLogger("httpcore").setLevel(logging.INFO)


class Stage(IntEnum):
    """How far a request came, in order."""

    WAITING = 0  # for a free connection
    RESOLVING = 1
    CONNECTING = 2
    SECURING = 3  # the TLS handshake
    SENDING = 4  # from here on the server may have seen it
    ANSWERED = 5  # status line and headers are here


@dataclass(slots=True)
class Progress:
    """`kept` stays True where the request went over a connection kept from an earlier one.

    `sent` stays True once any try came so far that the server may have seen the request.
    """

    stage: Stage = Stage.WAITING
    kept: bool = True
    sent: bool = False

    async def trace(self, event: str, _info: dict[str, Any]) -> None:
        """The `trace` extension of httpcore."""
        match event:
            case "connection.start_tls.started":
                self.stage = Stage.SECURING
            case "http11.send_request_headers.started":
                self.stage = Stage.SENDING
                self.sent = True
            case "http11.receive_response_headers.complete":
                self.stage = Stage.ANSWERED


_progress: ContextVar[Progress] = ContextVar("progress_of_this_request")


class UnresolvedError(httpcore.ConnectError):
    """The host's name has no address, or nobody knows."""


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that is closed when its TLS handshake does not end well.

    The library closes it after an error, but not when the request is cancelled or its deadline
    passes in the middle of the handshake: then the socket would stay open until it is collected.
    """

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # httpcore's signature
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # httpcore's signature
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Network(httpcore.AsyncNetworkBackend):
    def __init__(self, names: Names) -> None:
        self._names = names
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Try the name's addresses in order; all but the last within a share of the time."""
        progress = _progress.get()
        progress.kept = False
        progress.stage = Stage.RESOLVING
        try:
            addresses = await self._names.addresses(host)
        except OSError as error:
            raise UnresolvedError(error.strerror or str(error)) from error
        progress.stage = Stage.CONNECTING
        *early, last = addresses
        share = timeout / len(addresses) if timeout is not None else None
        for address in early:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Stream(
                    await self._inner.connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                )
        return _Stream(
            await self._inner.connect_tcp(last, port, share, local_address, socket_options)
        )

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


class Transport(httpx.AsyncBaseTransport):
    """Raises httpcore's errors as they are. One request's `Progress` travels with its task."""

    def __init__(self, context: ssl.SSLContext, names: Names, *, most: int, kept: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=most,
            max_keepalive_connections=kept,
            keepalive_expiry=60.0,  # above usual polling intervals; a closed one is noticed
            network_backend=_Network(names),
        )

    async def send(self, request: httpx.Request, progress: Progress) -> httpx.Response:
        token = _progress.set(progress)
        request.extensions["trace"] = progress.trace
        try:
            return await self.handle_async_request(request)
        finally:
            _progress.reset(token)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        await self._pool.aclose()
