"""Tells a status page by one HTTP call: a JSON body whose ${FIELDS} say what stands.

All of it is told each time, under one Idempotency-Key for one change, so that a call whose answer
was lost may be made again. Any answer of 2xx means that it is taken.
"""

from __future__ import annotations

import json

from watchdog.core.telling.status_pages import StatusCall
from watchdog.ports import Delivered, Shown, StatusSheet
from watchdog.wire.http import Wire
from watchdog.wire.status_document import fields, filled
from watchdog.wire.taken import shown_by

_LARGEST_ANSWER_BYTES = 65_536


class CallBoard:
    """Implements `ports.StatusBoard`."""

    def __init__(self, how: StatusCall, wire: Wire) -> None:
        self._how = how
        self._wire = wire
        self._body = json.loads(how.body)

    async def show(self, sheet: StatusSheet, *, deadline_seconds: float) -> Shown:
        body = json.dumps(filled(self._body, fields(sheet)), ensure_ascii=False)
        outcome = await self._wire.ask(
            self._how.endpoint,
            method=self._how.method,
            body=body,
            headers={"accept": "application/json", "idempotency-key": sheet.identity},
            deadline_seconds=deadline_seconds,
            max_bytes=_LARGEST_ANSWER_BYTES,
        )
        return shown_by(outcome, self._how.endpoint, self._wire.secrets)

    async def look(self, *, deadline_seconds: float) -> Shown:
        """By the address that the contacts name for it."""
        if self._how.look is None:
            return Shown(
                Delivered.REFUSED, "it names no `look`, so it cannot be tried without telling it"
            )
        outcome = await self._wire.ask(
            self._how.look,
            deadline_seconds=deadline_seconds,
            max_bytes=_LARGEST_ANSWER_BYTES,
        )
        return shown_by(outcome, self._how.look, self._wire.secrets)
