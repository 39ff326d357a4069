"""Whose fault it is when there is no answer. Only the service's own can ever breach a rule.

What is asked directly (scrape, json) is the service; what answers queries (prometheus) is the
provider of metrics. In doubt it is not the service's: a wrong BLIND pages, a wrong breach acts.

    seen                                        scrape, json                prometheus
    refused, reset, time-out, no route to host  SERVICE   source_down       PROVIDER  unreachable
    HTTP 5xx                                    SERVICE   source_down       PROVIDER  unreachable
    HTTP 4xx (path, credentials, limits)        PROVIDER  query_error       the same
    redirect, not HTTP, another 2xx             PROVIDER  odd_answer        the same
    another content type, unreadable content    PROVIDER  odd_answer        the same
    name lookup fails or hangs                  OURS      unreachable       the same
    TLS: certificate, handshake, our CA file    OURS      unreachable       the same
    the deadline passed while our loop stood    OURS      ours              the same
    credential missing, our limits, our bugs    OURS      ours              the same
    more bytes than `max_bytes`                 OURS      ours              the same
    more series than `max_series`               OURS      too_many_series   the same

`up` is False exactly in the rows that say SERVICE, True where a whole and readable answer came,
and not stated otherwise: an HTML page with status 200 proves neither.

TLS and names count as ours, since an expired certificate, a wrong CA file and a broken name
server cannot be told from here from an attack or from our own configuration.
"""

from __future__ import annotations

import httpx

from watchdog.core.samples import Failure, Fault
from watchdog.core.words import Blind
from watchdog.wire.http import HttpAnswer, HttpProblem, Trouble

_SILENT = frozenset({Trouble.REFUSED, Trouble.RESET, Trouble.TIMED_OUT, Trouble.UNREACHABLE})
_ODD = frozenset({Trouble.REDIRECTED, Trouble.BROKEN})
_UNKNOWN_TO_US = frozenset({Trouble.UNRESOLVED, Trouble.TLS})


def failure_of(outcome: HttpAnswer | HttpProblem, *, asked: Fault) -> Failure | None:
    """None for status 200. `asked` is SERVICE or PROVIDER: who is silent when nobody answers."""
    down = Blind.SOURCE_DOWN if asked is Fault.SERVICE else Blind.UNREACHABLE
    if isinstance(outcome, HttpAnswer):
        status = outcome.status
        if status == httpx.codes.OK:
            return None
        reason = f"HTTP {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
        if status >= 500:
            return Failure(asked, down, reason)
        blind = Blind.QUERY_ERROR if status >= 400 else Blind.ODD_ANSWER
        return Failure(Fault.PROVIDER, blind, reason)
    if outcome.kind in _SILENT:
        return Failure(asked, down, outcome.reason)
    if outcome.kind in _ODD:
        return Failure(Fault.PROVIDER, Blind.ODD_ANSWER, outcome.reason)
    blind = Blind.UNREACHABLE if outcome.kind in _UNKNOWN_TO_US else Blind.OURS
    return Failure(Fault.OURS, blind, outcome.reason)


def odd(reason: str) -> Failure:
    """An answer came, and it is not what was asked for."""
    return Failure(Fault.PROVIDER, Blind.ODD_ANSWER, reason)


def bug(error: Exception) -> Failure:
    """Something of ours raised. The text is left out, since it may quote what was read."""
    return Failure(Fault.OURS, Blind.OURS, f"{type(error).__name__} while reading this source")


def instance_of(url: str) -> str:
    """The host:port that names a target."""
    parsed = httpx.URL(url)
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{host}:{parsed.port or (443 if parsed.scheme == 'https' else 80)}"


def too_many(series: int, most: int) -> Failure:
    """A selector that matches more than the source's `max_series`: what to do, beside the count."""
    reason = (
        f"{series} series, more than {most} (the source's max_series): watch a recording rule that "
        "adds them up, narrow the selector, or raise the limit"
    )
    return Failure(Fault.OURS, Blind.TOO_MANY_SERIES, reason)
