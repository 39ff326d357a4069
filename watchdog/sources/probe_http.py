"""A GET whose answer shows whether the service is well.

    seen                                              with `status: N`    without
    N, or any 2xx                                     holds               holds
    401, 403, 407, 429: not answered to us            blind               blind
    5xx                                               fails               fails
    any other status                                  fails               blind
    refused, reset, time-out, no route to host        fails               fails
    name, TLS, redirect, too large, not HTTP, ours    blind               blind

With `expect` the body of an answer that holds must be JSON: true holds, false fails, and what is
neither (a field missing, another type, no JSON) is blind.
"""

from __future__ import annotations

import httpx

from watchdog.core.probes import HttpProbe
from watchdog.core.samples import Failure, Fault, Look
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Blind, Instant, Truth
from watchdog.sources.faults import failure_of, odd
from watchdog.sources.json_text import NotJsonError, json_of
from watchdog.sources.looks import told
from watchdog.wire.expectation import BadExpectation, judge
from watchdog.wire.http import HttpAnswer, HttpProblem, Wire
from watchdog.wire.known import known_secrets
from watchdog.wire.redact import shown_url

_NOT_FOR_US = frozenset({401, 403, 407, 429})
_FRESH = {"accept": "application/json, */*;q=0.5", "cache-control": "no-cache"}


class HttpLook:
    def __init__(self, spec: SourceSpec, how: HttpProbe, wire: Wire) -> None:
        self._spec, self._how, self._wire = spec, how, wire

    async def look(self, at: Instant) -> Look | Failure:  # noqa: ARG002  # judged by what comes now
        hidden = known_secrets(self._how.endpoint, self._wire.secrets)
        outcome = await self._wire.ask(
            self._how.endpoint,
            headers=_FRESH,
            deadline_seconds=self._spec.deadline_seconds,
            max_bytes=self._spec.max_bytes,
        )
        if isinstance(outcome, HttpProblem):
            failure = failure_of(outcome, asked=Fault.SERVICE)
            if failure is None:
                raise TypeError("a problem is no answer")
            if failure.fault is Fault.SERVICE:
                return Look(holds=False, reason=failure.reason)
            return failure
        hidden |= known_secrets(self._how.endpoint, self._wire.secrets)
        return self._judged(outcome, hidden)

    def _judged(self, answer: HttpAnswer, hidden: frozenset[str]) -> Look | Failure:
        wanted, status = self._how.status, answer.status
        said = f"HTTP {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
        reason = f"{shown_url(self._how.endpoint.url)}: {said}"
        if status != wanted if wanted is not None else not 200 <= status < 300:
            if status in _NOT_FOR_US or (wanted is None and status < 500):
                return Failure(Fault.PROVIDER, Blind.QUERY_ERROR, reason)
            return Look(holds=False, reason=f"{reason}, not {wanted or '2xx'}")
        if not self._how.expect:
            return Look(holds=True, reason=reason)
        return self._expected(answer, reason, hidden)

    def _expected(self, answer: HttpAnswer, reason: str, hidden: frozenset[str]) -> Look | Failure:
        try:
            judged = judge(self._how.expect, json_of(answer))
        except (NotJsonError, BadExpectation) as error:
            return odd(told(f"{reason}, and {error}", hidden))
        reason = told(f"{reason}: {judged.reason}", hidden)
        if judged.truth is Truth.UNKNOWN:
            return odd(reason)
        return Look(judged.truth is Truth.TRUE, reason)
