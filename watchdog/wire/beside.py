"""Work that may hang, in a thread of its own beside the loop.

A file on a dead network drive answers never, and no thread can be ended from outside. In the
process's shared pool a few of those would stop everybody else's work and hold up the exit. Here
each user has at most one thread under way, a daemon; while an old one hangs, no new one is begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class StillBusyError(Exception):
    """The work begun before has not ended yet."""


class Beside(Generic[T]):
    """One user's place beside the loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._busy = False

    async def run(self, work: Callable[[threading.Event], T], deadline_seconds: float) -> T:
        """What `work` returns or raises. Raises StillBusyError, and TimeoutError at the deadline.

        The event is set when nobody waits any more: long work looks at it and ends by itself.
        """
        if self._busy:
            raise StillBusyError(f"{self._name}: what was begun before has not ended yet")
        self._busy = True
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[T | None, BaseException | None]] = loop.create_future()
        stop = threading.Event()

        def settle(done: tuple[T | None, BaseException | None]) -> None:
            self._busy = False
            if not future.done():
                future.set_result(done)

        def go() -> None:
            try:
                done: tuple[T | None, BaseException | None] = (work(stop), None)
            except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
                done = (None, error)
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(settle, done)

        threading.Thread(target=go, name=self._name, daemon=True).start()
        try:
            async with asyncio.timeout(deadline_seconds):
                result, error = await future
        finally:
            stop.set()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # without an error there is a result
