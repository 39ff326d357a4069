"""How much of the loop's time requests may take: so many at once, the others in their turn.

The law: between two turns of it the watch gets the loop. Whoever asks as fast as it is answered
waits behind who asks now and then, and never before a pass. Who reads and who tells have a turn
each.
"""

from __future__ import annotations

import asyncio
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send

from watchdog.web.lobby import Line

A_SECOND = 200
"""Requests that are let through when there are always more, of both lines together."""

_AT_ONCE = 20
_TICK_SECONDS = 0.01
_A_TICK = round(A_SECOND * _TICK_SECONDS / len(Line))


class Turnstile:
    """ASGI middleware, outside of everything that costs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lanes = {line: _Lane() for line in Line}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._lanes[Line.of(scope["method"])].turn()
        await self._app(scope, receive, send)


class _Lane:
    """Of one line."""

    def __init__(self) -> None:
        self._left = _AT_ONCE
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self) -> None:
        """Wait for it."""
        self._wind()
        if self._left > 0:
            self._left -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _wind(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._left = min(_AT_ONCE, self._left + _A_TICK)
        while self._waiting and self._left > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        if self._waiting or self._left < _AT_ONCE:
            self._wind()
