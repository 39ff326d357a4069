"""Change a target by an HTTP request.

What an answer means. Only what the server said with a plain refusal is "no effect"; the engine
reads back after everything else:

    2xx                                                 CLAIMED
    409, 412: somebody else changed it meanwhile        CONFLICT
    423, 425, 429: not now                              NOT_DONE
    408: it may have read half of it, or all            UNKNOWN
    any other 4xx                                       REFUSED
    5xx, and what else may come                         UNKNOWN
    no connection, no address, no TLS, no credential    NOT_DONE (the server cannot have seen it)
    no whole answer after the request was sent          UNKNOWN

The key of the intent is sent as Idempotency-Key, the same in every attempt, so that a server
that knows the header makes one change of several requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from watchdog.core.spec import Endpoint, HttpCall
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Attempt, Attempted, SecretMissing
from watchdog.wire.http import HttpAnswer, HttpProblem, Wire
from watchdog.wire.known import known_secrets
from watchdog.wire.names import Names
from watchdog.wire.redact import shown_url
from watchdog.wire.scrub import scrubbed

_MAX_BYTES = 1024 * 1024
_READ_BYTES = 16384  # of a body, looked at to be shown; more than is kept, so that no secret is cut
_MOST_CHARACTERS = 2000
_MOST_REASON = 300

_NOT_NOW = frozenset({423, 425, 429})
_CHANGED_MEANWHILE = frozenset({409, 412})
_TIMED_OUT = 408


class HttpActuator:
    """Implements `ports.Actuator` for HTTP calls."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._names = Names()

    async def attempt(self, how: HttpCall, *, key: str, deadline_seconds: float) -> Attempt:
        hidden = known_secrets(how.endpoint, self._wire.secrets)
        answer = await self._wire.ask(
            how.endpoint,
            method=how.method,
            body=how.body,
            headers={"Idempotency-Key": key},
            deadline_seconds=deadline_seconds,
            max_bytes=_MAX_BYTES,
        )
        hidden |= known_secrets(how.endpoint, self._wire.secrets)
        if isinstance(answer, HttpProblem):
            result = Attempted.UNKNOWN if answer.sent else Attempted.NOT_DONE
            return Attempt(result, scrubbed(answer.reason, known=hidden, most=_MOST_REASON))
        body = answer.body[:_READ_BYTES].decode("utf-8", "replace")
        return Attempt(
            _meaning(answer.status),
            f"{how.method} {shown_url(how.endpoint.url)} answered {_named(answer.status)}",
            scrubbed(body, known=hidden, most=_MOST_CHARACTERS, cut_off=True).strip(),
            retry_after_seconds(answer, wall=time.time()),
        )

    async def preflight(
        self, how: HttpCall, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        """Would it be sent? Reads the credentials, and opens a connection that says nothing.

        No request is made: even OPTIONS is one, and what a server does with it is its own affair.
        """
        truth, reason = _readable(how, self._wire)
        if truth is Truth.TRUE:
            try:
                async with asyncio.timeout(deadline_seconds):
                    truth, reason = await self._reachable(how.endpoint)
            except TimeoutError:
                truth, reason = Truth.UNKNOWN, f"no connection within {deadline_seconds:g} s"
        told = f"{shown_url(how.endpoint.url)}: {reason}"
        hidden = known_secrets(how.endpoint, self._wire.secrets)
        return CheckReading(truth, scrubbed(told, known=hidden, most=_MOST_REASON), at)

    async def _reachable(self, endpoint: Endpoint) -> tuple[Truth, str]:
        url = httpx.URL(endpoint.url)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            addresses = await self._names.addresses(url.host)
        except OSError as error:
            return Truth.UNKNOWN, f"{url.host} has no address: {error.strerror or error}"
        why = ""
        for address in addresses:
            try:
                _reader, writer = await asyncio.open_connection(address, port)
            except ConnectionRefusedError:
                why = f"nobody listens on {address} port {port}"
            except OSError as error:
                return Truth.UNKNOWN, f"{address} port {port}: {error.strerror or error}"
            else:
                writer.transport.abort()  # no goodbye to wait for
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
                return Truth.TRUE, f"{address} port {port} takes connections"
        return Truth.FALSE, why


def _meaning(status: int) -> Attempted:
    if 200 <= status < 300:
        return Attempted.CLAIMED
    if status in _CHANGED_MEANWHILE:
        return Attempted.CONFLICT
    if status in _NOT_NOW:
        return Attempted.NOT_DONE
    if 400 <= status < 500 and status != _TIMED_OUT:
        return Attempted.REFUSED
    return Attempted.UNKNOWN


def _named(status: int) -> str:
    phrase = httpx.codes.get_reason_phrase(status)
    return f"{status} {phrase}" if phrase else str(status)


def retry_after_seconds(answer: HttpAnswer, *, wall: float) -> float | None:
    """How long the server asks us to wait, from its Retry-After: seconds, or a date.

    A date is compared with the server's own `Date`, since only the two of them are surely of
    one clock; with ours (`wall`, seconds since the epoch) where it sent none.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    until = _date(text)
    if until is None:
        return None
    sent = _date(answer.headers.get("date", ""))
    return max(0.0, until - (wall if sent is None else sent))


def _date(text: str) -> float | None:
    try:
        parsed: datetime = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    known = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
    try:
        return known.timestamp()
    except (ValueError, OverflowError):
        return None


def _readable(how: HttpCall, wire: Wire) -> tuple[Truth, str]:
    """Whether all that the request needs from this machine is there."""
    try:
        url = httpx.URL(how.endpoint.url)
    except httpx.InvalidURL:
        return Truth.FALSE, "this URL cannot be read"
    if url.scheme not in {"http", "https"} or not url.host:
        return Truth.FALSE, "only http:// and https:// with a host can be asked"
    for header in how.endpoint.headers:
        if header.secret is not None:
            try:
                wire.secrets.read(header.secret)
            except SecretMissing as missing:
                return Truth.FALSE, str(missing)
    if how.body is not None:
        try:
            json.loads(how.body)
        except ValueError as error:
            return Truth.FALSE, f"the body is not JSON: {error}"
    if how.endpoint.ca_file is not None:
        try:
            ssl.create_default_context(cafile=how.endpoint.ca_file)
        except (OSError, ssl.SSLError) as error:
            return Truth.FALSE, f"CA file {how.endpoint.ca_file}: {error.strerror or error}"
    return Truth.TRUE, ""
