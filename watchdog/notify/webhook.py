"""Tells a program by HTTP: one JSON document for each letter, signed where a key is named.

    POST URL
    Content-Type: application/json
    Idempotency-Key: production/N7/1764421450123
    X-Watchdog-Timestamp: 1764421451
    X-Watchdog-Signature: sha256=HEX      of "TIMESTAMP.BODY", as events to us are signed

    {"version": 1, "id": ..., "key": ..., "phase": "opened", "urgent": true,
     "subject": ..., "body": ..., "notes": [{...}, ...]}

Any answer of 2xx means that it is taken. 400 to 499 refuses it, except 408, 420, 425 and 429.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time

from watchdog.core.telling.contacts import Webhook
from watchdog.ports import Delivered, Delivery, Letter, SecretMissing
from watchdog.wire.http import HttpAnswer, HttpProblem, Wire
from watchdog.wire.taken import refuses, retry_after

VERSION = 1
_LARGEST_ANSWER_BYTES = 65_536


class WebhookNotifier:
    """Implements `ports.Notifier`."""

    def __init__(self, how: Webhook, wire: Wire) -> None:
        self._how = how
        self._wire = wire

    async def send(self, letter: Letter, to: str, *, deadline_seconds: float) -> Delivery:
        body = json.dumps(_document(letter, to), ensure_ascii=False)
        try:
            headers = self._headers(letter, body)
        except SecretMissing as missing:
            return Delivery(Delivered.REFUSED, str(missing))
        outcome = await self._wire.ask(
            self._how.endpoint,
            method="POST",
            body=body,
            headers=headers,
            deadline_seconds=deadline_seconds,
            max_bytes=_LARGEST_ANSWER_BYTES,
        )
        if isinstance(outcome, HttpProblem):
            return Delivery(Delivered.NOT_SENT, outcome.reason)
        return _judged(outcome)

    def _headers(self, letter: Letter, body: str) -> dict[str, str]:
        headers = {"accept": "application/json", "idempotency-key": letter.identity}
        if self._how.hmac:
            key = self._wire.secrets.read(self._how.hmac).split("\n", 1)[0].encode()
            at = str(int(time.time()))
            signed = hmac.new(key, f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
            headers |= {"x-watchdog-timestamp": at, "x-watchdog-signature": f"sha256={signed}"}
        return headers


def _document(letter: Letter, to: str) -> dict[str, object]:
    return {
        "version": VERSION,
        "id": letter.identity,
        "key": letter.key,
        "phase": letter.phase.value,
        "urgent": letter.urgent,
        "to": to,
        "subject": letter.subject,
        "body": letter.body,
        "notes": json.loads(letter.data or "[]"),
    }


def _judged(answer: HttpAnswer) -> Delivery:
    if 200 <= answer.status < 300:
        return Delivery(Delivered.SENT)
    result = Delivered.REFUSED if refuses(answer) else Delivered.NOT_SENT
    return Delivery(result, f"HTTP {answer.status}", retry_after(answer))
