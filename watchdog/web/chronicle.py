"""What the pages remember of the journal, each entry once and in its order.

At the start the newest part of the journal is read back beside the watch, a little at a time; what
is recorded meanwhile waits for its turn. Where an episode is open its whole story is read, from
however long ago.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from watchdog.core.entries import Recorded
from watchdog.engine import Views
from watchdog.ports import JournalError
from watchdog.web.history import History
from watchdog.web.ledger import Ledger
from watchdog.web.timeline import Timelines

READ_BACK = 20_000
"""Entries; more only where an episode is open."""

_PIECE = 100
_PAUSE_SECONDS = 0.005  # between pieces: the watch comes first
_MOST_WAITING = 10_000


class Chronicle:
    """To be made before anything is recorded that it should hear of, and then `read_back`."""

    def __init__(self, views: Views) -> None:
        self.ledger, self.history, self.timelines = Ledger(), History(), Timelines()
        self._tell: tuple[Callable[[Recorded], None], ...] = (
            self.ledger.heard,
            self.history.heard,
            self.timelines.heard,
        )
        self._views = views
        self._upto = views.last_seq
        self._waiting: deque[Recorded] | None = deque(maxlen=_MOST_WAITING)
        views.overhear(self._heard)

    @property
    def is_read(self) -> bool:
        """Whether the past was read back."""
        return self._waiting is None

    async def read_back(self) -> None:
        """Read what was there before; never raises for a journal that cannot be read."""
        if self._waiting is None:
            return
        try:
            await self._read()
        except JournalError as error:
            structlog.get_logger().warning("pages.past_unread", reason=str(error))
        waiting, self._waiting = self._waiting, None
        for one in waiting:
            self._take(one)

    async def _read(self) -> None:
        is_open = any(ep["state"] != "ok" for ep in self._views.episodes())
        at = 0 if is_open else max(0, self._upto - READ_BACK)
        self.ledger.began = at + 1
        while at < self._upto:
            piece = list(self._views.recorded(at, min(_PIECE, self._upto - at)))
            for one in piece:
                self._take(one)
            if not piece:
                return
            at = piece[-1].seq
            await asyncio.sleep(_PAUSE_SECONDS)

    def _heard(self, recorded: Recorded) -> None:
        """Never raises: what is shown must not keep anything from being recorded."""
        try:
            if self._waiting is None:
                self._take(recorded)
            elif recorded.seq > self._upto:
                self._waiting.append(recorded)
        except Exception:  # noqa: BLE001  # a bug of ours: the pages know less, the watch goes on
            structlog.get_logger().exception("pages.entry_not_told", seq=recorded.seq)

    def _take(self, recorded: Recorded) -> None:
        for tell in self._tell:
            tell(recorded)
