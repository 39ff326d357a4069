"""Serves an ASGI app on loopback TCP or on the control socket, inside the daemon's own loop.

uvicorn's own signal handling is left out: signals are the daemon's. Limits keep slow or many
clients from taking the loop: who comes over TCP waits in a lobby until its head is whole
(`lobby.py`), and its requests pass a turnstile (`turnstile.py`); then there are the time a request
may take to come in and an answer to be taken (`patience.py`), and the body's size (in the apps).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import struct
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchdog.web.json_response import Json
from watchdog.web.lobby import Line, Lobby
from watchdog.web.patience import PatientProtocol
from watchdog.web.turnstile import Turnstile

Beside = Callable[[], Coroutine[Any, Any, None]]

MOST_CONNECTIONS = 200
"""That are served at once, half of them of those who read."""

_BACKLOG = 1024
_STOPS = "the daemon stops. What became of an order stands on the record: slo-watchdog status"


class _Quiet(uvicorn.Server):
    """A server whose process is not its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PeerProtocol(PatientProtocol):
    """HTTP over a UNIX socket that knows who is at the other end: client = (uid, pid)."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _gid = struct.unpack("3i", raw)
        self.client = (str(uid), pid)


class _Places:
    """The connections that are served, of which there are so many at most."""

    def __init__(self, config: uvicorn.Config, server: uvicorn.Server) -> None:
        self._config = config
        self._server = server
        self._coming: dict[asyncio.Task[Any], Line] = {}

    def has_room(self, line: Line) -> bool:
        """Whoever is served and asks for nothing makes room."""
        connections = self._server.server_state.connections
        served = [one for one in connections if isinstance(one, PatientProtocol)]
        there = [one for one in served if one.line is line]
        coming = sum(1 for one in self._coming.values() if one is line)
        if len(there) + coming < MOST_CONNECTIONS // len(Line):
            return True
        idle = next((one for one in there if one.is_idle), None)
        if idle is not None:
            idle.shutdown()
        return idle is not None

    def take(self, accepted: socket.socket, line: Line) -> None:
        loop = asyncio.get_running_loop()
        made = functools.partial(self._protocol, line)
        coming = loop.create_task(loop.connect_accepted_socket(made, accepted))
        self._coming[coming] = line
        coming.add_done_callback(self._came)

    def _came(self, coming: asyncio.Task[Any]) -> None:
        del self._coming[coming]
        if not coming.cancelled() and coming.exception() is not None:
            structlog.get_logger().warning("web.not_taken", error=str(coming.exception()))

    def _protocol(self, line: Line) -> PatientProtocol:
        made = PatientProtocol(self._config, self._server.server_state, {})
        made.line = line
        return made


@dataclass(frozen=True, slots=True)
class Served:
    """A running server. `port` is 0 on a UNIX socket."""

    port: int
    _server: uvicorn.Server
    _task: asyncio.Task[None]
    _beside: asyncio.Task[None] | None = None
    _lobby: Lobby | None = None

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._server.server_state.connections)

    async def stop(self) -> None:
        """Close the listener, let running answers end for a moment, then cut them."""
        self._server.should_exit = True
        if self._lobby is not None:
            self._lobby.close()
        if self._beside is not None:
            self._beside.cancel()
            await asyncio.gather(self._beside, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.shield(self._task)
                return
        self._server.force_exit = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def serve_tcp(app: ASGIApp, host: str, port: int, beside: Beside | None = None) -> Served:
    """Serve on `host:port`; a port of 0 takes a free one. Raises OSError when it is taken.

    `beside` runs for as long as it is served, and ends before the last answers do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    listener.listen(_BACKLOG)
    listener.setblocking(False)  # noqa: FBT003  # the socket's own signature
    config = _config(Turnstile(app), http=PatientProtocol)
    served = await _start(config, [], listener.getsockname()[1])
    places = _Places(config, served._server)  # noqa: SLF001  # made here
    lobby = Lobby(listener, places.take, places.has_room)
    lobby.open()
    served = replace(served, _lobby=lobby)
    if beside is None:
        return served
    return replace(served, _beside=asyncio.create_task(beside(), name="beside the pages"))


async def serve_unix(app: ASGIApp, path: Path) -> Served:
    """Serve on a socket file that owner and group may reach; a left-over one is replaced."""
    listener = _bound(path)
    listener.listen(64)
    listener.setblocking(False)  # noqa: FBT003  # the socket's own signature
    return await _start(_config(app, http=PeerProtocol, limit_concurrency=50), [listener], 0)


def _bound(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        listener.bind(str(path))
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _to_the_end(app: ASGIApp) -> ASGIApp:
    """Whoever still waits when the daemon stops is told so; uvicorn would call it our fault."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, sent)
        except asyncio.CancelledError:
            if not begun:
                await Json({"wrong": _STOPS}, 503)(scope, receive, send)

    return served


def _config(app: ASGIApp, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        _to_the_end(app),
        loop="none",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=16 * 1024,
        **more,
    )


async def _start(config: uvicorn.Config, listeners: list[socket.socket], port: int) -> Served:
    server = _Quiet(config)
    task = asyncio.create_task(server.serve(sockets=listeners), name="serve")
    while not server.started and not task.done():  # noqa: ASYNC110  # uvicorn sets a bool, no event
        await asyncio.sleep(0.005)
    if task.done():
        task.result()
    return Served(port, server, task)
