"""An event loop that never waits: when it has nothing to do, time jumps to what comes next.

No threads, no sockets, no real clock. What would run in a thread runs at once, and its result
arrives a moment later.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import base_events
from collections.abc import Callable, Iterator
from typing import Any

from tests.simulation.world import Killed, World

MOST_TURNS_AT_ONCE = 200_000
"""Turns of the loop at one moment; more would be a loop that never lets time pass."""

_THREAD_SECONDS = 0.002


class _Jumps:
    """Takes the place of the selector: the one thing a loop ever waits for."""

    def __init__(self, loop: VirtualLoop, world: World) -> None:
        self._loop = loop
        self._world = world
        self._turns = 0

    def select(self, timeout: float | None) -> list[Any]:
        if self._loop.killed:
            raise Killed
        if timeout is not None and timeout <= 0:
            self._turns += 1
            if self._turns > MOST_TURNS_AT_ONCE:
                raise RuntimeError("the loop turns and turns, and no time passes")
            return []
        self._turns = 0
        world = self._world
        until = world.now + timeout if timeout is not None else float("inf")
        while not self._loop.is_due():
            if world.next_at > until:
                world.now = max(world.now, until)
                break
            world.step()
            if timeout is not None:
                break  # a suspend may have moved the loop's time apart from the world's
        return []

    def close(self) -> None: ...


class VirtualLoop(base_events.BaseEventLoop):
    """`uptime` is the monotonic clock that the process sees: it does not count a suspend."""

    def __init__(self, world: World, uptime: Callable[[], float]) -> None:
        super().__init__()
        self.killed = False  # it goes no further, whatever its tasks make of it
        self._uptime = uptime
        self._world = world
        self._selector = _Jumps(self, world)

    def time(self) -> float:
        return self._uptime()

    def is_due(self) -> bool:
        """Whether something can run now."""
        return bool(self._ready)  # type: ignore[attr-defined]  # of BaseEventLoop

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no files to look at."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def run_in_executor(  # type: ignore[override]  # a plain future is all that anybody asks for
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Done at once; told when a thread would have been done."""
        del executor
        future = self.create_future()
        try:
            found = func(*args)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the caller's
            self.call_later(_THREAD_SECONDS, _fail, future, error)
        else:
            self.call_later(_THREAD_SECONDS, _tell, future, found)
        return future

    def bury(self) -> None:
        """What was killed never goes on. Its `finally` blocks run here and reach nothing."""
        self.set_exception_handler(lambda _loop, _context: None)
        with as_running(self):
            for task in asyncio.all_tasks(self):
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # it was killed
                coroutine = task.get_coro()
                with contextlib.suppress(BaseException):
                    coroutine.close()
        self.close()


@contextlib.contextmanager
def as_running(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """What is called here finds this loop; `gather` in a `finally` would make one of its own."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


def _tell(future: asyncio.Future[Any], found: object) -> None:
    if not future.done():
        future.set_result(found)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
