"""Beside the pages: what keeps them fresh without reloading, and what they remember.

A page that is looked at holds a stream of server-sent events open, which carry no content: each
says that it is worth looking again. So a slow reader costs a few bytes, and what is shown comes by
the road that a page without a script takes. Streams are few and do not live long; whoever gets
none asks again by itself now and then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from watchdog.core.entries import Recorded
from watchdog.engine import Views
from watchdog.web.chronicle import Chronicle
from watchdog.web.trails import Trails

MOST_STREAMS = 32
"""Of the connections that the server takes; the others are for those who ask."""

BEAT_SECONDS = 5.0
"""Without news a stream says this often that the daemon lives; numbers change meanwhile."""

SPACING_SECONDS = 1.0
STREAM_SECONDS = 300.0
"""Then it ends, and a browser that still looks opens a new one."""

_LOOK_SECONDS = 1.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class _Stream(StreamingResponse):
    """Says when it is over, however that comes."""

    def __init__(self, events: AsyncIterator[str], left: Callable[[], None]) -> None:
        super().__init__(events, headers=_HEADERS, media_type="text/event-stream")
        self._on_end = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_end()


class Live:
    """`run` is to run as long as the pages are served."""

    def __init__(self, views: Views, chronicle: Chronicle, trails: Trails) -> None:
        self._views = views
        self._chronicle = chronicle
        self._trails = trails
        self._news = asyncio.Event()
        self._ended = False
        self._streams = 0
        self.stream_seconds = STREAM_SECONDS
        views.overhear(self._heard)

    @property
    def streams(self) -> int:
        """How many are open."""
        return self._streams

    async def run(self) -> None:
        """Read the past back, then watch how rules stand. Its end ends every stream."""
        try:
            await self._chronicle.read_back()
            while True:
                self._trails.look(self._views.seen(), self._views.in_trouble())
                await asyncio.sleep(_LOOK_SECONDS)
        except Exception:  # pages are to be shown without it; the watch has nothing to do with it
            structlog.get_logger().exception("pages.live_failed")
            raise
        finally:
            self._ended = True
            self._tell()

    async def stream(self, request: Request) -> Response:
        """Server-sent events. Refused for pages of other sites, and where too many are open."""
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise HTTPException(400)
        if self._streams >= MOST_STREAMS or self._ended:
            raise HTTPException(503, headers={"Retry-After": "30"})
        self._streams += 1
        return _Stream(self._events(), self._left)

    def _left(self) -> None:
        self._streams -= 1

    async def _events(self) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        ends = time.monotonic() + self.stream_seconds
        while not self._ended and time.monotonic() < ends:
            await self._news_or_beat()
            if not self._ended:
                yield f"event: look\ndata: {self._views.last_seq}\n\n"
                await asyncio.sleep(SPACING_SECONDS)

    async def _news_or_beat(self) -> None:
        news = self._news
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await news.wait()
        except TimeoutError:
            pass

    def _heard(self, recorded: Recorded) -> None:
        del recorded
        self._tell()

    def _tell(self) -> None:
        """Wake all who wait; who comes later waits for the next."""
        news, self._news = self._news, asyncio.Event()
        news.set()
