"""Whose a callback is: several processes on one virtual loop, each of which may stand still or die.

A context variable names the process that a task belongs to; what it begins inherits it. What
belongs to a dead process never runs. What belongs to one that is frozen, or that waits inside a
call, is parked in its order until it goes on, while its clocks, and everybody else, do. What
belongs to nobody is the world's.
"""

from __future__ import annotations

import asyncio
from asyncio import base_events
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any

from tests.simulation.virtual import _THREAD_SECONDS, VirtualLoop, _fail, _tell, as_running
from tests.simulation.world import Killed, World

_A_MOMENT = 1e-9
MOST_WAITS_AT_THE_END = 10


class Owner:
    """One process, as the loop sees it. `killed`: hears that it died of itself, at a point."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name  # of this process alone, among all that there ever were
        self.world = world
        self.dead = False
        self.condemned = False
        self.killed: Callable[[], None] = lambda: None
        self.parked: list[asyncio.Handle] = []
        self.tasks: list[OwnedTask] = []
        self.context = copy_context()
        self.context.run(OWNER.set, self)
        self._loop: SharedLoop | None = None
        self._frozen_since: float | None = None
        self._frozen_seconds = 0.0
        self._busy_until = 0.0
        self._thread_at: float | None = None  # its time, inside what runs in a thread

    # -- its time ----------------------------------------------------------------------------------

    def now(self) -> float:
        """The true time at which it is: ahead of the world's inside a call that takes a while."""
        if self._thread_at is not None:
            return self._thread_at
        return max(self.world.now, self._busy_until)

    def takes(self, seconds: float) -> None:
        """The call that it makes returns so much later: its loop waits, or one of its threads."""
        if self._thread_at is not None:
            self._thread_at += seconds
            return
        self._busy_until = self.now() + seconds
        self.world.after(self._busy_until - self.world.now, "", self._go_on)

    def in_a_thread(self, work: Callable[[], Any]) -> tuple[Any, Exception | None, float]:
        """What it came to, and when."""
        self._thread_at = self.now()
        found, failed = None, None
        try:
            found = work()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the caller's
            failed = error
        finally:
            at, self._thread_at = self._thread_at, None
        return found, failed, at

    # -- standing still ----------------------------------------------------------------------------

    @property
    def frozen(self) -> bool:
        return self._frozen_since is not None

    @property
    def stands(self) -> bool:
        return self.frozen or self._busy_until > self.world.now + _A_MOMENT

    def frozen_seconds(self) -> float:
        """For how long in all it has been frozen."""
        now = 0.0 if self._frozen_since is None else self.world.now - self._frozen_since
        return self._frozen_seconds + now

    def freeze(self) -> None:
        """SIGSTOP."""
        if self._frozen_since is None:
            self._frozen_since = self.world.now

    def thaw(self) -> None:
        """SIGCONT."""
        self._frozen_seconds = self.frozen_seconds()
        self._frozen_since = None
        self._go_on()

    def _go_on(self) -> None:
        if not self.stands and self._loop is not None:
            parked, self.parked = self.parked, []
            self._loop.take_up(parked)

    # -- its life ----------------------------------------------------------------------------------

    def begin(self, loop: SharedLoop, live: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self._loop = loop
        return loop.create_task(live, context=self.context)

    def condemn(self) -> None:
        """It was killed at a point: as soon as the loop has it back it is no more."""
        self.condemned = True

    def bury(self) -> None:
        """Nothing of it goes on. Its `finally` blocks run here and reach nothing."""
        self.dead = True
        self.parked.clear()
        if self._loop is None:
            return
        with as_running(self._loop):
            for task in self.tasks:
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # it was killed
                self.context.copy().run(_close, task.get_coro())
        self.tasks.clear()


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)


class OwnedTask(asyncio.Task[Any]):
    """Knows whose it is."""

    owner: Owner | None = None


class OwnedFuture(asyncio.Future[Any]):
    """The same of what a task waits for."""

    owner: Owner | None = None


class _Gate:
    """A callback that waits for its process."""

    __slots__ = ("callback", "handle", "owner")

    def __init__(self, owner: Owner, callback: Callable[..., object]) -> None:
        self.owner = owner
        self.callback = callback
        self.handle: asyncio.Handle | None = None

    def __call__(self, *args: Any) -> None:
        owner = self.owner
        if owner.dead:
            return
        if owner.stands:
            assert self.handle is not None
            owner.parked.append(self.handle)  # itself: whoever cancels it meanwhile still can
            return
        try:
            self.callback(*args)
        except Killed:
            owner.condemn()
        if owner.condemned and not owner.dead:
            owner.killed()


class SharedLoop(VirtualLoop):
    """The one loop of several processes."""

    def __init__(self, world: World) -> None:
        super().__init__(world, lambda: world.now)
        self._shared_world = world
        self.set_task_factory(_task)  # type: ignore[arg-type]  # of this loop, which is one

    def create_future(self) -> OwnedFuture:
        future = OwnedFuture(loop=self)
        future.owner = OWNER.get()
        return future

    def time(self) -> float:
        owner = OWNER.get()
        return self._shared_world.now if owner is None else owner.now()

    def call_soon(  # type: ignore[override]  # any callback will do
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        owner = _owner_in(context)
        if owner is None:
            return super().call_soon(callback, *args, context=context)
        gate = _Gate(owner, callback)
        gate.handle = super().call_soon(gate, *args, context=context)
        return gate.handle

    def call_at(  # type: ignore[override]  # any callback will do
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        owner = _owner_in(context)
        if owner is None:
            return super().call_at(when, callback, *args, context=context)
        gate = _Gate(owner, callback)
        gate.handle = handle = super().call_at(when, gate, *args, context=context)
        return handle

    def take_up(self, handles: list[asyncio.Handle]) -> None:
        """What was parked runs now, in its order."""
        self._ready.extend(handles)  # type: ignore[attr-defined]  # of BaseEventLoop

    def run_in_executor(  # type: ignore[override]  # as the loop that it extends
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        owner = OWNER.get()
        if owner is None:
            return super().run_in_executor(executor, func, *args)
        future = self.create_future()
        found, failed, at = owner.in_a_thread(lambda: func(*args))
        if failed is not None:
            self.call_at(at + _THREAD_SECONDS, _fail, future, failed)
        else:
            self.call_at(at + _THREAD_SECONDS, _tell, future, found)
        return future

    def bury(self) -> None:
        """The world is over, and its processes are buried."""
        self.set_exception_handler(lambda _loop, _context: None)
        self.close()


def _close(coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any]) -> None:
    """Also one that waits for something in a `finally` block, or in several."""
    for _ in range(MOST_WAITS_AT_THE_END):
        try:
            coroutine.close()
        except RuntimeError:
            continue
        except BaseException:  # noqa: BLE001, S110  # whatever it says to its end, nobody hears it
            pass
        return


def _owner_in(context: Context | None) -> Owner | None:
    return OWNER.get() if context is None else context.get(OWNER)


def _task(
    loop: base_events.BaseEventLoop, coro: Coroutine[Any, Any, Any], context: Context | None = None
) -> OwnedTask:
    task = OwnedTask(coro, loop=loop, context=context)
    owner = task.owner = _owner_in(context)
    if owner is not None:
        if len(owner.tasks) > 200:
            owner.tasks = [one for one in owner.tasks if not one.done()]
        owner.tasks.append(task)
        if owner.dead:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # it never begins
            coro.close()
    return task


__all__ = ["OWNER", "OwnedFuture", "OwnedTask", "Owner", "SharedLoop"]
