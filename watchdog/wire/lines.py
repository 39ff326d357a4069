"""The pools of connections: one per purpose, origin, trust store and kind of request.

So one origin that hangs delays nobody else, and what is asked of it for one purpose takes no
connection from what is asked for another. After a time-out a pool is retired, since a
cancelled request can leak its slot: new requests get a new pool, and the old one is closed when
its last request has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from watchdog.wire.names import Names
from watchdog.wire.transport import Transport
from watchdog.wire.troubles import Refusal, Trouble

MOST_CONNECTIONS = 16  # per pool
_CLOSING_SECONDS = 1.0


class Line:
    """The transport to one origin, and how many requests are on it."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.busy = 0
        self.retired = False


class Lines:
    def __init__(self) -> None:
        self._names = Names()
        self._lines: dict[tuple[object, ...], Line] = {}
        self._contexts: dict[str | None, tuple[tuple[int, ...], ssl.SSLContext]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        for key in list(self._lines):
            self._retire(key, self._lines[key])
        while self._closing:
            await asyncio.gather(*self._closing)

    @contextlib.contextmanager
    def take(
        self, url: httpx.URL, ca_file: str | None, *, keep: bool, purpose: str = ""
    ) -> Iterator[tuple[Transport, Callable[[], None]]]:
        """A transport for one request, and the way to retire it. Raises Refusal.

        `keep` is for requests that may be repeated: they may use connections kept from earlier
        ones, which the server can close at any moment. All others get a new connection.
        """
        stamp, context = self._context(ca_file) if url.scheme == "https" else ((), None)
        key = (purpose, url.scheme, url.host, url.port, keep, ca_file, stamp)
        line = self._lines.get(key)
        if line is None:
            for old in [old for old in self._lines if old[:-1] == key[:-1]]:
                self._retire(old, self._lines[old])  # the CA file has changed
            line = self._lines[key] = Line(
                Transport(
                    context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                    self._names,
                    most=MOST_CONNECTIONS,
                    kept=MOST_CONNECTIONS if keep else 0,
                )
            )
        line.busy += 1
        try:
            yield line.transport, lambda: self._retire(key, line)
        finally:
            line.busy -= 1
            if line.retired and not line.busy:
                self._close(line)

    def _retire(self, key: tuple[object, ...], line: Line) -> None:
        """New requests get a new pool; this one is closed when its last request has ended."""
        if self._lines.get(key) is line:
            del self._lines[key]
        if not line.retired:
            line.retired = True
            if not line.busy:
                self._close(line)

    def _close(self, line: Line) -> None:
        async def close() -> None:
            with contextlib.suppress(Exception):  # it is thrown away; nobody can act on it
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await line.transport.aclose()

        task = asyncio.create_task(close(), name="close a retired pool")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _context(self, ca_file: str | None) -> tuple[tuple[int, ...], ssl.SSLContext]:
        """The trust store, read again when the file has changed."""
        stamp: tuple[int, ...] = ()
        try:
            if ca_file is not None:
                about = Path(ca_file).stat()
                stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
            known = self._contexts.get(ca_file)
            if known is None or known[0] != stamp:
                known = stamp, ssl.create_default_context(cafile=ca_file)
                self._contexts[ca_file] = known
        except OSError as error:  # ssl.SSLError is one
            what = error.strerror or type(error).__name__
            raise Refusal(Trouble.TLS, f"our CA file {ca_file} cannot be used: {what}") from None
        return known
