"""HTTP with an end to patience: uvicorn bounds idle connections, this bounds the slow ones.

A request has to be whole, head and body, within a time that dripping does not prolong, and an
answer has to be taken within one. Whoever is slower is cut off, so that no number of slow
clients can keep others out for longer.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from watchdog.web.lobby import Line

REQUEST_SECONDS = 5.0
"""From the connection, or the first byte after an answer, to the request's last byte."""

ANSWER_SECONDS = 10.0
"""How long the rest of an answer may wait in our buffer for a client that does not read."""


LINGER_SECONDS = 1.0
"""How long a body may still come whose request has its answer."""

MOST_UNWANTED_BYTES = 64 * 1024
"""Of such a body; no more of it is read."""


class PatientProtocol(H11Protocol):
    """One connection."""

    line: Line = Line.READS
    _request_timer: asyncio.TimerHandle | None = None
    _answer_timer: asyncio.TimerHandle | None = None
    _unwanted: int | None = None  # bytes of a body that came after its answer

    @property
    def is_idle(self) -> bool:
        """Whether it has its answer, and has not begun to ask again: it may still tell a body that
        nobody wants.
        """
        done = self.cycle is None or self.cycle.response_complete
        return done and (self._request_timer is None or self.conn.their_state is h11.SEND_BODY)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        if self._request_timer is None:
            self._await_request()
        if self._unwanted is not None:
            self._unwanted += len(data)
            if self._unwanted > MOST_UNWANTED_BYTES:
                self.flow.pause_reading()
                return
        super().data_received(data)
        if self._unwanted is not None and self.conn.their_state is not h11.SEND_BODY:
            self._unwanted = None  # all of it came, and the connection is as good as any
            self._end_request_timer()
        elif self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._end_request_timer()

    def pause_writing(self) -> None:
        """More waits for the client than we like to keep."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.cycle is None or not self.cycle.response_complete:
            self._end_answer_timer()  # of a whole answer the rest has to be taken in time as well

    def on_response_complete(self) -> None:
        if self.transport.get_write_buffer_size():
            self._await_reader()
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            # It has its answer. Of a body that nobody wants the end may still come, so that the
            # connection can be used again; all of it would take as much of the loop as somebody
            # cares to send.
            self._unwanted = 0
            self._end_request_timer()
            self._request_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_request_timer()
        self._end_answer_timer()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._request_timer = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _await_reader(self) -> None:
        self._end_answer_timer()
        self._answer_timer = self.loop.call_later(ANSWER_SECONDS, self._cut_unread)

    def _cut_unread(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _end_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _end_answer_timer(self) -> None:
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None
