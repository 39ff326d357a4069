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

A_SECOND = {Line.READS: 100, Line.TELLS: 60}
"""Requests that are let through when there are always more."""

_AT_ONCE = 20
_TICK_SECONDS = 0.05


class Turnstile:
    """ASGI middleware, outside of everything that costs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lanes = {line: _Lane(number * _TICK_SECONDS) for line, number in A_SECOND.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._lanes[Line.of(scope["method"])].turn()
        await self._app(scope, receive, send)


class _Lane:
    """Of one line."""

    def __init__(self, a_tick: float) -> None:
        self._a_tick = a_tick
        self._left: float = _AT_ONCE
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self) -> None:
        """Wait for it."""
        self._wind()
        if self._left >= 1:
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
        self._left = min(_AT_ONCE, self._left + self._a_tick)
        while self._waiting and self._left >= 1:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        if self._waiting or self._left < _AT_ONCE:
            self._wind()
