"""A loopback listener that can be closed and opened again while its process lives on.

uvicorn stops once and for all; a service whose port refuses connections for a while and then
answers again needs a fresh server on the same port each time. Closing aborts what is in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

_LOOPBACK = "127.0.0.1"


class _QuietServer(uvicorn.Server):
    """Leaves the signals to the process, which may own several listeners."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """One application on one loopback port. `port` is known from the start and stays the same."""

    def __init__(self, app: Starlette, port: int, *, or_free: bool = False) -> None:
        self._app = app
        self._socket: socket.socket | None = _bound(port, or_free=or_free)
        self.port: int = self._socket.getsockname()[1]
        self._server: _QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Listen; returns when connections are accepted. Does nothing when already open."""
        if self._server is not None:
            return
        bound, self._socket = self._socket or _bound(self.port), None
        config = uvicorn.Config(
            self._app,
            log_config=None,  # whoever embeds this has a log of their own
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
        )
        self._server = _QuietServer(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[bound]))
        while not self._server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.002)

    async def close(self) -> None:
        """Refuse connections from now on and abort those that are open."""
        server, serving = self._server, self._serving
        if server is None or serving is None:
            return
        self._server = self._serving = None
        for listening in server.servers:
            listening.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        server.should_exit = server.force_exit = True
        await serving


async def serve_until_terminated(listeners: list[Listener], ready: str) -> None:
    """Open the listeners, print `ready` as the one line on stdout, serve until SIGTERM."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    for listener in listeners:
        await listener.open()
    print(ready, flush=True)  # noqa: T201 - the line by which the parent learns the ports
    await ended.wait()
    await asyncio.gather(*(listener.close() for listener in listeners))


def _bound(port: int, *, or_free: bool = False) -> socket.socket:
    # asyncio switches Nagle's delay off only where the protocol is named; else each answer, whose
    # head and body are two writes, waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((_LOOPBACK, port))
    except OSError as error:
        if not or_free or error.errno != errno.EADDRINUSE:
            raise
        bound.bind((_LOOPBACK, 0))
    return bound
