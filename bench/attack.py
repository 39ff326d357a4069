"""Ten thousand connections of people who mean no good, as processes of their own.

    python -m bench.attack HOST PORT CONNECTIONS SECONDS

Most say nothing. Others drip a head, drip a body, send a body without end, or post webhooks that
are none, one behind the other. Whoever is cut off or refused comes again at once, so their number
stays what it is. Prints one JSON object: what became of them. It is nice to others (19): a real
attacker is on another machine, and what he costs there is not to be measured here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PROCESSES = 2
_NICE = 19
_DRIP_SECONDS = 1.0
_AGAIN_SECONDS = 0.05
_PIECE = b"x" * 65_536
_HOST = b"Host: localhost\r\n"
_JSON = b"Content-Type: application/json\r\n"
_SLOW_HEAD = b"GET /metrics HTTP/1.1\r\n" + _HOST + b"X-Long: "
_SLOW_BODY = b"POST /api/v1/events HTTP/1.1\r\n" + _HOST + b"Content-Length: 9999\r\n\r\n"
_HUGE = b"POST /api/v1/events HTTP/1.1\r\n" + _HOST + b"Content-Length: 999999999999\r\n\r\n"
_BODIES = (b"", b"{", b'{"id": "\xff"}', b"[" * 5000, b'{"alerts": 1}', b"\x00" * 3000)
_DOORS = (b"alertmanager", b"events", b"deploys", b"answers")


def _webhook(turn: int) -> bytes:
    """One that is none; every other claims to be signed."""
    body, door = _BODIES[turn % len(_BODIES)], _DOORS[turn % len(_DOORS)]
    signed = b"X-Watchdog-Channel: ci\r\nX-Watchdog-Timestamp: 1\r\nX-Watchdog-Signature: sha256=0"
    proof = signed if turn % 2 else b"Authorization: Bearer none"
    head = b"POST /api/v1/" + door + b" HTTP/1.1\r\n" + _HOST + _JSON + proof
    return head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


KINDS = ("silent",) * 10 + ("slow head",) * 6 + ("slow body",) * 2 + ("huge body", "webhook")


@dataclass(slots=True)
class _One:
    """One connection; `due` is when it drips, or comes again."""

    kind: str
    socket: socket.socket | None = None
    due: float = 0.0
    turn: int = 0


@dataclass
class Crowd:
    """All of one process."""

    address: tuple[str, int]
    number: int
    told: Counter[str] = field(default_factory=Counter)
    most: int = 0

    def run(self, seconds: float) -> None:
        """Until the time is over."""
        self._epoll = select.epoll()
        self._by_file: dict[int, _One] = {}
        every = [_One(KINDS[turn % len(KINDS)]) for turn in range(self.number)]
        ends = time.monotonic() + seconds
        while (now := time.monotonic()) < ends:
            for one in every:
                if now >= one.due:
                    self._move(one, now)
            self._look(0.05)
            self.most = max(self.most, len(self._by_file))

    def _move(self, one: _One, now: float) -> None:
        one.due = now + _DRIP_SECONDS
        if one.socket is None:
            self._begin(one)
        elif one.kind in {"slow head", "slow body"}:
            self._send(one, b"x")

    def _begin(self, one: _One) -> None:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)  # noqa: FBT003  # the socket's own signature
        try:
            made.connect_ex(self.address)
            file = made.fileno()
            writes = one.kind != "silent"
            self._epoll.register(file, select.EPOLLIN | (select.EPOLLOUT if writes else 0))
        except OSError:
            made.close()
            self.told["not opened"] += 1
            return
        one.socket = made
        self._by_file[file] = one
        self.told["opened"] += 1

    def _look(self, seconds: float) -> None:
        for file, events in self._epoll.poll(seconds, 2000):
            one = self._by_file.get(file)
            if one is None:
                continue
            if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self._read(one)
            if events & select.EPOLLOUT and one.socket is not None:
                self._say(one, file)

    def _say(self, one: _One, file: int) -> None:
        """What a connection of its kind begins with, or goes on with."""
        one.turn += 1
        if one.kind == "huge body":
            self._send(one, _HUGE if one.turn == 1 else _PIECE)
            return
        first = {"slow head": _SLOW_HEAD, "slow body": _SLOW_BODY}
        self._send(one, first.get(one.kind) or _webhook(one.turn))
        if one.socket is not None:
            self._epoll.modify(file, select.EPOLLIN)

    def _read(self, one: _One) -> None:
        assert one.socket is not None  # noqa: S101  # it is among those that are polled
        try:
            answer = one.socket.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
            self.told["reset"] += 1
        if answer.startswith(b"HTTP/1.1 "):
            self.told[answer[9:12].decode("ascii", "replace")] += 1
        if not answer:
            self._end(one)
        elif one.kind == "webhook":
            self._epoll.modify(one.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _send(self, one: _One, data: bytes) -> None:
        assert one.socket is not None  # noqa: S101  # it is among those that are polled
        try:
            one.socket.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self._end(one)

    def _end(self, one: _One) -> None:
        assert one.socket is not None  # noqa: S101  # it is among those that are polled
        self.told["cut"] += 1
        self._by_file.pop(one.socket.fileno(), None)
        one.socket.close()
        one.socket, one.turn, one.due = None, 0, time.monotonic() + _AGAIN_SECONDS


@asynccontextmanager
async def attacked(
    port: int, connections: int, told: Callable[[dict[str, int]], None] = lambda _: None
) -> AsyncIterator[None]:
    """Under attack inside the block. `told` hears what became of it."""
    each = connections // PROCESSES
    words = [sys.executable, "-m", "bench.attack", "127.0.0.1", str(port), str(each), "600"]
    crowds = [
        await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        for _ in range(PROCESSES)
    ]
    try:
        yield
    finally:
        whole: Counter[str] = Counter()
        for one in crowds:
            with contextlib.suppress(ProcessLookupError):
                one.send_signal(signal.SIGINT)
            printed, _ = await one.communicate()
            whole.update(json.loads(printed) if printed else {})
        told(dict(whole))


def main() -> None:
    """Attack until the time is over, or until it is told to end."""
    host, port, number, seconds = sys.argv[1:]
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd((host, int(port)), int(number))
    with contextlib.suppress(KeyboardInterrupt):
        crowd.run(float(seconds))
    print(json.dumps({**crowd.told, "most at once": crowd.most}))


if __name__ == "__main__":
    main()
