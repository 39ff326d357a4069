"""Where connections wait until they have said what they want: a bounded part of the loop's time.

The law: however many come, and whatever they do, a tenth of a processor goes to them. Few are taken
in at a time, with a pause after it that grows with what it took. Who waits costs a socket. Who has
not told a whole head in time, or stands longest where more come than there is room for, is cut off.
A connection whose head is whole is handed on, in its turn, as soon as there is a place.

So a crowd that says nothing, or says it slowly, holds no place; and who asks at once is heard.
Who reads and who tells stand in lines of their own: neither can be many enough to keep the other
out.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import select
import socket
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import structlog

HEAD_SECONDS = 5.0
"""From the connection to the end of its request's head."""

MOST_WAITING = 256
"""That have not told their head."""

MOST_READY = 64
"""Of one line. It is short, so that who cannot be heard soon is told so at once."""

_TICK_SECONDS = 0.005
_PAUSE_SHARE = 10.0
_LONGEST_PAUSE_SECONDS = 0.1
_ACCEPTED_A_TICK = 20
_STIRRED_A_TICK = 32
_HANDED_ON_A_TICK = 2  # of each line
_MOST_HEAD_BYTES = 16 * 1024
_HEAD_ENDS = re.compile(rb"\n\r?\n")
_FULL_SECONDS = 1.0
_TOLD_AGAIN_SECONDS = 60.0
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Retry-After: 1\r\nConnection: close\r\n\r\nToo many ask. Come later.\n"
)


class Line(Enum):
    """By what a request begins with."""

    READS = "reads"
    TELLS = "tells"

    @classmethod
    def of(cls, method: str) -> Line:
        return cls.READS if method in {"GET", "HEAD"} else cls.TELLS


HandOn = Callable[[socket.socket, Line], None]


@dataclass(slots=True)
class Lobby:
    """`has_room` says whether one more may be handed on now. `open` begins it, `close` ends it."""

    listener: socket.socket
    hand_on: HandOn
    has_room: Callable[[Line], bool]
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _stirring: select.epoll = field(default_factory=select.epoll)
    _silent: OrderedDict[int, tuple[socket.socket, float]] = field(default_factory=OrderedDict)
    _ready: dict[Line, deque[socket.socket]] = field(
        default_factory=lambda: {line: deque() for line in Line}
    )
    _timer: asyncio.TimerHandle | None = None
    _accepts_from: float = 0.0
    _cut: int = 0
    _told_at: float = -_TOLD_AGAIN_SECONDS

    @property
    def waiting(self) -> int:
        """How many are in it."""
        return len(self._silent) + sum(len(line) for line in self._ready.values())

    def open(self) -> None:
        """Take connections in."""
        self._loop.add_reader(self.listener.fileno(), self._turn)
        self._loop.add_reader(self._stirring.fileno(), self._turn)

    def close(self) -> None:
        """Cut off who waits, and take nobody in any more."""
        self._quiet()
        if self._timer is not None:
            self._timer.cancel()
        for waiting, _ in self._silent.values():
            waiting.close()
        for line in self._ready.values():
            for waiting in line:
                waiting.close()
            line.clear()
        self._silent.clear()
        self._stirring.close()
        self.listener.close()

    def _quiet(self) -> None:
        self._loop.remove_reader(self.listener.fileno())
        self._loop.remove_reader(self._stirring.fileno())

    def _turn(self) -> None:
        """All that is done at once; then nothing, for a tick."""
        now, began = time.monotonic(), time.thread_time()
        self._accept(now)
        self._stir()
        self._cut_late(now)
        self._let_through()
        if self._timer is None:
            self._quiet()
            took = (time.thread_time() - began) * _PAUSE_SHARE
            pause = min(max(_TICK_SECONDS, took), _LONGEST_PAUSE_SECONDS)
            self._timer = self._loop.call_later(pause, self._again)

    def _again(self) -> None:
        """Who waits, for a place or with a head half told, is looked at without being stirred."""
        self._timer = None
        if self.waiting:
            self._turn()
        else:
            self.open()

    def _accept(self, now: float) -> None:
        if now < self._accepts_from:
            return
        for _ in range(_ACCEPTED_A_TICK):
            try:
                found, _peer = self.listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # no descriptors: those that are open come first
                self._accepts_from = now + _FULL_SECONDS
                structlog.get_logger().warning("web.no_room", reason=str(error))
                return
            found.setblocking(False)  # noqa: FBT003  # the socket's own signature
            self._take_in(found, now)

    def _take_in(self, found: socket.socket, now: float) -> None:
        line = self._line_of(found)
        if line is not None:
            self._stand_ready(found, line)
            return
        if found.fileno() < 0:
            return
        self._silent[found.fileno()] = (found, now)
        self._stirring.register(found.fileno(), select.EPOLLIN | select.EPOLLET)
        if len(self._silent) > MOST_WAITING:
            self._cut_off(next(iter(self._silent)))

    def _stir(self) -> None:
        """Look at those that said something more."""
        for file, _ in self._stirring.poll(0, _STIRRED_A_TICK):
            waiting, _since = self._silent[file]
            line = self._line_of(waiting)
            if line is not None:
                self._stirring.unregister(file)
                del self._silent[file]
                self._stand_ready(waiting, line)
            elif waiting.fileno() < 0:
                del self._silent[file]

    def _line_of(self, found: socket.socket) -> Line | None:
        """Where it belongs, once its head can be read, or will never be one. Closes who is gone."""
        try:
            head = found.recv(_MOST_HEAD_BYTES + 1, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        except OSError:
            head = b""
        if not head:
            found.close()
            return None
        if len(head) > _MOST_HEAD_BYTES or _HEAD_ENDS.search(head) is not None:
            return Line.of(head[:5].partition(b" ")[0].decode("ascii", "replace"))
        return None

    def _stand_ready(self, found: socket.socket, line: Line) -> None:
        if len(self._ready[line]) < MOST_READY:
            self._ready[line].append(found)
            return
        with contextlib.suppress(OSError):
            found.send(_BUSY)
        found.close()
        self._note_cut()

    def _let_through(self) -> None:
        for line, ready in self._ready.items():
            for _ in range(_HANDED_ON_A_TICK):
                if not ready or not self.has_room(line):
                    break
                self.hand_on(ready.popleft(), line)

    def _cut_late(self, now: float) -> None:
        while self._silent:
            file, (_, since) = next(iter(self._silent.items()))
            if now - since < HEAD_SECONDS:
                return
            self._cut_off(file)

    def _cut_off(self, file: int) -> None:
        waiting, _ = self._silent.pop(file)
        waiting.close()
        self._note_cut()

    def _note_cut(self) -> None:
        self._cut += 1
        now = time.monotonic()
        if now - self._told_at >= _TOLD_AGAIN_SECONDS:
            self._told_at = now
            structlog.get_logger().warning("web.crowded", cut_off=self._cut, waiting=self.waiting)
