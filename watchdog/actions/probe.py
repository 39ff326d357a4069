"""Read back what a target serves, and hold an expectation against it.

The law: TRUE and FALSE only from a whole, plain JSON document that was served with status 2xx
and holds every field that was asked for, and all that the endpoint is `given`. Anything else is
UNKNOWN, with what was in the way: an endpoint that does not answer proves nothing about the flag
behind it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from watchdog.core.spec import Endpoint
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Probe
from watchdog.wire.expectation import BadExpectation, judge
from watchdog.wire.http import HttpAnswer, HttpProblem, Wire
from watchdog.wire.known import known_secrets
from watchdog.wire.redact import shown_url
from watchdog.wire.scrub import scrubbed
from watchdog.wire.troubles import Trouble

_MAX_BYTES = 1024 * 1024
_READ_BYTES = 4096  # of a document that is not JSON, looked at to be shown
_MOST_SEEN = 200
_MOST_REASON = 400

_SILENCE = frozenset({Trouble.REFUSED, Trouble.RESET, Trouble.TIMED_OUT, Trouble.UNREACHABLE})
_NOBODY_BEHIND = frozenset({502, 503, 504})

FRESH = {"accept": "application/json", "cache-control": "no-cache"}
"""A copy from some cache on the way would not be what is served now."""


def open_probe(wire: Wire) -> Probe:
    return HttpProbe(wire)


class HttpProbe:
    """Implements `ports.Probe`. GET only: it cannot change anything."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def read(
        self, endpoint: Endpoint, expect: str, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        hidden = known_secrets(endpoint, self._wire.secrets)
        answer = await self._wire.ask(
            endpoint, headers=FRESH, deadline_seconds=deadline_seconds, max_bytes=_MAX_BYTES
        )
        hidden |= known_secrets(endpoint, self._wire.secrets)
        truth, reason, seen = _judged(answer, shown_url(endpoint.url), expect, endpoint.given)
        return CheckReading(
            truth,
            scrubbed(reason, known=hidden, most=_MOST_REASON, cut_off=True),
            at,
            scrubbed(seen, known=hidden, most=_MOST_SEEN, cut_off=True),
            _is_silent(answer),
        )


def _is_silent(answer: HttpAnswer | HttpProblem) -> bool:
    """Nobody answers there, or only a proxy that says so. A refused credential, another document
    and a trouble of ours are no silence.
    """
    if isinstance(answer, HttpProblem):
        return answer.kind in _SILENCE
    return answer.status in _NOBODY_BEHIND


def _judged(
    answer: HttpAnswer | HttpProblem, url: str, expect: str, given: str
) -> tuple[Truth, str, str]:
    if isinstance(answer, HttpProblem):
        return Truth.UNKNOWN, answer.reason, ""
    begin = answer.body[:_READ_BYTES].decode("utf-8", "replace").strip()
    if not 200 <= answer.status < 300:
        return Truth.UNKNOWN, f"{url}: answered {answer.status}", begin
    document = document_of(answer.body)
    if isinstance(document, NoDocument):
        kind = answer.headers.get("content-type", "no content type").partition(";")[0]
        return Truth.UNKNOWN, f"{url}: {kind}, not a JSON document: {document.reason}", begin
    try:
        meant = judge(given, document) if given else None
        if meant is not None and meant.truth is not Truth.TRUE:
            return Truth.UNKNOWN, f"{url}: not what is meant: {meant.reason}", meant.seen
        judged = judge(expect, document)
    except BadExpectation as bad:  # the policy refuses these; one that slipped through is no proof
        return Truth.UNKNOWN, f"{expect!r} cannot be judged: {bad}", ""
    return judged.truth, judged.reason, judged.seen


@dataclass(frozen=True, slots=True)
class NoDocument:
    """Why it is none."""

    reason: str


class _AmbiguousError(ValueError):
    """JSON that says two things at once, or something that is no JSON value."""


def document_of(body: bytes) -> object:
    """The parsed document, or why there is none. Stricter than Python's own reading of JSON."""
    try:
        return json.loads(
            body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once_each
        )
    except UnicodeDecodeError:
        return NoDocument("it is not UTF-8")
    except _AmbiguousError as error:
        return NoDocument(str(error))
    except json.JSONDecodeError as error:
        return NoDocument(f"{error.msg} at character {error.pos}" if body else "it is empty")
    except ValueError:
        return NoDocument("it holds a number of too many digits")
    except RecursionError:
        return NoDocument("it is nested too deeply")


def _no_constant(name: str) -> NoReturn:
    raise _AmbiguousError(f"{name} is no JSON number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values under one name: which of them is served depends on who reads it."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _AmbiguousError("a name occurs twice in one object")
    return found
